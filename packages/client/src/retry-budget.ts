/** Retries that may be spent at once. */
const TOKENS_MAX = 1000
/** Tokens that an accepted submission earns. */
const EARNED = 0.2
/** Tokens that time earns, so that a client whose every submission was refused still probes. */
const EARNED_PER_MS = 0.05

/**
 * A token bucket for retries, as in Finagle's RetryBudget: retries stay a fraction of what succeeds, so a broker that
 * refuses everything is not answered with everything again.
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
