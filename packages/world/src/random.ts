import { fnv1a } from './fnv.ts'
import { ln } from './portable.ts'

/**
 * A seeded source of random numbers with independent streams. The draws of one stream depend only on the seed and on
 * the stream's name, so one more draw somewhere changes nothing elsewhere.
 */
export class RandomSource {
  readonly #origin: Origin
  readonly #streams = new Map<string, RandomStream>()

  /** @param seed any safe integer of at least 0 */
  constructor(seed: number) {
    this.#origin = { seed, times: 0 }
  }

  /** From now on every stream of this source draws from this seed, also those that somebody holds. */
  reseed(seed: number): void {
    this.#origin.seed = seed
    this.#origin.times += 1
  }

  /** The stream of this name: the same object each time. */
  stream(name: string): RandomStream {
    let stream = this.#streams.get(name)
    if (stream === undefined) {
      stream = new RandomStream(this.#origin, name)
      this.#streams.set(name, stream)
    }
    return stream
  }

  /** The stream of this name from its beginning, for a name that is used only once. */
  once(name: string): RandomStream {
    return new RandomStream(this.#origin, name)
  }
}

/** Where the streams of one source come from. */
interface Origin {
  seed: number
  /** How often the source was reseeded. */
  times: number
}

/**
 * sfc32 (Chris Doty-Humphrey's small fast counter, 2010). It uses only integer arithmetic, so it draws the same on
 * every JavaScript engine.
 */
export class RandomStream {
  readonly #origin: Origin
  readonly #name: string
  #times = 0
  #a = 0
  #b = 0
  #c = 0
  #counter = 1

  constructor(origin: Origin, name: string) {
    this.#origin = origin
    this.#name = name
    this.#begin()
  }

  #begin(): void {
    const { seed, times } = this.#origin
    this.#times = times
    this.#a = seed >>> 0
    this.#b = Math.floor(seed / 2 ** 32) >>> 0
    // The same seed again must not make the same ids again.
    this.#c = fnv1a(times === 0 ? this.#name : `${this.#name}, reseeded ${times}`) >>> 0
    this.#counter = 1
    for (let i = 0; i < 12; i += 1) this.next32()
  }

  /** Uniform over the integers from 0 to 2^32 − 1. */
  next32(): number {
    if (this.#times !== this.#origin.times) this.#begin()
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
