/** The sources that ids are made from. */
export interface IdPlatform {
  /** The wall clock in ms since 1970. */
  epochMs(): number
  /** Random bytes that nobody can guess. */
  randomBytes(count: number): Uint8Array
}

const HYPHEN = 45
/** The character codes of the hexadecimal digits. */
const DIGITS = Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0))
/** Random bytes are drawn many at a time, because a system call for each id would cost more than the id. */
const STOCK_BYTES = 16_384
const COUNTER_MAX = 0xfff

/**
 * Makes UUIDv7 ids (RFC 9562 §5.7), each greater than the one before. `rand_a` is a counter within the millisecond
 * (§6.2, method 1) that starts in its lower half. If it overflows, or the wall clock steps back, the timestamp runs
 * ahead of the clock; it never repeats or decreases.
 */
export function uuidv7Source(platform: IdPlatform): () => string {
  let stock = new Uint8Array(0)
  let used = 0
  let lastMs = -1
  let counter = 0
  // These codes become one flat string. Pieces joined by `+` would be flattened when the id is first hashed, at twice
  // the cost.
  const codes = new Array<number>(36).fill(HYPHEN)
  const put = (at: number, byte: number): void => {
    codes[at] = DIGITS[byte >> 4]!
    codes[at + 1] = DIGITS[byte & 0x0f]!
  }

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
      const high = Math.floor(lastMs / 2 ** 16)
      put(0, (high >>> 24) & 0xff)
      put(2, (high >>> 16) & 0xff)
      put(4, (high >>> 8) & 0xff)
      put(6, high & 0xff)
      put(9, (lastMs >>> 8) & 0xff)
      put(11, lastMs & 0xff)
    } else {
      counter += 1
    }
    put(14, 0x70 | (counter >> 8))
    put(16, counter & 0xff)
    put(19, (r[used]! & 0x3f) | 0x80)
    put(21, r[used + 1]!)
    for (let i = 0; i < 6; i++) put(24 + 2 * i, r[used + 2 + i]!)
    used += 10
    return String.fromCharCode.apply(null, codes)
  }
}
