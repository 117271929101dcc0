const WINDOW_MS = 1000
/** The weight of a window is multiplied by this for each window that follows. */
const KEPT = 0.5
/** After a longer idle time, the rate is unknown again. */
const FORGOTTEN_MS = 60_000

/**
 * Tasks finished a second while the queue held any: an exponentially weighted mean over windows of about a second. It
 * depends only on the times of events. Idle time is left out. If it made a queue look slow, the long `retryAfterMs`
 * would keep producers away and the queue idle.
 */
export class FinishRate {
  #windowStartMs = 0
  #count = 0
  #perSecond = 0
  #lastMs = 0

  /** The queue holds tasks again. */
  resume(atMs: number): void {
    const idleMs = atMs - this.#lastMs
    if (idleMs <= FORGOTTEN_MS) {
      this.#windowStartMs += idleMs
      return
    }
    this.#windowStartMs = atMs
    this.#count = 0
    this.#perSecond = 0
  }

  note(atMs: number): void {
    this.#roll(atMs)
    this.#lastMs = atMs
    this.#count += 1
  }

  /** 0 while nothing has been observed yet. @param isIdle whether the queue holds no unfinished task */
  perSecond(nowMs: number, isIdle = false): number {
    if (isIdle && nowMs - this.#lastMs > FORGOTTEN_MS) return 0
    const elapsed = (isIdle ? this.#lastMs : nowMs) - this.#windowStartMs
    const current = this.#count === 0 ? 0 : (this.#count * 1000) / Math.max(elapsed, WINDOW_MS)
    if (elapsed > 2 * WINDOW_MS) return current
    return Math.max(current, this.#perSecond)
  }

  #roll(atMs: number): void {
    const elapsed = atMs - this.#windowStartMs
    if (elapsed < WINDOW_MS) return
    const observed = (this.#count * 1000) / elapsed
    // An idle hour is thousands of windows, after which the earlier rate counts for nothing.
    const kept = this.#perSecond === 0 ? 0 : KEPT ** Math.floor(elapsed / WINDOW_MS)
    this.#perSecond = kept * this.#perSecond + (1 - kept) * observed
    this.#windowStartMs = atMs
    this.#count = 0
  }
}
