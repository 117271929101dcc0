import { CommandError, EXIT } from './exit-code.ts'

const UNITS: readonly [string, number][] = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
]

/**
 * Parses a duration such as `30s`, `10m`, `2h` or `30d`.
 * @throws CommandError naming the flag
 */
export function durationMs(flag: string, text: string): number {
  const match = /^(\d+)([smhd])$/.exec(text)
  const unit = UNITS.find(([name]) => name === match?.[2])
  const ms = Number(match?.[1]) * (unit?.[1] ?? Number.NaN)
  if (ms > 0 && ms <= Number.MAX_SAFE_INTEGER) return ms
  throw new CommandError(
    `${flag} must be a duration such as 30s, 10m, 2h or 30d, not ${JSON.stringify(text)}`,
    EXIT.usage,
  )
}

/** A duration for people, in its largest unit that fits: `850ms`, `12s`, `3h`. */
export function durationText(ms: number): string {
  for (const [unit, unitMs] of UNITS) if (ms >= unitMs) return `${Math.floor(ms / unitMs)}${unit}`
  return `${Math.round(ms)}ms`
}
