import { bodyOf, resultOf, type Submission, type Task } from '@sluice/engine'
import {
  Bodies,
  type BrokerMessage,
  type Deliver,
  type EndedTask,
  type TaskFailure,
  type TaskName,
  type TaskStatus,
} from '@sluice/protocol'
import { offsetOf } from '../journal/journal.ts'
import { type BodyRun, bodyRun } from './body-store.ts'

/** The bodies of one message. They are filled in when its batch is durable. */
class BodyColumn {
  readonly message: Extract<BrokerMessage, { bodies: Bodies }>
  readonly #runs: BodyRun[]
  readonly #lengths: number[] = []
  #ownRuns: BodyRun[] = []
  #last: BodyRun | undefined

  constructor(message: Extract<BrokerMessage, { bodies: Bodies }>, runs: BodyRun[]) {
    this.message = message
    this.#runs = runs
  }

  push(ref: number, length: number): void {
    this.#lengths.push(length)
    if (length === 0) return
    const last = this.#last
    // The first body of a batch never continues another one, though its ref may follow the last ref of a full batch.
    if (last !== undefined && last.ref + last.length === ref && offsetOf(ref) > 0) {
      last.length += length
      return
    }
    const run = bodyRun(ref, length)
    this.#last = run
    this.#ownRuns.push(run)
    this.#runs.push(run)
  }

  /** Call this when the runs are filled. */
  close(): void {
    this.message.bodies = Bodies.ofPieces(
      this.#ownRuns.map(({ bytes }) => bytes),
      this.#lengths,
    )
  }
}

/**
 * The approximate size of a task in a message besides a body or an error: its place or its id, and its outcome if it
 * has no result.
 */
const INDEX_BYTES = 8
const ID_BYTES = 44
const END_BYTES = 64

const NO_BODIES = Bodies.ofPieces([], [])

/**
 * The messages that one connection is sent when the open batch is durable. Deliveries share a message, and so do
 * outcomes of one kind.
 */
export class Outgoing {
  readonly messages: BrokerMessage[] = []
  /** Where the bodies of the messages are. */
  readonly runs: BodyRun[] = []
  /** Tasks whose submission is answered here. Their credit comes back when this is sent. */
  answered = 0
  /** The approximate bytes of deliveries, outcomes and progress. */
  bytes = 0
  readonly #columns: BodyColumn[] = []
  #delivered: { column: BodyColumn; message: Deliver; like: Task } | undefined
  /** When the leases of each deliver message were granted. */
  readonly #grants: { message: Deliver; grantedAtMs: number }[] = []
  readonly #bySubmission = new Map<Submission, { column: BodyColumn; indexes: number[] }>()
  #lastSubmission: Submission | undefined
  #lastOfSubmission: { column: BodyColumn; indexes: number[] } | undefined

  /** Delivers a task whose lease is granted now. `start`: what the worker must observe before it begins the task. */
  deliver(task: Task, lease: number, start: 'announced' | 'alone' | undefined, nowMs: number): void {
    let last = this.#delivered
    if (
      last === undefined ||
      last.message.start !== start ||
      !isAlike(last.like, task) ||
      this.messages.at(-1) !== last.message ||
      this.#grants.at(-1)?.grantedAtMs !== nowMs
    ) {
      const { options } = task
      const { contentType } = task.acceptance
      const message: Deliver = {
        type: 'deliver',
        queue: task.queue.name,
        leaseMs: options.leaseMs,
        ids: [],
        leases: [],
        bodies: NO_BODIES,
      }
      if (options.timeLimitMs > 0) message.timeLimitMs = options.timeLimitMs
      if (contentType !== undefined) message.contentType = contentType
      if (start !== undefined) message.start = start
      last = { column: this.#column(message), message, like: task }
      this.#delivered = last
      this.#grants.push({ message, grantedAtMs: nowMs })
    }
    const { message, column } = last
    if (task.attempts !== 1) message.attempts ??= message.ids.map(() => 1)
    message.attempts?.push(task.attempts)
    message.ids.push(task.id)
    message.leases.push(lease)
    column.push(bodyOf(task), task.bytes)
    this.bytes += task.bytes
  }

  /**
   * Takes back the deliveries in here, which have not been sent. Revocations stay. Call it only for what holds nothing
   * else.
   * @returns their leases
   */
  withdraw(): number[] {
    const { leases } = this
    const kept = this.messages.filter(({ type }) => type !== 'deliver')
    this.messages.splice(0, this.messages.length, ...kept)
    this.runs.length = 0
    this.#columns.length = 0
    this.#grants.length = 0
    this.#delivered = undefined
    this.bytes = 0
    return leases
  }

  /** The leases of the deliveries in here. */
  get leases(): number[] {
    return this.#grants.flatMap(({ message }) => message.leases)
  }

  /** The leases whose deliveries are sent at `nowMs`, later after the grant than this share of their length. */
  lateLeases(nowMs: number, share: number): number[] {
    const late: number[] = []
    for (const { message, grantedAtMs } of this.#grants)
      if (nowMs - grantedAtMs > message.leaseMs * share) late.push(...message.leases)
    return late
  }

  /** Tells the outcome of a finished task, by its place in a submission or by its id. */
  outcome(task: Task, submission: Submission | undefined): void {
    const { phase } = task
    if (phase.state !== 'succeeded') {
      this.#ended(submission, { ...nameOf(task, submission), ...endOf(task) })
      return
    }
    const { resultBytes } = task
    const result = resultOf(task)
    this.bytes += resultBytes + nameBytes(submission)
    if (submission === undefined) this.#succeededById(task, phase.contentType).push(result, resultBytes)
    else {
      const { column, indexes } = this.#succeededOf(submission, phase.contentType)
      indexes.push(indexIn(submission, task))
      column.push(result, resultBytes)
    }
  }

  /** Tells that the record of a finished task was removed before its outcome could be told. */
  forgotten(task: { id: string; seq: number }, submission: Submission | undefined): void {
    this.#ended(submission, { ...nameOf(task, submission), status: 'forgotten', attempts: 0 })
  }

  revoke(lease: number, reason: 'cancelled' | 'expired'): void {
    const last = this.messages.at(-1)
    if (last?.type === 'revoke' && last.reason === reason) last.leases.push(lease)
    else this.messages.push({ type: 'revoke', leases: [lease], reason })
  }

  progress(task: Task, submission: Submission | undefined, progress: unknown): void {
    const told = { ...nameOf(task, submission), progress }
    this.bytes += nameBytes(submission) + (typeof progress === 'number' ? 0 : 2 * JSON.stringify(progress).length)
    const last = this.messages.at(-1)
    if (last?.type === 'progress') last.tasks.push(told)
    else this.messages.push({ type: 'progress', tasks: [told] })
  }

  /**
   * Answers a query. A stack can be as large as a body, and a query may name many tasks. Stacks that would make the
   * answer larger than `bytesMax` are left out.
   */
  status(ref: number, tasks: readonly TaskStatus[], bytesMax: number): void {
    const told = tasks.map((task) => {
      const { error } = task
      if (error === undefined) return task
      this.bytes += errorBytes(error)
      if (error.stack === undefined || this.bytes <= bytesMax) return task
      const { stack, ...brief } = error
      this.bytes -= 2 * stack.length
      return { ...task, error: brief }
    })
    this.messages.push({ type: 'status', ref, tasks: told })
  }

  /** The messages with their bodies. Call this when the runs are filled. */
  complete(): readonly BrokerMessage[] {
    for (const column of this.#columns) column.close()
    return this.messages
  }

  #column(message: BodyColumn['message']): BodyColumn {
    const column = new BodyColumn(message, this.runs)
    this.#columns.push(column)
    this.messages.push(message)
    return column
  }

  /**
   * Outcomes of one submission share a message anywhere in the frame, because workers may finish tasks of several
   * submissions in turn.
   */
  #succeededOf(submission: Submission, contentType: string | undefined): { column: BodyColumn; indexes: number[] } {
    let known = submission === this.#lastSubmission ? this.#lastOfSubmission : this.#bySubmission.get(submission)
    if (known === undefined || known.column.message.contentType !== contentType) {
      const indexes: number[] = []
      const message = { type: 'succeeded' as const, ref: submission.ref, indexes, bodies: NO_BODIES }
      known = { column: this.#column(contentType === undefined ? message : { ...message, contentType }), indexes }
      this.#bySubmission.set(submission, known)
    }
    this.#lastSubmission = submission
    this.#lastOfSubmission = known
    return known
  }

  #succeededById(task: Task, contentType: string | undefined): BodyColumn {
    const last = this.#columns.at(-1)
    const message = this.messages.at(-1)
    if (
      last !== undefined &&
      message?.type === 'succeeded' &&
      'ids' in message &&
      message.contentType === contentType
    ) {
      message.ids.push(task.id)
      return last
    }
    const fresh = { type: 'succeeded' as const, ids: [task.id], bodies: NO_BODIES }
    return this.#column(contentType === undefined ? fresh : { ...fresh, contentType })
  }

  #ended(submission: Submission | undefined, task: EndedTask): void {
    this.bytes += nameBytes(submission) + END_BYTES + (task.error ? errorBytes(task.error) : 0)
    const last = this.messages.at(-1)
    if (last?.type === 'ended') last.tasks.push(task)
    else this.messages.push({ type: 'ended', tasks: [task] })
  }
}

function isAlike(a: Task, b: Task): boolean {
  return a.queue === b.queue && a.options === b.options && a.acceptance.contentType === b.acceptance.contentType
}

function nameBytes(submission: Submission | undefined): number {
  return submission === undefined ? ID_BYTES : INDEX_BYTES
}

/** Most scripts take at most two bytes per UTF-16 unit. */
function errorBytes({ message, stack }: TaskFailure): number {
  return 2 * (message.length + (stack?.length ?? 0))
}

function indexIn(submission: Submission, { seq }: { seq: number }): number {
  return submission.index + seq - submission.seq
}

function nameOf(task: { id: string; seq: number }, submission: Submission | undefined): TaskName {
  return submission === undefined ? { id: task.id } : { ref: submission.ref, index: indexIn(submission, task) }
}

function endOf({ attempts, phase }: Task): Omit<EndedTask, keyof TaskName> {
  if (phase.state === 'cancelled') return { status: 'cancelled', attempts }
  if (phase.state !== 'dead') throw new Error(`invariant broken: the outcome of a task that is ${phase.state} is told`)
  const { reason, error } = phase
  return error === undefined ? { status: 'dead', attempts, reason } : { status: 'dead', attempts, reason, error }
}
