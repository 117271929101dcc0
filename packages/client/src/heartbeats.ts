import type { ClientMessage } from '@sluice/protocol'
import type { Connection } from './connection.ts'
import type { HeldLeases } from './held-leases.ts'
import type { Platform } from './platform.ts'
import type { Settlements } from './settlements.ts'
import type { Slot } from './slot.ts'

/** A lease survives two lost or late heartbeats. */
const BEATS_PER_LEASE = 3

/**
 * Keeps leases alive. Each heartbeat of the connection renews all of them. Leases that are too short for its period get
 * extra heartbeats, whose timer runs only while such a lease is held.
 */
export class Heartbeats {
  readonly #connection: Connection
  readonly #held: HeldLeases
  readonly #settlements: Settlements
  readonly #platform: Platform
  #cancel: () => void = () => {}
  #dueAtMs = Number.POSITIVE_INFINITY

  constructor(connection: Connection, held: HeldLeases, settlements: Settlements, platform: Platform) {
    this.#connection = connection
    this.#held = held
    this.#settlements = settlements
    this.#platform = platform
  }

  /**
   * Renews the leases of `slots`. An answered lease needs no renewal, because its answer has left or leaves with this
   * message. The exception is an answer that the broker wants later.
   */
  push(out: ClientMessage[], slots: Iterable<Slot>): void {
    const putOff = this.#settlements.putOff()
    const leases: number[] = []
    for (const slot of slots) if (slot.answer === undefined || putOff.has(slot)) leases.push(slot.lease)
    const { listedMax } = this.#connection
    for (let from = 0; from < leases.length; from += listedMax) {
      const ref = this.#connection.nextRef()
      out.push({ type: 'heartbeat', ref, leases: leases.slice(from, from + listedMax) })
    }
  }

  /** A lease is held that expires after `leaseMs` without a heartbeat. */
  held(leaseMs: number): void {
    if (leaseMs < this.#shortMs) this.#within(leaseMs / BEATS_PER_LEASE)
  }

  /** Another broker may have a longer heartbeat period, so that leases which were long enough are now too short. */
  welcomed(): void {
    this.#within(this.#held.shorterThan(this.#shortMs).shortestMs / BEATS_PER_LEASE)
  }

  stop(): void {
    this.#cancel()
    this.#dueAtMs = Number.POSITIVE_INFINITY
  }

  /** Leases shorter than this need more heartbeats than the broker asks for. */
  get #shortMs(): number {
    return this.#connection.heartbeatMs * BEATS_PER_LEASE
  }

  #within(ms: number): void {
    const dueAtMs = this.#platform.now() + ms
    if (dueAtMs >= this.#dueAtMs) return
    this.#cancel()
    this.#dueAtMs = dueAtMs
    this.#cancel = this.#platform.setTimer(() => {
      this.#dueAtMs = Number.POSITIVE_INFINITY
      this.#beat()
    }, ms)
  }

  #beat(): void {
    const { slots, shortestMs } = this.#held.shorterThan(this.#shortMs)
    const messages: ClientMessage[] = []
    this.push(messages, slots)
    if (this.#connection.open) for (const message of messages) this.#connection.send(message)
    this.#within(shortestMs / BEATS_PER_LEASE)
  }
}
