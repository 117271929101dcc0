import { type EngineConfig, type State, unfinished } from '@sluice/engine'
import { type BrokerMessage, type ErrorCode, retryOf, type Submit, type WireError } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { DrainPace } from './drain-pace.ts'
import { boundsOf, isTab } from './population.ts'
import type { Sources } from './sources.ts'

/** The delay that a submitter is given if the rate of the queue is unknown, within its bounds. */
const UNKNOWN_MS = 1000
/** A mean is taken over at least this much time. */
const WINDOW_MS = 1000

/** A submission that the broker has heard, and how full its queue can be at most when it is decided. */
interface Waiting {
  readonly queue: string
  /** When a task of the queue was last seen to end, by the broker's clock. */
  readonly lastEndMs: number | undefined
  readonly ownTasks: number
  readonly ownBytes: number
  tasks: number
  bytes: number
}

/**
 * Every refusal that may be retried states a delay within its bounds. `busy` is said of a queue only if the queue can
 * have been full.
 */
export class Busy implements Checker {
  readonly rule = 'QUEUE-2'
  readonly #sources: Sources
  readonly #engine: EngineConfig
  readonly #drainRetryAfterMs: number
  /** Submissions that the broker has heard and not answered, by connection and ref. */
  readonly #waiting = new Map<string, Waiting>()
  /** The submissions as they were sent, by connection and ref. */
  readonly #sent = new Map<string, readonly string[]>()
  /** Until when a refused task must wait, by the node that was told and by id. */
  readonly #until = new Map<string, number>()

  readonly #pace = new DrainPace()
  /** A restart that reads a partly discarded journal knows less of how fast its queues drained. */
  #isCompacted = false

  /** If batches fill quickly, submissions wait for an unknown time (HOST-9). */
  readonly #mayWait: boolean

  constructor(sources: Sources) {
    this.#mayWait = sources.scenario.hosting?.stagedBytesMax !== undefined
    this.#sources = sources
    const { engine, host } = boundsOf(sources.scenario)
    this.#engine = engine
    this.#drainRetryAfterMs = host.drainRetryAfterMs
  }

  see(observation: Observation, { state, brokerMs }: Surroundings, violate: Violate): void {
    const { chronicle, wire } = this.#sources
    this.#pace.see(chronicle.see(observation), chronicle.isRetold)
    wire.see(observation)
    switch (observation.type) {
      case 'heardByBroker':
        if (observation.message.type === 'submit') this.#heard(observation.connection, observation.message, state)
        break
      case 'sentByBroker':
        for (const error of errorsOf(observation.message)) this.#judge(observation.node, error, violate)
        if ('ref' in observation.message) this.#answered(observation, brokerMs ?? 0, violate)
        break
      case 'heardByNode':
        if (observation.message.type === 'submitted') this.#told(observation)
        break
      case 'sentToBroker':
        if (observation.message.type === 'submit') this.#again(observation, observation.message, violate)
        break
      case 'submitting':
        // A new submission need not know what was said before.
        this.#until.delete(`${observation.node} ${observation.id}`)
        break
      case 'refused':
        if (observation.error.code !== 'closed') this.#judge(observation.node, observation.error as WireError, violate)
        break
      case 'recovered':
        this.#isCompacted ||= observation.firstBatch > 1
        break
      case 'nodeStopped':
        if (observation.node === 'broker') this.#waiting.clear()
        for (const key of this.#until.keys()) if (key.startsWith(`${observation.node} `)) this.#until.delete(key)
        break
      default:
    }
  }

  #judge(node: string, { code, retryAfterMs }: WireError, violate: Violate): void {
    if (retryOf(code as ErrorCode) !== 'after') return
    const about = { nodes: [node] }
    if (retryAfterMs === undefined || !Number.isInteger(retryAfterMs) || retryAfterMs < 0) {
      violate(`${node} was told ${code} without a time after which to try again`, about, 'ERROR-1')
      return
    }
    const { retryAfterMsMin, retryAfterMsMax } = this.#engine
    if (code === 'busy' && (retryAfterMs < retryAfterMsMin || retryAfterMs > retryAfterMsMax))
      violate(
        `${node} was told to try again after ${retryAfterMs} ms, outside of ${retryAfterMsMin} to ${retryAfterMsMax}`,
        about,
      )
    if (code === 'draining' && retryAfterMs > this.#drainRetryAfterMs)
      violate(
        `${node} was told to come back after ${retryAfterMs} ms, past ${this.#drainRetryAfterMs}`,
        about,
        'HOST-21',
      )
  }

  #told(observation: ObservationOf<'heardByNode'>): void {
    const { atMs, node, connection, message } = observation
    if (message.type !== 'submitted' || message.refused.length === 0) return
    // An item that comes from memory, or whose tab leads again, is submitted anew.
    if (isTab(node)) return
    const ids = this.#sent.get(`${connection} ${message.ref}`)
    for (const { index, error } of message.refused) {
      const id = ids?.[index]
      if (id !== undefined && error.code === 'busy' && error.retryAfterMs !== undefined)
        this.#until.set(`${node} ${id}`, atMs + error.retryAfterMs)
    }
  }

  #again({ atMs, node, connection }: ObservationOf<'sentToBroker'>, { ref, ids }: Submit, violate: Violate): void {
    this.#sent.set(`${connection} ${ref}`, ids)
    for (const id of ids) {
      const untilMs = this.#until.get(`${node} ${id}`)
      if (untilMs === undefined) continue
      this.#until.delete(`${node} ${id}`)
      if (atMs < untilMs)
        violate(
          `${node} submitted task ${id} again ${untilMs - atMs} ms before it was to`,
          {
            ids: [id],
            nodes: [node],
          },
          'CLIENT-10',
        )
    }
  }

  #heard(connection: number, { ref, queue, ids, bodies }: Submit, state: State | undefined): void {
    const bytes = bodies.lengths.reduce((sum, length) => sum + length, 0)
    const held = state?.queues.get(queue)
    const own: Waiting = {
      queue,
      lastEndMs: this.#pace.boundsOf(queue).lastEndMs,
      ownTasks: ids.length,
      ownBytes: bytes,
      tasks: (held ? unfinished(held) : 0) + ids.length,
      bytes: (held?.bytes ?? 0) + bytes,
    }
    // An observer cannot know which of the waiting submissions is decided first.
    for (const other of this.#waiting.values()) {
      if (other.queue !== queue) continue
      other.tasks += own.ownTasks
      other.bytes += own.ownBytes
      own.tasks += other.ownTasks
      own.bytes += other.ownBytes
    }
    this.#waiting.set(`${connection} ${ref}`, own)
  }

  #answered(observation: ObservationOf<'sentByBroker'>, brokerMs: number, violate: Violate): void {
    const { connection, node, message } = observation
    if (message.type !== 'submitted' && message.type !== 'error') return
    const key = `${connection} ${message.ref}`
    const waiting = this.#waiting.get(key)
    this.#waiting.delete(key)
    if (!waiting || message.type !== 'submitted') return
    const { queueTasksMax, queueBytesMax } = this.#engine
    for (const { index, error } of message.refused) {
      if (error.code !== 'busy' || !error.message.startsWith('queue ')) continue
      const { limit } = error
      if (!this.#mayWait) {
        const isPassed =
          (limit === queueTasksMax && waiting.tasks > queueTasksMax) ||
          (limit === queueBytesMax && waiting.bytes > queueBytesMax)
        if (!isPassed)
          violate(
            `${node} was told that queue ${waiting.queue} is at its bound of ${limit}`,
            { nodes: [node] },
            'QUEUE-1',
          )
        this.#judgeWait(node, waiting, waiting.ownTasks - index, error.retryAfterMs, brokerMs, violate)
      }
      if (waiting.tasks > queueTasksMax || waiting.bytes > queueBytesMax || this.#mayWait) continue
      violate(
        `${node} was told that queue ${waiting.queue} is full, which held ${waiting.tasks} tasks at most`,
        {
          nodes: [node],
        },
        'QUEUE-1',
      )
    }
  }

  /**
   * The time that the queue needs to make room. It assumes neither a faster rate than was ever seen nor a stopped
   * queue.
   */
  #judgeWait(
    node: string,
    { queue, lastEndMs }: Waiting,
    count: number,
    saidMs: number | undefined,
    brokerMs: number,
    violate: Violate,
  ): void {
    const { retryAfterMsMin, retryAfterMsMax, queueTasksMax } = this.#engine
    const tasks = Math.min(count, queueTasksMax)
    const clamped = (ms: number): number => Math.ceil(Math.min(Math.max(ms, retryAfterMsMin), retryAfterMsMax))
    // A delay outside its bounds has been reported already.
    if (saidMs === undefined || saidMs !== clamped(saidMs) || this.#isCompacted || saidMs === clamped(UNKNOWN_MS))
      return
    const { perSecondMax } = this.#pace.boundsOf(queue)
    const least = clamped(perSecondMax === 0 ? UNKNOWN_MS : (tasks / perSecondMax) * 1000)
    const most =
      perSecondMax === 0
        ? clamped(UNKNOWN_MS)
        : lastEndMs === undefined
          ? retryAfterMsMax
          : clamped(Math.max(UNKNOWN_MS, tasks * (brokerMs - lastEndMs + WINDOW_MS)))
    if (saidMs < least || saidMs > most)
      violate(
        `${node} was told to wait ${saidMs} ms for ${tasks} tasks' room in ${queue}, outside of ${least} to ${most}`,
        {
          nodes: [node],
        },
      )
  }
}

function errorsOf(message: BrokerMessage): readonly WireError[] {
  switch (message.type) {
    case 'submitted':
    case 'settled':
    case 'cancelled':
      return message.refused.map(({ error }) => error)
    case 'error':
      return [message]
    default:
      return []
  }
}
