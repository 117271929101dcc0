import { type BrokerMessage, CLOSE_CODES, ERRORS, type WireError } from '@sluice/protocol'
import { submittedItems } from '../message-items.ts'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { boundsOf, isHonest } from './population.ts'
import type { Sources } from './sources.ts'

/** Where an error may occur. Errors of a connection are told before it is closed. */
const IN_VERDICTS: Readonly<Record<string, ReadonlySet<string>>> = {
  submitted: new Set(['busy', 'id_conflict', 'too_large']),
  settled: new Set(['lease_lost']),
  cancelled: new Set(['unknown_task', 'task_finished']),
}
/** No program in this world causes these. */
const NEVER = new Set([
  'bad_frame',
  'bad_message',
  'hello_expected',
  'unsupported_version',
  'unauthorized',
  'not_permitted',
])
/** The code that WebSocket itself gives if there was none. */
const WITHOUT_CODE = 1005
/**
 * The codes with which the broker closes a connection after an error about it. `busy` is about the connection only
 * before a welcome.
 */
const CLOSED_WITH: Readonly<Record<string, number>> = {
  bad_frame: 4000,
  hello_expected: 4000,
  unauthorized: 4001,
  unsupported_version: 4002,
  hello_timeout: 4003,
  busy: 4008,
  internal: 4009,
  too_large: 1009,
}
/** Codes that only a broker sends. */
const BROKERS = new Set([1009, 4000, 4001, 4002, 4003, 4004, 4005, 4006, 4008, 4009])

/** Every error and close code is in the protocol's tables and is used for what its row says. */
export class Errors implements Checker {
  readonly rule = 'ERROR-1'
  readonly #sources: Sources
  readonly #bodyBytesMax: number
  readonly #contents = new Map<string, string>()
  readonly #conflicting = new Set<string>()
  #hasDiskFailed = false
  readonly #welcomed = new Set<number>()
  /** The last error on a connection. */
  readonly #lastErrors = new Map<number, string>()

  constructor(sources: Sources) {
    this.#sources = sources
    const { engine, host } = boundsOf(sources.scenario)
    this.#bodyBytesMax = Math.min(engine.queueBytesMax, host.limits.bodyBytesMax)
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    this.#sources.chronicle.see(observation)
    this.#sources.wire.see(observation)
    switch (observation.type) {
      case 'faultStarted':
        if (observation.fault.type === 'failingDisk' || observation.fault.type === 'fullDisk')
          this.#hasDiskFailed = true
        break
      case 'heardByBroker': {
        const { message } = observation
        if (message.type !== 'submit') break
        const options = JSON.stringify([message.queue, message.options ?? null])
        for (const { id, bytes } of submittedItems(message)) {
          const content = `${options} ${message.contentType ?? ''} ${bytes}`
          if ((this.#contents.get(id) ?? content) !== content) this.#conflicting.add(id)
          this.#contents.set(id, content)
        }
        break
      }
      case 'sentByBroker':
        this.#note(observation)
        this.#sent(observation, observation.message, violate)
        break
      case 'unreadable':
        if (observation.by === 'node' && !this.#isHonest(observation.node)) break
        violate(
          `${observation.by} sent ${observation.node} what is no frame: ${observation.error}`,
          {
            nodes: [observation.node],
          },
          'FRAME-1',
        )
        break
      case 'disconnected':
        if (!(observation.code in CLOSE_CODES) && observation.code !== WITHOUT_CODE)
          violate(
            `${observation.node} was disconnected with ${observation.code}, which is in no table`,
            {
              nodes: [observation.node],
            },
            'CLOSE-1',
          )
        if (observation.side === 'node') this.#closed(observation, violate)
        break
      case 'refused':
        if (observation.error.code !== 'closed' && !(observation.error.code in ERRORS))
          violate(`${observation.node} was refused with ${observation.error.code}, which is in no table`, {
            ids: [observation.id],
          })
        break
      default:
    }
  }

  #note({ connection, message }: ObservationOf<'sentByBroker'>): void {
    if (message.type === 'welcome') this.#welcomed.add(connection)
    const isLast = message.type === 'error' && message.ref === undefined && message.code in CLOSED_WITH
    if (isLast && !(message.code === 'busy' && this.#welcomed.has(connection)))
      this.#lastErrors.set(connection, message.code)
    else this.#lastErrors.delete(connection)
  }

  #closed({ node, connection, code }: ObservationOf<'disconnected'>, violate: Violate): void {
    const error = this.#lastErrors.get(connection)
    this.#lastErrors.delete(connection)
    this.#welcomed.delete(connection)
    if (error !== undefined && BROKERS.has(code) && code !== CLOSED_WITH[error])
      violate(
        `${node} was told ${error} and disconnected with ${code}, not ${CLOSED_WITH[error]}`,
        { nodes: [node] },
        'CLOSE-1',
      )
  }

  #sent(observation: ObservationOf<'sentByBroker'>, message: BrokerMessage, violate: Violate): void {
    const { node } = observation
    const wrong = (error: WireError, why: string, ids: readonly string[] = []): void =>
      violate(`${node} was told ${error.code} (${error.message}), ${why}`, { ids, nodes: [node] })
    if (message.type === 'error') {
      if (!(message.code in ERRORS)) wrong(message, 'which is in no table')
      else if (NEVER.has(message.code) && this.#isHonest(node)) wrong(message, 'and had done nothing of the kind')
      else if (message.code === 'internal' && !this.#hasDiskFailed) wrong(message, 'and no disk had failed')
      return
    }
    if (message.type !== 'submitted' && message.type !== 'settled' && message.type !== 'cancelled') return
    const request = this.#sources.wire.requestOf(observation)
    for (const { index, error } of message.refused) {
      if (!(error.code in ERRORS)) wrong(error, 'which is in no table')
      else if (!IN_VERDICTS[message.type]?.has(error.code)) wrong(error, `which is no verdict of a ${message.type}`)
      if (request?.type === 'submit') {
        const task = submittedItems(request)[index]
        if (!task) wrong(error, `of item ${index}, which it did not send`)
        else if (error.code === 'id_conflict' && !this.#conflicting.has(task.id))
          wrong(error, 'and the task was submitted with no other content', [task.id])
        else if (error.code === 'too_large' && task.bytes <= this.#bodyBytesMax)
          wrong(error, `of a body of ${task.bytes} bytes`, [task.id])
        else if (error.code === 'too_large' && error.limit !== this.#bodyBytesMax)
          wrong(error, `with a limit of ${error.limit}, and it is ${this.#bodyBytesMax}`, [task.id])
      } else if (request?.type === 'cancel') {
        const id = request.ids[index]
        if (id === undefined) wrong(error, `of item ${index}, which it did not send`)
        else if (error.code === 'task_finished' && !this.#isFinished(id)) wrong(error, 'and it had no outcome', [id])
      }
    }
  }

  #isHonest(node: string): boolean {
    return isHonest(this.#sources.scenario, node)
  }

  #isFinished(id: string): boolean {
    const { chronicle } = this.#sources
    return chronicle.outcomesOf(id).some(({ status }) => status !== 'cancelled') || chronicle.damaged.has(id)
  }
}
