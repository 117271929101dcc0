import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { LateNodes } from './late-nodes.ts'
import { isHonest, workerGroupOf } from './population.ts'
import type { Sources } from './sources.ts'

/** How long a producer waits for answers before it leaves without them. */
const PRODUCER_DRAIN_MS = 5000
/** The default grace for handlers of a worker that leaves, and how long the worker then waits for answers. */
const WORKER_GRACE_MS = 30_000
const WORKER_SETTLE_MS = 5000
const SLACK_MS = 100
/** Timers are not exact. */
const TIMER_MS = 5
/** A client closes its connection with this code when it leaves. */
const NORMAL_CODE = 1000

/**
 * A client that is asked to leave has left in time, whatever it waits for, and says goodbye if it has a connection. A
 * worker stops what still runs when its grace is over and when it leaves.
 */
export class Departures implements Checker {
  readonly rule = 'CLIENT-9'
  readonly #sources: Sources
  readonly #late = new LateNodes()
  /** When a node that was asked to leave must be gone, and until when its handlers may go on. */
  readonly #dueMs = new Map<string, number>()
  readonly #graceEndMs = new Map<string, number>()
  /** Handlers that nobody has stopped. */
  readonly #running = new Map<number, { node: string; id: string }>()
  readonly #up = new Set<string>()
  /** Connections with a session, and those on which goodbye was said. */
  readonly #welcomed = new Set<number>()
  readonly #parted = new Set<number>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    this.#late.see(observation)
    if (this.#dueMs.size > 0) this.#judge(observation.atMs, violate)
    switch (observation.type) {
      case 'nodeStarted':
        this.#up.add(observation.node)
        break
      case 'nodeStopped':
        if (observation.how === 'left') this.#judgeRunning(observation.node, violate)
        this.#up.delete(observation.node)
        this.#dueMs.delete(observation.node)
        this.#graceEndMs.delete(observation.node)
        for (const [run, { node }] of this.#running) if (node === observation.node) this.#running.delete(run)
        break
      case 'handlerStarted':
        this.#running.set(observation.run, { node: observation.node, id: observation.id })
        break
      case 'handlerAborted':
      case 'handlerEnded':
        this.#running.delete(observation.run)
        break
      case 'faultStarted':
        if (observation.fault.type === 'restart') this.#asked(observation.fault.node, observation.atMs)
        break
      case 'calmEnded':
        for (const node of this.#up) this.#asked(node, observation.atMs)
        break
      case 'heardByNode':
        if (observation.message.type === 'welcome') this.#welcomed.add(observation.connection)
        break
      case 'sentToBroker':
        if (observation.message.type === 'bye') this.#parted.add(observation.connection)
        break
      case 'disconnected':
        if (observation.side === 'node') this.#closed(observation, violate)
        break
      default:
    }
  }

  #asked(node: string, atMs: number): void {
    if (!this.#up.has(node) || this.#dueMs.has(node)) return
    const { scenario } = this.#sources
    const group = workerGroupOf(scenario, node)
    if (group) {
      const graceEndMs = atMs + (group.drainGraceMs ?? WORKER_GRACE_MS)
      this.#graceEndMs.set(node, graceEndMs + TIMER_MS)
      this.#dueMs.set(node, graceEndMs + WORKER_SETTLE_MS + SLACK_MS)
    } else if (node.startsWith('producer-')) this.#dueMs.set(node, atMs + PRODUCER_DRAIN_MS + SLACK_MS)
  }

  #closed({ node, connection, code }: ObservationOf<'disconnected'>, violate: Violate): void {
    const isPolite = this.#parted.delete(connection)
    const hadSession = this.#welcomed.delete(connection)
    if (hadSession && !isPolite && code === NORMAL_CODE && isHonest(this.#sources.scenario, node))
      violate(`${node} has left without a goodbye`, { nodes: [node] })
  }

  #judgeRunning(node: string, violate: Violate): void {
    if (this.#late.wasLate(node)) return
    for (const { node: own, id } of this.#running.values()) {
      if (own === node)
        violate(`${node} is leaving and has not stopped its handler of task ${id}`, { ids: [id], nodes: [node] })
    }
  }

  #judge(nowMs: number, violate: Violate): void {
    for (const [node, endMs] of this.#graceEndMs) {
      if (nowMs <= endMs) continue
      this.#graceEndMs.delete(node)
      this.#judgeRunning(node, violate)
    }
    for (const [node, dueMs] of this.#dueMs) {
      if (nowMs <= dueMs) continue
      this.#dueMs.delete(node)
      if (!this.#late.wasLate(node)) violate(`${node} was asked to leave, and is still there`, { nodes: [node] })
    }
  }
}
