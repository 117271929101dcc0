const headerBytes = 32
const frameHeaderBytes = 24

/** One page of SQLite's write-ahead log (https://www.sqlite.org/fileformat2.html#walformat). */
export interface Frame {
  start: number
  end: number
  /** Whether a transaction ends with it. */
  commits: boolean
}

/** The frames of the log's present generation; behind them there may be older ones. */
export function framesOf(log: Uint8Array): Frame[] {
  if (log.length < headerBytes) return []
  const view = new DataView(log.buffer, log.byteOffset, log.length)
  const pageBytes = view.getUint32(8)
  const salt = view.getBigUint64(16)
  const frames: Frame[] = []
  for (let start = headerBytes; start + frameHeaderBytes + pageBytes <= log.length; ) {
    if (view.getBigUint64(start + 8) !== salt) break
    const end = start + frameHeaderBytes + pageBytes
    frames.push({ start, end, commits: view.getUint32(start + 4) > 0 })
    start = end
  }
  return frames
}
