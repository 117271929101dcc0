import { type EngineConfig, type State, unfinished } from '@sluice/engine'
import { type BrokerMessage, type ErrorCode, retryOf, type Submit, type WireError } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings } from '../observation.ts'
import { boundsOf } from './population.ts'
import type { Sources, Violate } from './sources.ts'

/** A submission that the broker has heard, and how full its queue can be at most when it is decided. */
interface Waiting {
  readonly queue: string
  readonly ownTasks: number
  readonly ownBytes: number
  tasks: number
  bytes: number
}

/**
 * Every refusal that may be tried again says after how long, within the bounds set for that, and `busy` is said of a queue
 * only where it can have been full.
 */
export class Busy implements Checker {
  readonly rule = 'PROMISE-12'
  readonly #sources: Sources
  readonly #engine: EngineConfig
  readonly #drainRetryAfterMs: number
  /** Submissions that the broker has heard and not answered, by connection and ref. */
  readonly #waiting = new Map<string, Waiting>()
  /** As they were sent, by connection and ref. */
  readonly #sent = new Map<string, readonly string[]>()
  /** Until when a refused task is to wait, by who was told so and id. */
  readonly #until = new Map<string, number>()

  /** A batch that fills soon keeps submissions waiting for an unknown while (HOST-9). */
  readonly #mayWait: boolean

  constructor(sources: Sources) {
    this.#mayWait = sources.scenario.hosting?.stagedBytesMax !== undefined
    this.#sources = sources
    const { engine, host } = boundsOf(sources.scenario)
    this.#engine = engine
    this.#drainRetryAfterMs = host.drainRetryAfterMs
  }

  see(observation: Observation, { state }: Surroundings, violate: Violate): void {
    this.#sources.wire.see(observation)
    switch (observation.type) {
      case 'heardByBroker':
        if (observation.message.type === 'submit') this.#heard(observation.connection, observation.message, state)
        break
      case 'sentByBroker':
        for (const error of errorsOf(observation.message)) this.#judge(observation.node, error, violate)
        if ('ref' in observation.message) this.#answered(observation, violate)
        break
      case 'heardByNode':
        if (observation.message.type === 'submitted') this.#told(observation)
        break
      case 'sentToBroker':
        if (observation.message.type === 'submit') this.#again(observation, observation.message, violate)
        break
      case 'submitting':
        // Whoever submits it anew need not know what was said before.
        this.#until.delete(`${observation.node} ${observation.id}`)
        break
      case 'refused':
        if (observation.error.code !== 'closed') this.#judge(observation.node, observation.error as WireError, violate)
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
      violate(`${node} was told ${code} without a time after which to try again`, about)
      return
    }
    const { retryAfterMsMin, retryAfterMsMax } = this.#engine
    if (code === 'busy' && (retryAfterMs < retryAfterMsMin || retryAfterMs > retryAfterMsMax))
      violate(
        `${node} was told to try again after ${retryAfterMs} ms, outside of ${retryAfterMsMin} to ${retryAfterMsMax}`,
        about,
      )
    if (code === 'draining' && retryAfterMs > this.#drainRetryAfterMs)
      violate(`${node} was told to come back after ${retryAfterMs} ms, past ${this.#drainRetryAfterMs}`, about)
  }

  #told(observation: ObservationOf<'heardByNode'>): void {
    const { atMs, node, connection, message } = observation
    if (message.type !== 'submitted' || message.refused.length === 0) return
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
        violate(`${node} submitted task ${id} again ${untilMs - atMs} ms before it was to`, {
          ids: [id],
          nodes: [node],
        })
    }
  }

  #heard(connection: number, { ref, queue, ids, bodies }: Submit, state: State | undefined): void {
    const bytes = bodies.lengths.reduce((sum, length) => sum + length, 0)
    const held = state?.queues.get(queue)
    const own: Waiting = {
      queue,
      ownTasks: ids.length,
      ownBytes: bytes,
      tasks: (held ? unfinished(held) : 0) + ids.length,
      bytes: (held?.bytes ?? 0) + bytes,
    }
    // Which of those that wait is decided first is not known from outside.
    for (const other of this.#waiting.values()) {
      if (other.queue !== queue) continue
      other.tasks += own.ownTasks
      other.bytes += own.ownBytes
      own.tasks += other.ownTasks
      own.bytes += other.ownBytes
    }
    this.#waiting.set(`${connection} ${ref}`, own)
  }

  #answered(observation: ObservationOf<'sentByBroker'>, violate: Violate): void {
    const { connection, node, message } = observation
    if (message.type !== 'submitted' && message.type !== 'error') return
    const key = `${connection} ${message.ref}`
    const waiting = this.#waiting.get(key)
    this.#waiting.delete(key)
    if (!waiting || message.type !== 'submitted') return
    const { queueTasksMax, queueBytesMax } = this.#engine
    for (const { error } of message.refused) {
      if (error.code !== 'busy' || !error.message.startsWith('queue ')) continue
      if (waiting.tasks > queueTasksMax || waiting.bytes > queueBytesMax || this.#mayWait) continue
      violate(`${node} was told that queue ${waiting.queue} is full, which held ${waiting.tasks} tasks at most`, {
        nodes: [node],
      })
    }
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
