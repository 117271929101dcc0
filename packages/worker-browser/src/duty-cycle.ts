/** A rest shorter than this is added to the next one, in ms. Timers are no more exact. */
const REST_MS_MIN = 10

/**
 * Keeps one Worker to its share of a core. After each task it rests for so long that work and rest together have the
 * asked share. A share of 1 means no rest.
 */
export class DutyCycle {
  share: number
  #owedMs = 0

  constructor(share: number) {
    this.share = share
  }

  /** A task took this long. @returns how long to rest now, in ms */
  restAfter(workedMs: number): number {
    if (this.share >= 1) {
      this.#owedMs = 0
      return 0
    }
    this.#owedMs += workedMs * (1 / this.share - 1)
    if (this.#owedMs < REST_MS_MIN) return 0
    const restMs = this.#owedMs
    this.#owedMs = 0
    return restMs
  }
}
