/** The maximum number of retries at once. */
const TOKENS_MAX = 1000
/** Tokens that an accepted submission earns. */
const EARNED = 0.2
/** Tokens earned per ms, so that a client still probes if all its submissions were refused. */
const EARNED_PER_MS = 0.05

/**
 * A token bucket for retries, as in Finagle's RetryBudget. Retries stay a fraction of successes, so that a broker that
 * refuses everything is not sent everything again.
 */
export class RetryBudget {
  #tokens = TOKENS_MAX
  #atMs: number

  constructor(nowMs: number) {
    this.#atMs = nowMs
  }

  earn(accepted: number): void {
    this.#tokens = Math.min(TOKENS_MAX, this.#tokens + accepted * EARNED)
  }

  /** @returns how many of the wanted retries may be made now */
  spend(wanted: number, nowMs: number): number {
    this.#tokens = Math.min(TOKENS_MAX, this.#tokens + (nowMs - this.#atMs) * EARNED_PER_MS)
    this.#atMs = nowMs
    const granted = Math.min(wanted, Math.floor(this.#tokens))
    this.#tokens -= granted
    return granted
  }
}
