/** World time as a person reads it: `1:05.3`, or `1:02:05.3` from an hour on. */
export function clockText(ms: number): string {
  const tenths = Math.floor(ms / 100)
  const seconds = Math.floor(tenths / 10) % 60
  const minutes = Math.floor(tenths / 600) % 60
  const hours = Math.floor(tenths / 36_000)
  const rest = `${String(seconds).padStart(2, '0')}.${tenths % 10}`
  return hours === 0 ? `${minutes}:${rest}` : `${hours}:${String(minutes).padStart(2, '0')}:${rest}`
}

export function speedText(speed: number): string {
  return `${speed}×`
}
