const utf8 = new TextEncoder()

const QUOTE = 0x22
const COMMA = 0x2c
const ZERO = 0x30
const BRACKET = 0x5b
const BILLION = 1_000_000_000

/**
 * Writes JSON as bytes into one buffer that is reused and grows, so that a batch of thousands of events makes no
 * strings. The caller puts the commas between the values.
 */
export class JsonWriter {
  #bytes = new Uint8Array(64 * 1024)
  #at = 0

  reset(): void {
    this.#at = 0
  }

  /** The bytes written since `reset`. The view is valid until the next `reset`. */
  written(): Uint8Array {
    return this.#bytes.subarray(0, this.#at)
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(this.#bytes.length * 2, this.#at + count))
    grown.set(this.#bytes.subarray(0, this.#at))
    this.#bytes = grown
  }

  /** Characters below U+0080, unescaped. */
  ascii(text: string): void {
    const { length } = text
    this.#reserve(length)
    const bytes = this.#bytes
    let at = this.#at
    for (let index = 0; index < length; index++) bytes[at++] = text.charCodeAt(index)
    this.#at = at
  }

  /** Any text, unescaped. */
  text(text: string): void {
    this.#reserve(text.length * 3)
    this.#at += utf8.encodeInto(text, this.#bytes.subarray(this.#at)).written
  }

  /** Any JSON value. A value that cannot be converted to JSON becomes null. */
  json(value: unknown): void {
    this.text(JSON.stringify(value) ?? 'null')
  }

  comma(): void {
    this.#reserve(1)
    this.#bytes[this.#at++] = COMMA
  }

  /** A comma, and quoted text that needs no escaping. */
  quoted(text: string): void {
    const { length } = text
    this.#reserve(length + 3)
    const bytes = this.#bytes
    let at = this.#at
    bytes[at++] = COMMA
    bytes[at++] = QUOTE
    for (let index = 0; index < length; index++) bytes[at++] = text.charCodeAt(index)
    bytes[at++] = QUOTE
    this.#at = at
  }

  /** A comma, and an array of texts that need no escaping. */
  quotedList(texts: readonly string[]): void {
    this.ascii(texts.length === 0 ? ',[]' : `,["${texts.join('","')}"]`)
  }

  /** A comma, and an array of finite numbers. */
  numberList(numbers: readonly number[]): void {
    this.comma()
    const start = this.#at
    for (let index = 0; index < numbers.length; index++) this.number(numbers[index] as number)
    if (numbers.length === 0) this.ascii('[')
    // It replaces the comma in front of the first one.
    else this.#bytes[start] = BRACKET
    this.ascii(']')
  }

  /** A comma and a finite number. */
  number(value: number): void {
    this.#reserve(32)
    this.#bytes[this.#at++] = COMMA
    if (value >= 0 && value < BILLION && Number.isInteger(value)) this.#digits(value, 1)
    else if (value >= BILLION && Number.isSafeInteger(value)) {
      const high = Math.floor(value / BILLION)
      this.#digits(high, 1)
      this.#digits(value - high * BILLION, 9)
    } else this.ascii(String(value))
  }

  /** An integer below a billion, in integer arithmetic. The caller reserves the room. */
  #digits(value: number, digitsMin: number): void {
    let digits = digitsMin
    if (digitsMin === 1) for (let bound = 10; bound <= value; bound *= 10) digits++
    const bytes = this.#bytes
    let rest = value | 0
    let at = this.#at + digits
    this.#at = at
    while (digits-- > 0) {
      const next = (rest / 10) | 0
      bytes[--at] = ZERO + rest - next * 10
      rest = next
    }
  }
}
