import { fnv1a } from './fnv.ts'
import { ln } from './portable.ts'

/**
 * A seeded source of random numbers with independent streams. The draws of one stream depend only on the seed and on
 * the stream's name, so one more draw somewhere changes nothing elsewhere.
 */
export class RandomSource {
  readonly #seed: number
  readonly #streams = new Map<string, RandomStream>()

  /** @param seed any safe integer of at least 0 */
  constructor(seed: number) {
    this.#seed = seed
  }

  /** The stream of this name: the same object each time. */
  stream(name: string): RandomStream {
    let stream = this.#streams.get(name)
    if (stream === undefined) {
      stream = new RandomStream(this.#seed, name)
      this.#streams.set(name, stream)
    }
    return stream
  }

  /** The stream of this name from its beginning, for a name that is used only once. */
  once(name: string): RandomStream {
    return new RandomStream(this.#seed, name)
  }
}

/**
 * sfc32 (Chris Doty-Humphrey's small fast counter, 2010). It uses only integer arithmetic, so it draws the same on
 * every JavaScript engine.
 */
export class RandomStream {
  #a: number
  #b: number
  #c: number
  #counter = 1

  constructor(seed: number, name: string) {
    this.#a = seed >>> 0
    this.#b = Math.floor(seed / 2 ** 32) >>> 0
    this.#c = fnv1a(name) >>> 0
    for (let i = 0; i < 12; i += 1) this.next32()
  }

  /** Uniform over the integers from 0 to 2^32 − 1. */
  next32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0
    this.#counter = (this.#counter + 1) | 0
    this.#a = this.#b ^ (this.#b >>> 9)
    this.#b = (this.#c + (this.#c << 3)) | 0
    this.#c = (((this.#c << 21) | (this.#c >>> 11)) + sum) | 0
    return sum >>> 0
  }

  /** Uniform in [0, 1). */
  next(): number {
    return this.next32() / 2 ** 32
  }

  /** Uniform over the integers from `min` to `max`, both included. */
  integer(min: number, max: number): number {
    return min + Math.floor(this.next() * (max - min + 1))
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.next() < probability
  }

  pick<T>(list: readonly T[]): T {
    if (list.length === 0) throw new RangeError('nothing to pick from')
    return list[this.integer(0, list.length - 1)] as T
  }

  /** Exponentially distributed with this mean. */
  exponential(mean: number): number {
    return -ln(1 - this.next()) * mean
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    for (let i = 0; i < count; i += 1) bytes[i] = this.next32() >>> 24
    return bytes
  }
}
