import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { boundsOf } from './population.ts'
import type { Sources } from './sources.ts'

/** Times are fractions of a ms, and sums of them are rounded. */
const ROUNDING_MS = 0.01

/** For how long heartbeats and resumes hold a task at most (LEASE-11). */
export function heldMsMax({ leaseMs, timeLimitMs }: { leaseMs: number; timeLimitMs: number }, graceMs: number): number {
  return timeLimitMs > 0 ? timeLimitMs + leaseMs + graceMs : Number.POSITIVE_INFINITY
}

/** A lease and what has renewed it. */
interface Life {
  readonly id: string
  readonly session: string
  readonly leaseMs: number
  readonly heldMs: number
  /** From when at the earliest that counts: its grant, or the last start of the broker. By the broker's clock. */
  heldFromMs: number
  /** By the broker's clock. */
  renewedAtMs: number
}

/**
 * A lease lasts its full `leaseMs` from its grant, from each renewal, from the resume of its session and from a start
 * of the broker. A worker whose heartbeat was answered has that long from when it was heard. A task with a time limit is
 * not held for longer than LEASE-11 says.
 */
export class LeaseLife implements Checker {
  readonly rule = 'LEASE-5'
  readonly #sources: Sources
  readonly #graceMs: number
  readonly #lives = new Map<number, Life>()
  readonly #bySession = new Map<string, Set<number>>()
  /** Resumes whose further facts are still to come, and what they must renew. */
  readonly #resuming = new Map<string, { atMs: number; leases: Set<number> }>()
  /** When the broker heard each heartbeat, in world time, by connection and ref. */
  readonly #beats = new Map<string, { atMs: number; leases: readonly number[] }>()
  /** When an answered heartbeat had been heard, by lease. */
  readonly #heardAtMs = new Map<number, number>()

  constructor(sources: Sources) {
    this.#sources = sources
    this.#graceMs = boundsOf(sources.scenario).engine.graceMs
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle } = this.#sources
    const steps = chronicle.see(observation)
    if (chronicle.isRetold) {
      this.#lives.clear()
      this.#bySession.clear()
      this.#resuming.clear()
    }
    for (const { fact, before, after } of steps) {
      if (this.#resuming.size > 0) this.#judgeResumed(fact.atMs, violate)
      switch (fact.type) {
        case 'leaseGranted': {
          const { id, lease, session, atMs } = fact
          const { leaseMs = 0, timeLimitMs = 0 } = before?.options ?? {}
          const heldMs = heldMsMax({ leaseMs, timeLimitMs }, this.#graceMs)
          this.#lives.set(lease, { id, session, leaseMs, heldMs, heldFromMs: atMs, renewedAtMs: atMs })
          this.#leasesOf(session).add(lease)
          break
        }
        case 'leasesRenewed':
          this.#renew(fact.leases, fact.atMs)
          for (const lease of fact.leases) this.#resuming.get(fact.session)?.leases.delete(lease)
          break
        case 'sessionResumed':
          this.#renew(this.#leasesOf(fact.session), fact.atMs)
          this.#resuming.set(fact.session, { atMs: fact.atMs, leases: new Set(this.#leasesOf(fact.session)) })
          break
        case 'brokerStarted':
          this.#renew(this.#lives.keys(), fact.atMs)
          for (const life of this.#lives.values()) life.heldFromMs = fact.atMs
          this.#beats.clear()
          this.#heardAtMs.clear()
          break
        case 'sessionClosed':
          this.#bySession.delete(fact.session)
          this.#resuming.delete(fact.session)
          break
        default: {
          if (before?.lease === undefined || after?.lease === before.lease) break
          const how = 'attempt' in fact ? fact.attempt?.how : undefined
          if (how === 'lease_expired') this.#expired(before.lease, fact.atMs, observation.atMs, violate)
          const life = this.#lives.get(before.lease)
          if (life) {
            this.#leasesOf(life.session).delete(before.lease)
            this.#resuming.get(life.session)?.leases.delete(before.lease)
          }
          this.#lives.delete(before.lease)
        }
      }
    }
    if (observation.type === 'heardByBroker' && observation.message.type === 'heartbeat') {
      const { atMs, connection, message } = observation
      this.#beats.set(`${connection} ${message.ref}`, { atMs, leases: message.leases })
    } else if (observation.type === 'sentByBroker' && observation.message.type === 'renewed')
      this.#answered(observation)
  }

  /** A resume is one command: all that it does happens at one time. */
  #judgeResumed(atMs: number, violate: Violate): void {
    for (const [session, resumed] of this.#resuming) {
      if (atMs <= resumed.atMs) continue
      this.#resuming.delete(session)
      for (const lease of resumed.leases) {
        const { id = '' } = this.#lives.get(lease) ?? {}
        violate(`the session of lease ${lease} was resumed, and the lease was not renewed`, { ids: [id] }, 'SESSION-3')
      }
    }
  }

  #answered({ connection, message }: ObservationOf<'sentByBroker'>): void {
    if (message.type !== 'renewed') return
    const key = `${connection} ${message.ref}`
    const beat = this.#beats.get(key)
    this.#beats.delete(key)
    if (!beat) return
    const lost = new Set(message.lost)
    for (const lease of beat.leases) if (!lost.has(lease)) this.#heardAtMs.set(lease, beat.atMs)
  }

  #expired(lease: number, atMs: number, worldMs: number, violate: Violate): void {
    const life = this.#lives.get(lease)
    if (!life) return
    const { id, leaseMs, heldMs, heldFromMs, renewedAtMs } = life
    const heardAtMs = this.#heardAtMs.get(lease)
    this.#heardAtMs.delete(lease)
    if (atMs >= heldFromMs + heldMs - ROUNDING_MS) return
    if (atMs < renewedAtMs + leaseMs - ROUNDING_MS)
      violate(`lease ${lease} of task ${id} expired after ${atMs - renewedAtMs} ms, and lives ${leaseMs}`, {
        ids: [id],
      })
    if (heardAtMs !== undefined && worldMs < heardAtMs + leaseMs - 1)
      violate(
        `lease ${lease} of task ${id} expired ${worldMs - heardAtMs} ms after an answered heartbeat`,
        {
          ids: [id],
        },
        'LEASE-4',
      )
  }

  #renew(leases: Iterable<number>, atMs: number): void {
    for (const lease of leases) {
      const life = this.#lives.get(lease)
      if (life) life.renewedAtMs = atMs
    }
  }

  #leasesOf(session: string): Set<number> {
    let leases = this.#bySession.get(session)
    if (!leases) {
      leases = new Set()
      this.#bySession.set(session, leases)
    }
    return leases
  }
}
