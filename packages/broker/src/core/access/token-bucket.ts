/**
 * A token bucket that holds one second's worth. An amount larger than that is allowed when nothing is owed, and is paid
 * for afterwards, because a bound on a rate does not bound the size of a message.
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

  /** The time until something may be taken, in ms. 0 if it may be taken now. */
  waitMs(nowMs: number): number {
    this.#fill(nowMs)
    return this.#level > 0 ? 0 : Math.ceil(((1 - this.#level) / this.#perSecond) * 1000)
  }

  take(count: number, nowMs: number): void {
    this.#fill(nowMs)
    this.#level -= count
  }

  /** Whether its state equals that of a new one. */
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
