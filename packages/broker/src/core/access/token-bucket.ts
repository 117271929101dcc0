/**
 * So much a second, and a second's worth at once. What is larger than that is let through where nothing is owed, and is
 * paid for afterwards: a bound on a rate is none on the size of a message.
 */
export class TokenBucket {
  readonly #perSecond: number
  #level: number
  #atMs: number

  constructor(perSecond: number, nowMs: number) {
    this.#perSecond = perSecond
    this.#level = perSecond
    this.#atMs = nowMs
  }

  /** How long it is until something may be taken, in ms; 0 where it may now. */
  waitMs(nowMs: number): number {
    this.#fill(nowMs)
    return this.#level > 0 ? 0 : Math.ceil(((1 - this.#level) / this.#perSecond) * 1000)
  }

  take(count: number): void {
    this.#level -= count
  }

  /** Whether it is as one that is new. */
  isFull(nowMs: number): boolean {
    this.#fill(nowMs)
    return this.#level >= this.#perSecond
  }

  #fill(nowMs: number): void {
    const passedMs = Math.max(0, nowMs - this.#atMs)
    this.#atMs = nowMs
    this.#level = Math.min(this.#perSecond, this.#level + (passedMs * this.#perSecond) / 1000)
  }
}
