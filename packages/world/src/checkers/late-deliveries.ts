import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import type { Step } from './chronicle.ts'
import { isHonest } from './population.ts'
import type { Sources } from './sources.ts'

/** If a delivery leaves later after the grant than this share of its lease, the lease is renewed. */
const LATE_SHARE = 0.01
/** Times of the broker's clock are whole. */
const ROUNDING_MS = 2

/**
 * A lease counts from when its delivery leaves the broker. It does not expire before that, nor sooner after it than
 * its `leaseMs`.
 */
export class LateDeliveries implements Checker {
  readonly rule = 'HOST-3'
  readonly #sources: Sources
  /** When sessions were welcomed over their current connection, by the broker's clock. */
  readonly #welcomedAtMs = new Map<string, number>()
  /** When deliveries left, by lease, by the broker's clock. */
  readonly #leftAtMs = new Map<number, number>()
  readonly #grantedAtMs = new Map<number, number>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, { brokerMs }: Surroundings, violate: Violate): void {
    const { chronicle, wire } = this.#sources
    const steps = chronicle.see(observation)
    wire.see(observation)
    if (observation.type === 'recovered') this.#leftAtMs.clear()
    else if (observation.type === 'sentByBroker') this.#sent(observation, brokerMs as number)
    if (chronicle.isRetold) this.#grantedAtMs.clear()
    else for (const step of steps) this.#take(step, violate)
  }

  #sent({ message }: ObservationOf<'sentByBroker'>, atMs: number): void {
    if (message.type === 'welcome') this.#welcomedAtMs.set(message.session, atMs)
    else if (message.type === 'deliver') for (const lease of message.leases) this.#leftAtMs.set(lease, atMs)
  }

  #take({ fact, before, after }: Step, violate: Violate): void {
    if (fact.type === 'leaseGranted') this.#grantedAtMs.set(fact.lease, fact.atMs)
    if (before?.lease === undefined || before.session === undefined || after?.lease === before.lease) return
    const { id, lease, session, options } = before
    const grantedAtMs = this.#grantedAtMs.get(lease)
    const leftAtMs = this.#leftAtMs.get(lease)
    this.#grantedAtMs.delete(lease)
    this.#leftAtMs.delete(lease)
    const hasExpired =
      ('attempt' in fact && fact.attempt?.how === 'lease_expired') ||
      (fact.type === 'leaseReleased' && fact.lost === 'lease_expired')
    if (!hasExpired || grantedAtMs === undefined) return
    if (leftAtMs === undefined) {
      if (this.#isServed(session, grantedAtMs))
        violate(`lease ${lease} of task ${id} expired before its delivery had left the broker`, { ids: [id] })
      return
    }
    const livedMs = fact.atMs - leftAtMs
    if (livedMs < options.leaseMs * (1 - LATE_SHARE) - ROUNDING_MS)
      violate(
        `lease ${lease} of task ${id} expired ${livedMs} ms after its delivery had left, and lives ${options.leaseMs}`,
        {
          ids: [id],
        },
      )
  }

  /** Whether the session has had the same connection all the time since. */
  #isServed(session: string, sinceMs: number): boolean {
    const connection = this.#sources.wire.bySession.get(session)
    if (!connection?.isOpenAtBroker || !isHonest(this.#sources.scenario, connection.node)) return false
    return (this.#welcomedAtMs.get(session) ?? Number.POSITIVE_INFINITY) <= sinceMs
  }
}
