const WINDOW_MS = 1000
/** What is left of a window's weight a window later. */
const KEPT = 0.5
/** Idle for longer, a queue is as if nothing had ever been observed. */
const FORGOTTEN_MS = 60_000

/**
 * Tasks finished a second while there were any, as an exponentially weighted mean over windows of about a second. Driven by
 * event times alone. Idle time is left out: if it made a queue look slow, those that it keeps waiting would keep it idle.
 */
export class DrainRate {
  #windowStartMs = 0
  #count = 0
  #perSecond = 0
  #lastMs = 0

  /** There is something to finish again. */
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

  /** 0 while nothing has been observed yet. @param isIdle whether there is nothing to finish now */
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
    // An idle hour is thousands of windows: what was seen before it counts for nothing any more.
    const kept = this.#perSecond === 0 ? 0 : KEPT ** Math.floor(elapsed / WINDOW_MS)
    this.#perSecond = kept * this.#perSecond + (1 - kept) * observed
    this.#windowStartMs = atMs
    this.#count = 0
  }
}
