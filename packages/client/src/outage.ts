import type { WireError } from '@sluice/protocol'
import type { Logger } from './logger.ts'

/** The cause when a broker drains, which states no reason. */
const LEAVING = 'the broker is leaving'

/**
 * Reports an outage to people: one warning with the cause when the connection is lost, another if the cause changes,
 * and one line when the connection is back, however many attempts fail in between.
 */
export class Outage {
  readonly #where: string
  readonly #logger: Logger
  readonly #now: () => number
  #cause: string | undefined
  #sinceMs = 0

  constructor(url: string, logger: Logger, now: () => number) {
    this.#where = publicUrl(url)
    this.#logger = logger
    this.#now = now
  }

  /**
   * The broker's address, and why it is not reached. Undefined while it is reached, and before the first attempt has
   * failed.
   */
  get story(): string | undefined {
    return this.#cause === undefined ? undefined : `no connection to ${this.#where}: ${this.#cause}`
  }

  /** An attempt has failed, or the connection is lost. The next attempt is in `delayMs`. */
  lost(error: WireError | null, delayMs: number): void {
    const cause = error?.message ?? LEAVING
    const isKnown = cause === this.#cause
    if (this.#cause === undefined) this.#sinceMs = this.#now()
    this.#cause = cause
    const fields = { url: this.#where, nextTryMs: delayMs, ...(error === null ? {} : { code: error.code }) }
    const line = `${this.story}; next try in ${durationText(delayMs)}`
    if (isKnown) this.#logger.debug(fields, line)
    else this.#logger.warn(fields, line)
  }

  /** The broker has sent `welcome`. */
  back(): void {
    if (this.#cause === undefined) return
    this.#cause = undefined
    const awayMs = Math.round(this.#now() - this.#sinceMs)
    this.#logger.info({ url: this.#where, awayMs }, `connected to ${this.#where} after ${durationText(awayMs)}`)
  }
}

function durationText(ms: number): string {
  return ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`
}

/** The URL for display, without user name and password. */
export function publicUrl(url: string): string {
  return url.replace(/\/\/[^/]*@/, '//')
}
