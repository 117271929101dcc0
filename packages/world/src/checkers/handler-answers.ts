import { type ClientMessage, type FailedLease, utf8Length } from '@sluice/protocol'
import { completedItems } from '../message-items.ts'
import type { Checker, Observation, ObservationOf, Surroundings, Thrown, Violate } from '../observation.ts'
import { LateNodes } from './late-nodes.ts'
import { boundsOf, isHonest, workerGroupOf } from './population.ts'
import type { Sources } from './sources.ts'
import { WelcomedConnections } from './welcomed-connections.ts'

/** Timers are not exact, and things that happen at one time may be told one after the other. */
const MOMENT_MS = 3
/** One of the reasons for which a handler is stopped. */
const TIME_LIMIT = 'TimeLimitExceeded'
const HANDED_BACK = 'handed_back'

/** What a worker must say about a lease, and since when it could. */
interface Owed {
  readonly node: string
  readonly id: string
  readonly answer:
    | { kind: 'complete'; result: string }
    | { kind: 'fail'; thrown: Thrown | undefined }
    /** The worker may hand it back, and may leave that to its goodbye. */
    | { kind: 'release' }
  sinceMs: number
  /** The ref and the connection of the message that said it. */
  said: string | undefined
}

const text = new TextDecoder()

/**
 * A worker tells what its handlers made of a task, and nothing else. It tells it at once if it has a connection, and
 * again after each new one until it has an answer. It says nothing about a lease that it knows to be lost.
 */
export class HandlerAnswers implements Checker {
  readonly rule = 'CLIENT-5'
  readonly #sources: Sources
  readonly #bodyBytesMax: number
  readonly #late = new LateNodes()
  /** By run: the lease that it works under. */
  readonly #leases = new Map<number, { node: string; lease: number }>()
  /** By lease. */
  readonly #running = new Map<number, string>()
  readonly #owed = new Map<number, Owed>()
  /** When a worker heard that it has lost a lease. */
  readonly #lost = new Map<number, { node: string; atMs: number }>()
  readonly #open = new WelcomedConnections()
  #nextDueMs = Number.POSITIVE_INFINITY

  constructor(sources: Sources) {
    this.#sources = sources
    this.#bodyBytesMax = boundsOf(sources.scenario).host.limits.bodyBytesMax
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { runs } = this.#sources
    runs.see(observation)
    this.#late.see(observation)
    if (observation.atMs > this.#nextDueMs) this.#judge(observation.atMs, violate)
    this.#open.see(observation)
    switch (observation.type) {
      case 'nodeStopped':
        this.#forget(observation.node)
        break
      case 'handlerStarted':
        this.#started(observation)
        break
      case 'handlerAborted':
        this.#aborted(observation)
        break
      case 'handlerEnded':
        this.#ended(observation)
        break
      case 'heardByNode':
        if (this.#isWorker(observation.node)) this.#heard(observation)
        break
      case 'sentToBroker':
        if (this.#isWorker(observation.node)) this.#said(observation, observation.message, violate)
        break
      default:
    }
  }

  #isWorker(node: string): boolean {
    const { scenario } = this.#sources
    return workerGroupOf(scenario, node) !== undefined && isHonest(scenario, node)
  }

  #started({ node, run }: ObservationOf<'handlerStarted'>): void {
    const lease = this.#sources.runs.leaseOf(run)
    if (lease === undefined || !this.#isWorker(node)) return
    this.#leases.set(run, { node, lease })
    this.#running.set(lease, node)
  }

  #aborted({ atMs, id, run, reason }: ObservationOf<'handlerAborted'>): void {
    if (reason.startsWith(TIME_LIMIT))
      this.#owe(run, id, { kind: 'fail', thrown: { name: TIME_LIMIT, message: '' } }, atMs)
    else if (reason.includes(HANDED_BACK)) this.#owe(run, id, { kind: 'release' }, atMs)
    else {
      const { lease } = this.#leases.get(run) ?? {}
      if (lease !== undefined) this.#running.delete(lease)
      this.#leases.delete(run)
    }
  }

  #ended({ atMs, id, run, how, result = '', thrown }: ObservationOf<'handlerEnded'>): void {
    this.#owe(run, id, how === 'returned' ? { kind: 'complete', result } : { kind: 'fail', thrown }, atMs)
  }

  #owe(run: number, id: string, answer: Owed['answer'], sinceMs: number): void {
    const working = this.#leases.get(run)
    this.#leases.delete(run)
    if (!working) return
    const { node, lease } = working
    this.#running.delete(lease)
    if (this.#lost.has(lease)) return
    this.#owed.set(lease, { node, id, answer, sinceMs, said: undefined })
    this.#nextDueMs = Math.min(this.#nextDueMs, sinceMs + MOMENT_MS)
  }

  #heard({ atMs, node, connection, message }: ObservationOf<'heardByNode'>): void {
    switch (message.type) {
      case 'welcome': {
        const held = [...this.#owed].filter(([, owed]) => owed.node === node)
        const all = [...held, ...this.#running].map(([lease]) => lease)
        this.#lose(
          node,
          message.resumed ? message.lostLeases : all.filter((lease) => this.#holder(lease) === node),
          atMs,
        )
        for (const [, owed] of held) {
          owed.sinceMs = atMs
          owed.said = undefined
        }
        this.#nextDueMs = Math.min(this.#nextDueMs, atMs + MOMENT_MS)
        break
      }
      case 'deliver':
        // If even durable data is lost, lease numbers may start again.
        for (const lease of message.leases) this.#lost.delete(lease)
        break
      case 'revoke':
        this.#lose(node, message.leases, atMs)
        break
      case 'renewed':
        this.#lose(node, message.lost, atMs)
        break
      case 'settled':
        for (const [lease, { said }] of this.#owed)
          if (said === `${connection} ${message.ref}`) this.#owed.delete(lease)
        break
      default:
    }
  }

  #holder(lease: number): string | undefined {
    return this.#owed.get(lease)?.node ?? this.#running.get(lease)
  }

  #lose(node: string, leases: readonly number[], atMs: number): void {
    for (const lease of leases) {
      this.#owed.delete(lease)
      this.#running.delete(lease)
      this.#lost.set(lease, { node, atMs })
    }
  }

  #said({ atMs, node, connection }: ObservationOf<'sentToBroker'>, message: ClientMessage, violate: Violate): void {
    if (message.type === 'complete') {
      for (const { lease, bytes } of completedItems(message))
        this.#compare(
          node,
          lease,
          atMs,
          violate,
          `${connection} ${message.ref}`,
          ({ answer }) => answer.kind === 'complete' && text.decode(bytes) === JSON.stringify(answer.result),
        )
    } else if (message.type === 'fail') {
      for (const failure of message.failures)
        this.#compare(node, failure.lease, atMs, violate, `${connection} ${message.ref}`, (owed) =>
          this.#fits(owed, failure),
        )
    } else if (message.type === 'release') {
      for (const lease of message.leases)
        this.#compare(
          node,
          lease,
          atMs,
          violate,
          `${connection} ${message.ref}`,
          ({ answer }) => answer.kind === 'release',
        )
    } else if (message.type === 'bye') {
      for (const [lease, owed] of this.#owed)
        if (owed.node === node && owed.answer.kind === 'release') this.#owed.delete(lease)
    }
  }

  #compare(
    node: string,
    lease: number,
    atMs: number,
    violate: Violate,
    said: string,
    isFitting: (owed: Owed) => boolean,
  ): void {
    const lost = this.#lost.get(lease)
    if (lost?.node === node && atMs > lost.atMs + MOMENT_MS)
      violate(`${node} answers for lease ${lease}, which it has heard to be lost`, { nodes: [node] })
    if (this.#running.get(lease) === node)
      violate(`${node} answers for lease ${lease}, and its handler runs`, { nodes: [node] })
    const owed = this.#owed.get(lease)
    if (owed?.node !== node) return
    owed.said = said
    if (!isFitting(owed))
      violate(`${node} says of lease ${lease} what its handler did not make of task ${owed.id}`, {
        ids: [owed.id],
        nodes: [node],
      })
  }

  #fits({ answer }: Owed, { error, retryable, retryAfterMs }: FailedLease): boolean {
    // A result that cannot be sent is a failure.
    if (answer.kind === 'complete') return utf8Length(JSON.stringify(answer.result)) > this.#bodyBytesMax
    if (answer.kind === 'release') return false
    const { thrown } = answer
    if (thrown === undefined) return true
    if (!isCutOf(thrown.name, error.name ?? '')) return false
    if (thrown.name === TIME_LIMIT) return true
    return (
      isCutOf(thrown.message, error.message) && thrown.retryable === retryable && thrown.retryAfterMs === retryAfterMs
    )
  }

  #judge(nowMs: number, violate: Violate): void {
    this.#nextDueMs = Number.POSITIVE_INFINITY
    for (const owed of this.#owed.values()) {
      const { node, id, answer, sinceMs, said } = owed
      if (said !== undefined || answer.kind === 'release' || !this.#open.has(node) || this.#late.wasLate(node)) continue
      const dueMs = sinceMs + MOMENT_MS
      if (nowMs <= dueMs) {
        this.#nextDueMs = Math.min(this.#nextDueMs, dueMs)
        continue
      }
      owed.said = ''
      violate(`${node} knows what became of task ${id} for ${nowMs - sinceMs} ms and has not said so`, {
        ids: [id],
        nodes: [node],
      })
    }
  }

  #forget(node: string): void {
    for (const [run, { node: holder }] of this.#leases) if (holder === node) this.#leases.delete(run)
    for (const [lease, holder] of this.#running) if (holder === node) this.#running.delete(lease)
    for (const [lease, { node: holder }] of this.#owed) if (holder === node) this.#owed.delete(lease)
    for (const [lease, { node: holder }] of this.#lost) if (holder === node) this.#lost.delete(lease)
  }
}

function isCutOf(whole: string, said: string): boolean {
  return said === whole || (said.endsWith('…') && whole.startsWith(said.slice(0, -1)))
}
