import { Bodies } from '@sluice/protocol'
import { fnv1a } from './fnv.ts'

const float = new Float64Array(1)
const words = new Uint32Array(float.buffer)

/**
 * 64 bits over a stream of plain values: two lanes of multiplying and rotating. It tells runs apart; it is no defence
 * against an attacker.
 */
export class StreamHash {
  #a = 0x9e3779b9 | 0
  #b = 0x243f6a88 | 0
  /** Messages are observed when they are sent and when they are heard. Each is hashed once. */
  readonly #known = new WeakMap<object, { a: number; b: number }>()

  /** Everything enumerable counts, in its order. The names of fields do not count. */
  add(value: unknown): void {
    switch (typeof value) {
      case 'string':
        this.#text(value)
        return
      case 'number':
        this.#number(value)
        return
      case 'object':
        if (value === null) this.#word(1)
        else if (Array.isArray(value)) this.#list(value)
        else if (value instanceof Uint8Array) this.#bytes(value)
        else if (value instanceof Bodies) this.#bodies(value)
        else this.#fields(value as Record<string, unknown>)
        return
      case 'boolean':
        this.#word(value ? 3 : 2)
        return
      default:
        this.#word(4)
    }
  }

  /** As `add`, for an object that does not change and may come again. */
  addKnown(value: object): void {
    let known = this.#known.get(value)
    if (known === undefined) {
      const own = new StreamHash()
      own.add(value)
      known = { a: own.#a, b: own.#b }
      this.#known.set(value, known)
    }
    this.#word(known.a)
    this.#word(known.b)
  }

  /** 16 hexadecimal digits. */
  get digest(): string {
    return hex(this.#a) + hex(this.#b)
  }

  #word(word: number): void {
    const a = Math.imul(this.#a ^ word, 0x9e3779b1)
    this.#a = (a << 13) | (a >>> 19)
    const b = Math.imul((this.#b + word) ^ a, 0x85ebca77)
    this.#b = (b << 17) | (b >>> 15)
  }

  #number(value: number): void {
    if (value === (value | 0)) {
      this.#word(5)
      this.#word(value)
      return
    }
    float[0] = value
    this.#word(words[0] as number)
    this.#word(words[1] as number)
  }

  #text(text: string): void {
    this.#word(text.length)
    this.#word(fnv1a(text))
  }

  #bytes(bytes: Uint8Array): void {
    this.#word(bytes.length)
    let sum = 0x811c9dc5
    for (let i = 0; i < bytes.length; i += 1) sum = Math.imul(sum ^ (bytes[i] as number), 0x01000193)
    this.#word(sum)
  }

  #bodies(bodies: Bodies): void {
    this.#list(bodies.lengths)
    this.#bytes(bodies.bytes)
  }

  #list(list: readonly unknown[]): void {
    this.#word(list.length)
    for (const item of list) this.add(item)
  }

  #fields(fields: Record<string, unknown>): void {
    this.#word(6)
    for (const key in fields) this.add(fields[key])
  }
}

function hex(word: number): string {
  return (word >>> 0).toString(16).padStart(8, '0')
}
