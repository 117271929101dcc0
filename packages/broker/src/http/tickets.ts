import type { Principal } from '../core/access/access-control.ts'

/** How long a ticket stays valid. */
export const TICKET_MS = 30_000
/** The maximum of unused tickets, per principal and in all. */
const OF_ONE_MAX = 100
const MAX = 10_000

interface Ticket {
  readonly principal: Principal
  readonly expiresAtMs: number
}

/**
 * Tickets for clients that cannot send a token, such as an `EventSource` or a link. Each admits one request and is
 * valid only for seconds, so a ticket that ends up in a log is worthless.
 */
export class Tickets {
  readonly #nowMs: () => number
  readonly #secretId: () => string
  /** Oldest first. */
  readonly #tickets = new Map<string, Ticket>()
  readonly #counts = new Map<string, number>()

  constructor(nowMs: () => number, secretId: () => string) {
    this.#nowMs = nowMs
    this.#secretId = secretId
  }

  /** Undefined if there are too many unused tickets. */
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

  /** The principal of a ticket. Undefined if the ticket is unknown, used or expired. */
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
