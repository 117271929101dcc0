import type { FactOf } from '../journal/facts.ts'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import type { Step, TaskView } from './chronicle.ts'
import { boundsOf, isHonest } from './population.ts'
import type { Sources } from './sources.ts'

/** How many unbegun expiries a task has at least before an expired lease is charged as well. */
const EXPIRED_UNBEGUN_MAX = 10

/** What is known of a session since it was opened or resumed, or the broker started. */
interface Knowledge {
  /** By the broker's clock. */
  readonly sinceMs: number
  readonly begins: boolean
  /** Its leases up to this one were begun by then. */
  readonly begun: number
}

/** A report of what is begun, as the broker heard it. */
interface Word {
  readonly atMs: number
  readonly lease: number
}

/**
 * A lost lease is charged as an attempt exactly if its attempt had begun, as far as the broker has heard. This is
 * judged by what workers were heard to say. A report heard in the same millisecond as the loss counts either way.
 */
export class ChargedLosses implements Checker {
  readonly rule = 'LEASE-7'
  readonly #sources: Sources
  /** How many hand-backs and losses a task may have until an unbegun loss is charged. */
  readonly #unbegunMax: number
  /** If batches fill quickly, received input waits for an unknown time (HOST-9). */
  readonly #mayWait: boolean
  readonly #known = new Map<string, Knowledge>()
  readonly #lastLease = new Map<string, number>()
  readonly #words = new Map<string, Word[]>()

  constructor(sources: Sources) {
    this.#sources = sources
    this.#unbegunMax = Math.min(boundsOf(sources.scenario).engine.releasesMax, EXPIRED_UNBEGUN_MAX)
    this.#mayWait = sources.scenario.hosting?.stagedBytesMax !== undefined
  }

  see(observation: Observation, { brokerMs }: Surroundings, violate: Violate): void {
    const { chronicle, wire } = this.#sources
    const steps = chronicle.see(observation)
    wire.see(observation)
    if (observation.type === 'heardByBroker') this.#heard(observation, brokerMs as number)
    if (chronicle.isRetold) {
      this.#known.clear()
      this.#lastLease.clear()
    }
    for (const step of steps) {
      if (!chronicle.isRetold) this.#judge(step, violate)
      this.#note(step)
    }
    // The clock of a later life may go back to before what a loss of power has taken. So what was written last is
    // judged by what was heard.
    if (observation.type === 'recovered') this.#words.clear()
  }

  #heard({ node, connection, message }: ObservationOf<'heardByBroker'>, atMs: number): void {
    const { session } = this.#sources.wire.connectionOf({ node, connection })
    if (message.type !== 'begin' || session === undefined) return
    const words = this.#words.get(session)
    if (words) words.push({ atMs, lease: message.lease })
    else this.#words.set(session, [{ atMs, lease: message.lease }])
  }

  #note({ fact }: Step): void {
    switch (fact.type) {
      case 'leaseGranted':
        this.#lastLease.set(fact.session, fact.lease)
        break
      case 'sessionOpened':
        this.#known.set(fact.session, { sinceMs: fact.atMs, begins: fact.begins === true, begun: 0 })
        break
      case 'sessionResumed': {
        const all = this.#lastLease.get(fact.session) ?? 0
        const begins = fact.begins === true
        this.#known.set(fact.session, { sinceMs: fact.atMs, begins, begun: fact.begun ?? all })
        break
      }
      case 'sessionClosed':
        this.#known.delete(fact.session)
        this.#words.delete(fact.session)
        break
      case 'brokerStarted':
        for (const [session, { begins }] of this.#known)
          this.#known.set(session, { sinceMs: fact.atMs, begins, begun: this.#lastLease.get(session) ?? 0 })
        break
      default:
    }
  }

  #judge({ fact, before }: Step, violate: Violate): void {
    if (before?.session === undefined || before.lease === undefined || before.releases >= this.#unbegunMax) return
    const isCharged = chargeOf(fact as FactOf<'attemptFailed' | 'leaseReleased' | 'taskDied'>)
    const known = this.#known.get(before.session)
    const node = this.#sources.wire.bySession.get(before.session)?.node
    // A worker that lies about its leases may be taken at its word.
    if (isCharged === undefined || !known || node === undefined || !isHonest(this.#sources.scenario, node)) return
    this.#judgeCharge(before, isCharged, known, fact.atMs, violate)
  }

  #judgeCharge(task: TaskView, isCharged: boolean, known: Knowledge, atMs: number, violate: Violate): void {
    const { id, lease = 0, session = '' } = task
    const words = known.begins ? (this.#words.get(session) ?? []) : []
    const saidBetween = (fromMs: number, toMs: number): boolean =>
      words.some((word) => word.lease >= lease && word.atMs >= fromMs && word.atMs <= toMs)
    const isKnown = !known.begins || lease <= known.begun
    if (isCharged && !isKnown && !saidBetween(known.sinceMs, atMs))
      violate(`task ${id} was charged for lease ${lease}, which nobody had said was begun`, { ids: [id] })
    const wasSaid = !this.#mayWait && saidBetween(known.sinceMs + 1, atMs - 1)
    if (!isCharged && (isKnown || wasSaid))
      violate(`task ${id} was not charged for lease ${lease}, which had been begun`, { ids: [id] })
  }
}

/** Whether the loss of a lease was charged; undefined if none was lost. */
function chargeOf(fact: FactOf<'attemptFailed' | 'leaseReleased' | 'taskDied'>): boolean | undefined {
  if (fact.type === 'leaseReleased') return fact.lost === undefined ? undefined : false
  if (fact.type !== 'attemptFailed' && fact.type !== 'taskDied') return undefined
  return fact.attempt === undefined || fact.attempt.how === 'failed' ? undefined : true
}
