import type { ClientMessage } from '@sluice/protocol'
import type { Connection } from './connection.ts'
import type { Platform } from './platform.ts'

/** How often it is looked whether a word that has to leave first has left the socket, in ms. */
const LOOK_MS = 4

/**
 * How far deliveries have been begun, and how far the broker knows of it. They come in the order of their leases and are begun in that
 * order, so that one lease says it of all before it.
 */
export class BegunLeases {
  readonly #connection: Connection
  readonly #platform: Platform
  /** The word for which a delivery has waited has left, or is to be said anew. */
  readonly #onLook: () => void
  #upTo = 0
  #saidUpTo = 0
  /** Handlers that run under a lease past `#saidUpTo`. */
  #unsaid = 0
  /** What is to be said next although it is not begun yet. */
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

  /** It has returned, or its lease is lost or answered: where the broker does not know that it was begun, the answer says it. */
  end(lease: number): void {
    if (lease > this.#saidUpTo) this.#unsaid -= 1
  }

  /** Whether handlers run of which the broker does not know. */
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
   * Says that the delivery of `lease`, the next one, is begun, where that may be said now and was not said yet.
   * @returns whether the word has left; if not, the owner is to ask again when it is called or the connection is back
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

  /** What a resumption says. It may be less than what was said before: what was announced need not have been begun. */
  resume(): number {
    this.#said(this.#upTo)
    return this.#upTo
  }

  /** The session is a new one; of the old one nothing runs under a lease that is held. */
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
