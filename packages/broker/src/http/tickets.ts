import type { Principal } from '../core/access/access-control.ts'

/** How long a ticket may wait to be used. */
export const TICKET_MS = 30_000
/** Unused tickets of one principal, and of all. */
const OF_ONE_MAX = 100
const MAX = 10_000

interface Ticket {
  readonly principal: Principal
  readonly expiresAtMs: number
}

/**
 * Tickets for places that cannot send a token, such as an `EventSource` or a link: each admits one request, and only for
 * seconds, so that one that ends up in a log is worth nothing.
 */
export class Tickets {
  readonly #nowMs: () => number
  readonly #secretId: () => string
  /** The oldest first. */
  readonly #tickets = new Map<string, Ticket>()
  readonly #counts = new Map<string, number>()

  constructor(nowMs: () => number, secretId: () => string) {
    this.#nowMs = nowMs
    this.#secretId = secretId
  }

  /** Undefined where there are too many that nobody has used. */
  issue(principal: Principal): string | undefined {
    this.#dropOld()
    const held = this.#counts.get(principal.id) ?? 0
    if (held >= OF_ONE_MAX || this.#tickets.size >= MAX) return undefined
    const ticket = this.#secretId()
    const expiresAtMs = Math.min(this.#nowMs() + TICKET_MS, principal.expiresAtMs)
    this.#tickets.set(ticket, { principal, expiresAtMs })
    this.#counts.set(principal.id, held + 1)
    return ticket
  }

  /** Whose ticket it is; undefined where it is unknown, used or too old. */
  redeem(ticket: string): Principal | undefined {
    this.#dropOld()
    const held = this.#tickets.get(ticket)
    if (held === undefined) return undefined
    this.#drop(ticket, held)
    return held.expiresAtMs > this.#nowMs() ? held.principal : undefined
  }

  #dropOld(): void {
    const oldestMs = this.#nowMs() - TICKET_MS
    for (const [ticket, held] of this.#tickets) {
      if (held.expiresAtMs - TICKET_MS > oldestMs) return
      this.#drop(ticket, held)
    }
  }

  #drop(ticket: string, { principal }: Ticket): void {
    this.#tickets.delete(ticket)
    const left = (this.#counts.get(principal.id) ?? 1) - 1
    if (left > 0) this.#counts.set(principal.id, left)
    else this.#counts.delete(principal.id)
  }
}
