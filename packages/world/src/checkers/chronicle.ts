import type { AttemptRecord, Event, TaskOptions } from '@sluice/engine'
import type { DeadReason, TaskStateName } from '@sluice/protocol'
import { type Fact, FactReader, type FactType } from '../journal/facts.ts'
import type { Observation } from '../observation.ts'

/** A task as the facts describe it. Each change makes a new object. */
export interface TaskView {
  readonly id: string
  readonly queue: string
  readonly options: TaskOptions
  readonly seq: number
  readonly bytes: number
  readonly acceptedAtMs: number
  readonly state: TaskStateName
  /** The task was delivered before, or redriven. */
  readonly isStarted: boolean
  readonly attempts: number
  readonly releases: number
  /** All attempts, however many, except those that had no room. */
  readonly history: readonly AttemptRecord[]
  /** Set while the task is leased. */
  readonly lease: number | undefined
  readonly session: string | undefined
  /** Set while the task is delayed. */
  readonly readyAtMs: number | undefined
  /** Set if the task has an outcome. */
  readonly reason: DeadReason | undefined
  readonly forgetAtMs: number | undefined
  readonly resultBytes: number | undefined
}

export interface LeaseView {
  readonly lease: number
  readonly id: string
  readonly session: string
  readonly attempt: number
  /** The fact that ended the task; undefined while it is held. */
  end: FactType | undefined
  how: AttemptRecord['how'] | undefined
}

/** An outcome as it was recorded. */
export interface RecordedOutcome {
  readonly status: 'succeeded' | 'dead' | 'cancelled'
  readonly reason: DeadReason | undefined
  /** The lease that was live when it was recorded. */
  readonly lease: number | undefined
  readonly session: string | undefined
  readonly bytes: number
}

export interface Step {
  readonly fact: Fact
  /** The task before and after the fact. */
  readonly before: TaskView | undefined
  readonly after: TaskView | undefined
}

interface Batch {
  readonly batch: number
  readonly events: readonly Event[]
}

const NONE: readonly Step[] = Object.freeze([])
const NO_OUTCOMES: readonly RecordedOutcome[] = Object.freeze([])

/**
 * The durable history of the queue, built only from what the journal was given. It is a second, slower reading of the
 * events, independent of the engine's. Facts count from the moment at which they may be told.
 */
export class Chronicle {
  readonly tasks = new Map<string, TaskView>()
  readonly leases = new Map<number, LeaseView>()
  /** What became durable with the last observation. */
  steps: readonly Step[] = NONE
  /** `steps` contain the whole history again, because a loss of power removed a part that had counted as durable. */
  isRetold = false
  /** Tasks of which something was lost that had counted as durable. */
  readonly damaged = new Set<string>()
  #outcomes = new Map<string, RecordedOutcome[]>()
  readonly #accepted = new Set<string>()
  #seen: Observation | undefined
  #reader = new FactReader()
  #durable: Batch[] = []
  #pending: Batch[] = []

  /** The same observation may be shown again. It counts once. */
  see(observation: Observation): readonly Step[] {
    if (this.#seen === observation) return this.steps
    this.#seen = observation
    this.steps = NONE
    this.isRetold = false
    switch (observation.type) {
      case 'appending':
        this.#pending.push({ batch: observation.batch, events: observation.events })
        break
      case 'appended':
        this.#settle(observation.batch)
        break
      case 'lost':
        this.#lose(observation.fromBatch)
        break
      case 'recovered':
        this.#settle(observation.lastBatch)
        break
      default:
    }
    return this.steps
  }

  /** Whether a durable batch has ever accepted this id. */
  wasAccepted(id: string): boolean {
    return this.#accepted.has(id)
  }

  /** Every outcome that was ever recorded for this id, in order. */
  outcomesOf(id: string): readonly RecordedOutcome[] {
    return this.#outcomes.get(id) ?? NO_OUTCOMES
  }

  /** Forgets notes by session and lease of leases that are gone with the disk, because their numbers may come again. */
  forgetLost(byLease: Map<string, unknown> | Set<string>): void {
    if (!this.isRetold) return
    for (const key of byLease.keys())
      if (!this.leases.has(Number(key.slice(key.lastIndexOf(' ') + 1)))) byLease.delete(key)
  }

  get isWriting(): boolean {
    return this.#pending.length > 0
  }

  #settle(last: number): void {
    const steps: Step[] = []
    for (const batch of this.#pending) {
      if (batch.batch > last) continue
      this.#durable.push(batch)
      this.#tell(batch.events, steps)
    }
    this.#pending = this.#pending.filter(({ batch }) => batch > last)
    this.steps = steps
  }

  #lose(from: number): void {
    this.#pending = this.#pending.filter(({ batch }) => batch < from)
    const lost = this.#durable.filter(({ batch }) => batch >= from)
    if (lost.length === 0) return
    for (const { events } of lost)
      for (const fact of this.#reader.read(events)) if ('id' in fact) this.damaged.add(fact.id)
    this.#durable = this.#durable.filter(({ batch }) => batch < from)
    this.tasks.clear()
    this.leases.clear()
    this.#outcomes = new Map()
    this.#accepted.clear()
    const steps: Step[] = []
    this.#reader = new FactReader()
    for (const { events } of this.#durable) this.#tell(events, steps)
    this.steps = steps
    this.isRetold = true
  }

  #tell(events: readonly Event[], steps: Step[]): void {
    for (const fact of this.#reader.read(events)) {
      if (!('id' in fact)) {
        steps.push({ fact, before: undefined, after: undefined })
        continue
      }
      const before = this.tasks.get(fact.id)
      const after = changed(before, fact)
      if (after === undefined) this.tasks.delete(fact.id)
      else if (after !== before) this.tasks.set(fact.id, after)
      this.#note(fact, before, after)
      steps.push({ fact, before, after })
    }
  }

  #note(fact: Fact & { id: string }, before: TaskView | undefined, after: TaskView | undefined): void {
    if (fact.type === 'taskAccepted') this.#accepted.add(fact.id)
    if (fact.type === 'leaseGranted') {
      const { lease, id, session } = fact
      this.leases.set(lease, { lease, id, session, attempt: after?.attempts ?? 0, end: undefined, how: undefined })
    }
    if (before?.lease !== undefined && after?.lease !== before.lease) {
      const ended = this.leases.get(before.lease)
      if (ended) {
        ended.end = fact.type
        ended.how = 'attempt' in fact && typeof fact.attempt === 'object' ? fact.attempt.how : undefined
      }
    }
    if (fact.type === 'taskSucceeded' || fact.type === 'taskDied' || fact.type === 'taskCancelled') {
      const told = this.#outcomes.get(fact.id) ?? []
      told.push({
        status: STATUS[fact.type],
        reason: fact.type === 'taskDied' ? fact.reason : undefined,
        lease: before?.lease,
        session: before?.session,
        bytes: fact.type === 'taskSucceeded' ? fact.bytes : 0,
      })
      this.#outcomes.set(fact.id, told)
    }
  }
}

const STATUS = { taskSucceeded: 'succeeded', taskDied: 'dead', taskCancelled: 'cancelled' } as const
const UNLEASED = { lease: undefined, session: undefined }

export function isOutcome(state: TaskStateName): boolean {
  return state === 'succeeded' || state === 'dead' || state === 'cancelled'
}

export function attemptsAllowed({ options }: TaskView): number {
  return options.retry.kind === 'none' ? 1 : options.retry.attemptsMax
}

function waiting(readyAtMs: number, atMs: number): Pick<TaskView, 'state' | 'readyAtMs'> {
  return readyAtMs > atMs ? { state: 'delayed', readyAtMs } : { state: 'ready', readyAtMs: undefined }
}

function changed(task: TaskView | undefined, fact: Fact & { id: string }): TaskView | undefined {
  if (fact.type === 'taskAccepted') {
    const { id, queue, options, seq, bytes, atMs } = fact
    return {
      id,
      queue,
      options,
      seq,
      bytes,
      acceptedAtMs: atMs,
      state: options.delayMs > 0 ? 'delayed' : 'ready',
      isStarted: false,
      attempts: 0,
      releases: 0,
      history: [],
      ...UNLEASED,
      readyAtMs: options.delayMs > 0 ? atMs + options.delayMs : undefined,
      reason: undefined,
      forgetAtMs: undefined,
      resultBytes: undefined,
    }
  }
  if (!task) return undefined
  switch (fact.type) {
    case 'taskReadied':
      return { ...task, state: 'ready', readyAtMs: undefined }
    case 'leaseGranted':
      return {
        ...task,
        state: 'leased',
        isStarted: true,
        attempts: task.attempts + 1,
        lease: fact.lease,
        session: fact.session,
      }
    case 'attemptFailed':
      return {
        ...task,
        ...UNLEASED,
        ...waiting(fact.retryAtMs, fact.atMs),
        history: withAttempt(task, fact.attempt),
      }
    case 'leaseReleased':
      return {
        ...task,
        ...UNLEASED,
        ...waiting(fact.retryAtMs, fact.atMs),
        attempts: task.attempts - 1,
        releases: task.releases + 1,
      }
    case 'taskSucceeded':
      return {
        ...task,
        ...UNLEASED,
        state: 'succeeded',
        forgetAtMs: fact.atMs + task.options.resultTtlMs,
        resultBytes: fact.bytes,
      }
    case 'taskDied':
      return {
        ...task,
        ...UNLEASED,
        state: 'dead',
        reason: fact.reason,
        forgetAtMs: fact.forgetAtMs,
        history: fact.attempt ? withAttempt(task, fact.attempt) : task.history,
      }
    case 'taskCancelled':
      return { ...task, ...UNLEASED, state: 'cancelled', forgetAtMs: fact.forgetAtMs }
    case 'taskRedriven':
      return {
        ...task,
        state: 'ready',
        isStarted: true,
        attempts: 0,
        releases: 0,
        reason: undefined,
        forgetAtMs: undefined,
      }
    case 'taskForgotten':
      return undefined
    default:
      return task
  }
}

/** Where there is no room for more, the newest attempt alone is on record. */
function withAttempt({ history }: TaskView, attempt: AttemptRecord): readonly AttemptRecord[] {
  return attempt.cut === 'history' ? [attempt] : [...history, attempt]
}
