/** The time between two looks, in ms. */
export const LOOK_MS = 5000
/** A look that is later than this means that the tab or the machine slept. */
const LATE_MS = 20_000

/**
 * Notices that the tab or the machine slept, from the lateness of looks that are due every `LOOK_MS`. A monotonic clock
 * may stand still during a sleep, so the wall clock counts too. If a person sets that clock, the worst is a reconnection.
 */
export class ClockWatch {
  #nowMs: number
  #epochMs: number

  constructor(nowMs: number, epochMs: number) {
    this.#nowMs = nowMs
    this.#epochMs = epochMs
  }

  /** @returns whether time has jumped since the last look */
  look(nowMs: number, epochMs: number): boolean {
    const passedMs = Math.max(nowMs - this.#nowMs, epochMs - this.#epochMs)
    this.#nowMs = nowMs
    this.#epochMs = epochMs
    return passedMs > LOOK_MS + LATE_MS
  }
}
