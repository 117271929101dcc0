import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import { Calm } from './calm.ts'
import type { Step } from './chronicle.ts'
import { longestOf } from './population.ts'
import type { Sources } from './sources.ts'

/** How late a turn of an undisturbed broker may be, besides what its disk takes. */
const SLACK_MS = 300
/** How long after it was done something may be written. */
const MEMORY_MS = 2000

/**
 * The broker does what becomes due at once, unless something disturbs it: delays end, times-to-live and leases
 * expire, records are dropped, grace windows end.
 */
export class Punctuality implements Checker {
  readonly rule = 'HOST-19'
  readonly #sources: Sources
  readonly #calm = new Calm()
  readonly #lateMsMax: number
  /** By the broker's clock, by lease and by session. */
  readonly #expiresAtMs = new Map<number, { leaseMs: number; atMs: number }>()
  readonly #graceEndsAtMs = new Map<string, number>()

  constructor(sources: Sources) {
    this.#sources = sources
    const { appendMs, readMs } = sources.scenario.journal
    // When the timer fires, one batch may be being written and the next one may be full. Both may wait for bodies.
    this.#lateMsMax = SLACK_MS + 3 * longestOf(appendMs) + 3 * longestOf(readMs)
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle } = this.#sources
    this.#calm.see(observation)
    const steps = chronicle.see(observation)
    if (chronicle.isRetold) {
      this.#expiresAtMs.clear()
      this.#graceEndsAtMs.clear()
    }
    for (const step of steps) {
      const due = this.#dueOf(step)
      if (due !== undefined && !chronicle.isRetold) {
        const { what, dueAtMs } = due
        const lateMs = step.fact.atMs - dueAtMs
        // It may have been written long after it was done. So the calm must have begun before it was due.
        const isCalm = this.#calm.lastedMs(observation.atMs, 0) > lateMs + MEMORY_MS
        if (lateMs > this.#lateMsMax && isCalm)
          violate(`${what} came ${lateMs} ms late`, 'id' in step.fact ? { ids: [step.fact.id] } : {})
      }
      this.#note(step)
    }
  }

  #dueOf({ fact, before }: Step): { what: string; dueAtMs: number } | undefined {
    switch (fact.type) {
      case 'taskReadied':
        return before?.readyAtMs === undefined
          ? undefined
          : { what: `the end of the delay of task ${fact.id}`, dueAtMs: before.readyAtMs }
      case 'taskForgotten':
        return fact.isEarly || before?.forgetAtMs === undefined
          ? undefined
          : { what: `the end of the record of task ${fact.id}`, dueAtMs: before.forgetAtMs }
      case 'attemptFailed':
      case 'taskDied': {
        if (fact.type === 'taskDied' && fact.reason === 'expired' && before)
          return { what: `the expiry of task ${fact.id}`, dueAtMs: before.acceptedAtMs + before.options.ttlMs }
        const expiry = this.#expiresAtMs.get(before?.lease ?? -1)
        if (fact.attempt?.how !== 'lease_expired' || !expiry) return undefined
        return { what: `the expiry of lease ${before?.lease}`, dueAtMs: expiry.atMs }
      }
      case 'sessionClosed': {
        const dueAtMs = this.#graceEndsAtMs.get(fact.session)
        return dueAtMs === undefined ? undefined : { what: 'the end of a grace window', dueAtMs }
      }
      default:
        return undefined
    }
  }

  #note({ fact, before }: Step): void {
    switch (fact.type) {
      case 'leaseGranted': {
        const leaseMs = before?.options.leaseMs ?? 0
        this.#expiresAtMs.set(fact.lease, { leaseMs, atMs: fact.atMs + leaseMs })
        break
      }
      case 'leasesRenewed':
        for (const lease of fact.leases) {
          const expiry = this.#expiresAtMs.get(lease)
          if (expiry) expiry.atMs = fact.atMs + expiry.leaseMs
        }
        break
      case 'brokerStalled':
        for (const expiry of this.#expiresAtMs.values()) expiry.atMs += fact.ms
        for (const [session, atMs] of this.#graceEndsAtMs) this.#graceEndsAtMs.set(session, atMs + fact.ms)
        break
      case 'sessionDisconnected':
        this.#graceEndsAtMs.set(fact.session, fact.graceEndsAtMs)
        break
      case 'sessionResumed':
      case 'sessionClosed':
        this.#graceEndsAtMs.delete(fact.session)
        break
      default:
        if (before?.lease !== undefined && 'id' in fact) this.#forgetEnded(before.lease, fact.type)
    }
  }

  #forgetEnded(lease: number, type: string): void {
    if (type === 'progressReported' || type === 'taskWatched' || type === 'taskUnwatched' || type === 'taskRestated')
      return
    this.#expiresAtMs.delete(lease)
  }
}
