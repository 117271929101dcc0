import type { Platform } from './platform.ts'

const HEX: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))
/** Random bytes are drawn in stocks: a system call for each id would cost more than the id. */
const STOCK_BYTES = 1024
const COUNTER_MAX = 0xfff

/**
 * Makes UUIDv7 ids (RFC 9562 §5.7), each greater than the one before: `rand_a` is a counter within the millisecond
 * (§6.2, method 1) that starts in its lower half. When it overflows, or when the wall clock steps back, the
 * timestamp runs ahead of the clock rather than repeat or fall.
 */
export function uuidv7Source(platform: Pick<Platform, 'epochMs' | 'randomBytes'>): () => string {
  let stock = new Uint8Array(0)
  let used = 0
  let lastMs = -1
  let counter = 0
  let prefix = ''

  return () => {
    if (used + 10 > stock.length) {
      stock = platform.randomBytes(STOCK_BYTES) as Uint8Array<ArrayBuffer>
      used = 0
    }
    const r = stock
    const nowMs = Math.floor(platform.epochMs())
    if (nowMs > lastMs || counter === COUNTER_MAX) {
      lastMs = Math.max(nowMs, lastMs + 1)
      counter = ((r[used + 8]! & 0x07) << 8) | r[used + 9]!
      const hex = lastMs.toString(16).padStart(12, '0')
      prefix = `${hex.slice(0, 8)}-${hex.slice(8)}-7`
    } else {
      counter += 1
    }
    const at = used
    used += 10
    return (
      prefix +
      HEX[counter >> 4]! +
      HEX[counter & 0x0f]![1] +
      '-' +
      HEX[(r[at]! & 0x3f) | 0x80] +
      HEX[r[at + 1]!] +
      '-' +
      HEX[r[at + 2]!] +
      HEX[r[at + 3]!] +
      HEX[r[at + 4]!] +
      HEX[r[at + 5]!] +
      HEX[r[at + 6]!] +
      HEX[r[at + 7]!]
    )
  }
}
