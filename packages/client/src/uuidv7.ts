import type { Platform } from './platform.ts'

/** Three digits at a time: the fewer pieces an id is put together from, the cheaper it is to hash and to send. */
const HEX: readonly string[] = Array.from({ length: 4096 }, (_, bits) => bits.toString(16).padStart(3, '0'))
/** The RFC 9562 variant, `10`, and two random bits. */
const VARIANT = '89ab'
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
    const group = VARIANT[r[at]! >> 6]! + HEX[((r[at]! & 0x0f) << 8) | r[at + 1]!]!
    const high = HEX[(r[at + 2]! << 4) | (r[at + 3]! >> 4)]! + HEX[((r[at + 3]! & 0x0f) << 8) | r[at + 4]!]!
    const low = HEX[(r[at + 5]! << 4) | (r[at + 6]! >> 4)]! + HEX[((r[at + 6]! & 0x0f) << 8) | r[at + 7]!]!
    return `${prefix}${HEX[counter]!}-${group}-${high}${low}`
  }
}
