const WINDOW_MS = 1000
/** Weight of the newest window against all before it. */
const NEWEST = 0.5

/** Tasks finished a second, as an exponentially weighted mean over windows of about a second. Driven by event times alone. */
export class DrainRate {
  #windowStartMs = 0
  #count = 0
  #perSecond = 0

  note(atMs: number): void {
    this.#roll(atMs)
    this.#count += 1
  }

  /** 0 while nothing has been observed yet. */
  perSecond(nowMs: number): number {
    const elapsed = nowMs - this.#windowStartMs
    const current = this.#count === 0 ? 0 : (this.#count * 1000) / Math.max(elapsed, WINDOW_MS)
    if (elapsed > 2 * WINDOW_MS) return current
    return Math.max(current, this.#perSecond)
  }

  #roll(atMs: number): void {
    const elapsed = atMs - this.#windowStartMs
    if (elapsed < WINDOW_MS) return
    const observed = (this.#count * 1000) / elapsed
    this.#perSecond = this.#perSecond === 0 ? observed : (1 - NEWEST) * this.#perSecond + NEWEST * observed
    this.#windowStartMs = atMs
    this.#count = 0
  }
}
