import type { ClientMessage } from '@sluice/protocol'
import type { Connection } from './connection.ts'
import type { Platform } from './platform.ts'

/** How often to check whether an announcement has left the socket, in ms. */
const LOOK_MS = 4

/**
 * Tracks up to which lease deliveries have begun, and how much of that the broker knows. Deliveries arrive in the order
 * of their leases and begin in that order, so one lease stands for all before it.
 */
export class BegunLeases {
  readonly #connection: Connection
  readonly #platform: Platform
  /** Called when the announcement that a delivery waits for has left, or must be sent again. */
  readonly #onLook: () => void
  #upTo = 0
  #saidUpTo = 0
  /** The number of handlers that run under a lease past `#saidUpTo`. */
  #unsaid = 0
  /** The lease to announce next, although it has not begun yet. */
  #announced: number | undefined
  #cancelLook: (() => void) | undefined

  constructor(connection: Connection, platform: Platform, onLook: () => void) {
    this.#connection = connection
    this.#platform = platform
    this.#onLook = onLook
  }

  /** A handler is called. */
  begin(lease: number): void {
    this.#upTo = lease
    if (lease > this.#saidUpTo) this.#unsaid += 1
  }

  /**
   * A handler has returned, or its lease is lost or answered. If the broker does not know that it began, the answer
   * tells it.
   */
  end(lease: number): void {
    if (lease > this.#saidUpTo) this.#unsaid -= 1
  }

  /** Whether handlers run that the broker does not know of. */
  get isUnsaid(): boolean {
    return this.#unsaid > 0 && this.#connection.begins
  }

  collect(out: ClientMessage[]): void {
    if (this.#announced === undefined && !this.isUnsaid) return
    const lease = this.#announced ?? this.#upTo
    this.#announced = undefined
    out.push({ type: 'begin', lease })
    this.#said(lease)
  }

  /**
   * Announces that the delivery of `lease`, the next one, begins, if that is possible now and not done yet.
   * @returns whether the announcement has left the socket; if not, the owner asks again when it is called or
   * reconnected
   */
  announce(lease: number): boolean {
    if (!this.#connection.begins) return true
    if (!this.#connection.open) return false
    if (lease > this.#saidUpTo) {
      this.#announced = lease
      this.#connection.flush()
    }
    if (this.#connection.unsentBytes === 0) return true
    this.#cancelLook ??= this.#platform.setTimer(() => {
      this.#cancelLook = undefined
      this.#onLook()
    }, LOOK_MS)
    return false
  }

  /**
   * The lease for a resumption. It may be lower than an announced one, because an announced delivery may not have
   * begun.
   */
  resume(): number {
    this.#said(this.#upTo)
    return this.#upTo
  }

  /** A new session begins. No handler of the old one runs under a held lease. */
  reset(): void {
    this.#upTo = 0
    this.#said(0)
  }

  stop(): void {
    this.#cancelLook?.()
    this.#cancelLook = undefined
  }

  #said(upTo: number): void {
    this.#saidUpTo = upTo
    this.#unsaid = 0
  }
}
