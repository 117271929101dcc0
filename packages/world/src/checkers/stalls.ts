import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import type { Step } from './chronicle.ts'
import { heldMsMax } from './lease-life.ts'
import { boundsOf } from './population.ts'
import type { Sources } from './sources.ts'

/**
 * How often the broker checks that it can receive, in ms and as a share of a heartbeat period. Shorter stalls are not
 * noticed.
 */
const LISTEN_SHARE = 1 / 20
const LISTEN_MS_MIN = 10
const LISTEN_MS_MAX = 250
/** Times of the broker's clock are whole. */
const ROUNDING_MS = 2

/** A pause of the broker, in world time. */
interface Stall {
  readonly fromMs: number
  toMs: number
}

/** A time limit that is running: it ends at this time of the broker's clock if the broker does not pause meanwhile. */
interface Running {
  readonly sinceMs: number
  readonly endsAtMs: number
}

/** A lease. However often it is renewed, it ends after this time of the broker's clock. */
interface Held extends Running {
  readonly leaseMs: number
  readonly heldMs: number
  readonly heldUntilMs: number
}

/** While the broker is paused, no lease and no grace window runs: each is extended by that time. */
export class Stalls implements Checker {
  readonly rule = 'LEASE-10'
  readonly #sources: Sources
  readonly #slackMs: number
  readonly #graceMs: number
  readonly #maySessionsMakeWay: boolean
  readonly #stalls: Stall[] = []
  readonly #underWay = new Set<number>()
  readonly #leases = new Map<number, Held>()
  readonly #graces = new Map<string, Running>()

  constructor(sources: Sources) {
    this.#sources = sources
    const { engine, host } = boundsOf(sources.scenario)
    const { heartbeatMs } = host
    this.#graceMs = engine.graceMs
    this.#maySessionsMakeWay = sources.scenario.engine?.sessionsMax !== undefined
    // A shorter pause may go unnoticed, and this much of a stall may count as time in which the broker could receive.
    this.#slackMs = 2 * Math.max(LISTEN_MS_MIN, Math.min(LISTEN_MS_MAX, heartbeatMs * LISTEN_SHARE)) + ROUNDING_MS
  }

  see(observation: Observation, { brokerMs }: Surroundings, violate: Violate): void {
    const { chronicle } = this.#sources
    this.#watch(observation)
    const steps = chronicle.see(observation)
    if (chronicle.isRetold) {
      this.#leases.clear()
      this.#graces.clear()
    }
    const offsetMs = (brokerMs ?? 0) - observation.atMs
    for (const step of steps) this.#take(step, offsetMs, chronicle.isRetold ? () => {} : violate)
  }

  #watch(observation: Observation): void {
    switch (observation.type) {
      case 'faultStarted': {
        const { fault, number, atMs } = observation
        if (fault.type !== 'pause' || fault.node !== 'broker') break
        if (this.#underWay.size === 0) this.#stalls.push({ fromMs: atMs, toMs: Number.POSITIVE_INFINITY })
        this.#underWay.add(number)
        break
      }
      case 'faultEnded':
        if (this.#underWay.delete(observation.number) && this.#underWay.size === 0) this.#goesOn(observation.atMs)
        break
      case 'nodeStarted':
        // The new broker's clock may be another one, and everything that runs starts over.
        if (observation.node === 'broker') this.#stalls.length = 0
        break
      default:
    }
  }

  #goesOn(atMs: number): void {
    const last = this.#stalls.at(-1)
    if (last) last.toMs = atMs
  }

  #take({ fact, before, after }: Step, offsetMs: number, violate: Violate): void {
    switch (fact.type) {
      case 'leaseGranted': {
        const { atMs, lease } = fact
        const { leaseMs = 0, timeLimitMs = 0 } = before?.options ?? {}
        const heldMs = heldMsMax({ leaseMs, timeLimitMs }, this.#graceMs)
        const heldUntilMs = atMs + heldMs
        this.#leases.set(lease, { sinceMs: atMs, endsAtMs: atMs + leaseMs, leaseMs, heldMs, heldUntilMs })
        return
      }
      case 'leasesRenewed':
        this.#renew(fact.leases, fact.atMs)
        return
      case 'brokerStarted':
        for (const [lease, held] of this.#leases)
          this.#leases.set(lease, { ...held, heldUntilMs: fact.atMs + held.heldMs })
        this.#renew(this.#leases.keys(), fact.atMs)
        return
      case 'sessionDisconnected':
        this.#graces.set(fact.session, { sinceMs: fact.atMs, endsAtMs: fact.graceEndsAtMs })
        return
      case 'sessionResumed':
        this.#graces.delete(fact.session)
        return
      case 'sessionClosed': {
        const grace = this.#graces.get(fact.session)
        // One that is away makes way for a new one where there are as many as may be (SESSION-1).
        if (grace && !this.#maySessionsMakeWay)
          this.#judge(grace, fact.atMs, offsetMs, `the grace window of session ${fact.session}`, [], violate)
        this.#graces.delete(fact.session)
        return
      }
      default:
    }
    if (before?.lease === undefined || after?.lease === before.lease) return
    const lease = this.#leases.get(before.lease)
    this.#leases.delete(before.lease)
    const hasExpired =
      ('attempt' in fact && fact.attempt?.how === 'lease_expired') ||
      (fact.type === 'leaseReleased' && fact.lost === 'lease_expired')
    if (lease && hasExpired)
      this.#judge(lease, fact.atMs, offsetMs, `lease ${before.lease} of task ${before.id}`, [before.id], violate)
  }

  #judge(running: Running, atMs: number, offsetMs: number, what: string, ids: string[], violate: Violate): void {
    let stalledMs = 0
    for (const { fromMs, toMs } of this.#stalls) {
      const ms = Math.min(toMs + offsetMs, atMs) - Math.max(fromMs + offsetMs, running.sinceMs)
      if (ms > this.#slackMs) stalledMs += ms - this.#slackMs
    }
    const earlyMs = running.endsAtMs + stalledMs - atMs
    if (stalledMs > 0 && earlyMs > ROUNDING_MS)
      violate(`${what} ended ${earlyMs} ms early, the broker having stood still for ${stalledMs} ms`, { ids })
  }

  #renew(leases: Iterable<number>, atMs: number): void {
    for (const lease of leases) {
      const held = this.#leases.get(lease)
      if (!held) continue
      const endsAtMs = Math.min(atMs + held.leaseMs, held.heldUntilMs)
      this.#leases.set(lease, { ...held, sinceMs: atMs, endsAtMs })
    }
  }
}
