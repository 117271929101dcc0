const DELAY_MS = 250
const DELAY_MS_MAX = 10_000

/** The waits before a handler Worker is replaced that did not load or that died: 250 ms, doubled each time, up to 10 s. */
export class Backoff {
  #failures = 0

  /** A handler has finished. */
  reset(): void {
    this.#failures = 0
  }

  /** @returns how long to wait now, in ms */
  next(): number {
    const delayMs = Math.min(DELAY_MS_MAX, DELAY_MS * 2 ** Math.min(this.#failures, 16))
    this.#failures += 1
    return delayMs
  }
}
