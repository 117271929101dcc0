import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import { LateNodes } from './late-nodes.ts'
import { isHonest, workerGroupOf } from './population.ts'
import type { Sources } from './sources.ts'

/** How long all handlers may go on after they were told to stop until their worker takes nothing more. */
const UNHEEDED_MS = 2000
const SLACK_MS = 50

interface Worker {
  readonly places: number
  /** Handlers that have been told to stop and have not returned. */
  readonly deaf: Set<number>
  connection: number | undefined
  credit: number
  isLeaving: boolean
  /** Since when the worker should want nothing, or something. */
  sinceMs: number
}

/**
 * If handlers that do not stop occupy all of a worker's concurrency, the worker asks for nothing. It asks again as
 * soon as one of them returns.
 */
export class DeafHandlers implements Checker {
  readonly rule = 'CLIENT-8'
  readonly #sources: Sources
  readonly #late = new LateNodes()
  readonly #workers = new Map<string, Worker>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    this.#late.see(observation)
    this.#judge(observation.atMs, violate)
    switch (observation.type) {
      case 'nodeStarted':
        this.#started(observation.node)
        break
      case 'nodeStopped':
        this.#workers.delete(observation.node)
        break
      case 'faultStarted':
        if (observation.fault.type === 'restart') this.#leaves(observation.fault.node)
        break
      case 'calmEnded':
        for (const node of this.#workers.keys()) this.#leaves(node)
        break
      case 'disconnected': {
        const worker = this.#workers.get(observation.node)
        if (observation.side === 'node' && worker?.connection === observation.connection) worker.connection = undefined
        break
      }
      case 'heardByNode': {
        const worker = this.#workers.get(observation.node)
        if (!worker || observation.message.type !== 'welcome') break
        worker.connection = observation.connection
        worker.sinceMs = observation.atMs
        break
      }
      case 'sentToBroker': {
        const worker = this.#workers.get(observation.node)
        if (worker && observation.message.type === 'credit') worker.credit = observation.message.credit
        break
      }
      case 'handlerAborted': {
        const worker = this.#workers.get(observation.node)
        worker?.deaf.add(observation.run)
        if (worker?.deaf.size === worker?.places && worker) worker.sinceMs = observation.atMs
        break
      }
      case 'handlerEnded': {
        const worker = this.#workers.get(observation.node)
        if (!worker) break
        if (worker.deaf.size === worker.places) worker.sinceMs = observation.atMs
        worker.deaf.delete(observation.run)
        break
      }
      default:
    }
  }

  #started(node: string): void {
    const { scenario } = this.#sources
    const group = workerGroupOf(scenario, node)
    if (!group || !isHonest(scenario, node)) return
    const deaf = new Set<number>()
    const places = group.concurrency
    this.#workers.set(node, { places, deaf, connection: undefined, credit: 0, isLeaving: false, sinceMs: 0 })
  }

  #leaves(node: string): void {
    const worker = this.#workers.get(node)
    if (worker) worker.isLeaving = true
  }

  #judge(nowMs: number, violate: Violate): void {
    for (const [node, worker] of this.#workers) {
      const { places, deaf, connection, credit, isLeaving, sinceMs } = worker
      if (connection === undefined || isLeaving || this.#late.wasLate(node)) continue
      const isBlocked = deaf.size === places
      if (isBlocked === (credit === 0) || nowMs <= sinceMs + SLACK_MS + (isBlocked ? UNHEEDED_MS : 0)) continue
      worker.sinceMs = Number.POSITIVE_INFINITY
      violate(
        isBlocked
          ? `${node} has handlers in all of its ${places} places that do not stop, and asks for ${credit} tasks`
          : `${node} has a free place, and asks for no tasks`,
        { nodes: [node] },
      )
    }
  }
}
