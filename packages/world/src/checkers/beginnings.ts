import type { Start } from '@sluice/protocol'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import { isHonest } from './population.ts'
import type { Sources } from './sources.ts'

/** A handler that was told to stop and still runs counts for this long. */
const UNHEEDED_MS = 2000

interface Running {
  readonly id: string
  readonly start: Start | undefined
  /** When the handler was told to stop. */
  abortedAtMs: number
}

interface Unsaid {
  readonly node: string
  readonly id: string
  readonly connection: number | undefined
  readonly atMs: number
}

/**
 * A worker starts an `announced` task after it has reported so, and an `alone` task only when nothing else runs. It
 * starts nothing else while that task runs. A handler that was told to stop and goes on counts for two seconds.
 */
export class Beginnings implements Checker {
  readonly rule = 'BEGIN-6'
  readonly #sources: Sources
  /** The start mode of each lease. */
  readonly #starts = new Map<number, Start | undefined>()
  /** The last lease that a node has reported as begun in its session since its last welcome. */
  readonly #said = new Map<string, number>()
  readonly #running = new Map<string, Map<number, Running>>()
  /** The latest connection of each node. */
  readonly #connections = new Map<string, number>()
  /** Announced tasks that were started without a word, in this moment. */
  #unsaid: Unsaid[] = []

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { runs } = this.#sources
    runs.see(observation)
    if (this.#unsaid.length > 0) this.#judge(observation, violate)
    switch (observation.type) {
      case 'connected':
        this.#connections.set(observation.node, observation.connection)
        break
      case 'heardByNode': {
        const { node, message } = observation
        if (message.type === 'welcome') this.#said.delete(node)
        else if (message.type === 'deliver')
          // A loss of power may lose a lease, and its number is then given again.
          for (const lease of message.leases) this.#starts.set(lease, message.start)
        break
      }
      case 'sentToBroker':
        if (observation.message.type === 'begin') this.#said.set(observation.node, observation.message.lease)
        break
      case 'handlerStarted':
        this.#started(observation, violate)
        break
      case 'handlerAborted': {
        const running = this.#running.get(observation.node)?.get(observation.run)
        if (running) running.abortedAtMs = observation.atMs
        break
      }
      case 'handlerEnded':
        this.#running.get(observation.node)?.delete(observation.run)
        break
      case 'nodeStopped':
        this.#running.delete(observation.node)
        this.#said.delete(observation.node)
        break
      default:
    }
  }

  finish(_: Surroundings, violate: Violate): void {
    for (const unsaid of this.#unsaid) blame(unsaid, violate)
  }

  /** A process that was paused may write to a connection that is gone before it is told so: in the same moment. */
  #judge(observation: Observation, violate: Violate): void {
    this.#unsaid = this.#unsaid.filter((unsaid) => {
      if (observation.atMs === unsaid.atMs) {
        const isGone = observation.type === 'disconnected' && observation.side === 'node'
        return !(isGone && observation.connection === unsaid.connection)
      }
      blame(unsaid, violate)
      return false
    })
  }

  #started({ atMs, node, id, run }: ObservationOf<'handlerStarted'>, violate: Violate): void {
    if (!isHonest(this.#sources.scenario, node)) return
    const lease = this.#sources.runs.leaseOf(run)
    const start = lease === undefined ? undefined : this.#starts.get(lease)
    let others = this.#running.get(node)
    if (!others) {
      others = new Map()
      this.#running.set(node, others)
    }
    for (const other of others.values()) {
      if (atMs - other.abortedAtMs >= UNHEEDED_MS || (start !== 'alone' && other.start !== 'alone')) continue
      const alone = start === 'alone' ? id : other.id
      violate(`${node} starts task ${id} while task ${other.id} runs, and ${alone} is to run alone`, {
        ids: [id, other.id],
        nodes: [node],
      })
    }
    if (start !== undefined && (this.#said.get(node) ?? 0) < (lease as number))
      this.#unsaid.push({ node, id, connection: this.#connections.get(node), atMs })
    others.set(run, { id, start, abortedAtMs: Number.POSITIVE_INFINITY })
  }
}

function blame({ node, id }: Unsaid, violate: Violate): void {
  violate(
    `${node} starts task ${id}, which is to be announced, without a word of it`,
    { ids: [id], nodes: [node] },
    'BEGIN-4',
  )
}
