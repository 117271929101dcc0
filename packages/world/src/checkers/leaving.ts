import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import type { Sources } from './sources.ts'

/** The code with which a leaving broker closes. */
const DRAINING = 4006

/**
 * A broker that leaves tells each session so. From then on it delivers nothing more to the session, accepts nothing
 * more from it or by HTTP, and takes no new connection.
 */
export class Leaving implements Checker {
  readonly rule = 'HOST-13'
  readonly #sources: Sources
  readonly #welcomed = new Set<number>()
  readonly #told = new Set<number>()
  /** Submissions that were heard after that, by connection and ref. */
  readonly #late = new Set<string>()

  /** Connections that were requested, and tasks that were submitted by HTTP, after it first said so. */
  readonly #lateConnections = new Set<number>()
  readonly #lateTasks = new Set<string>()
  #isLeaving = false

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    this.#sources.wire.see(observation)
    if (observation.type === 'disconnected') {
      const { node, connection, side, code } = observation
      if (side === 'broker' && code === DRAINING && this.#welcomed.has(connection) && !this.#told.has(connection))
        violate(`the broker left ${node} without a word of it before`, { nodes: [node] })
    } else if (observation.type === 'sentByBroker') this.#sent(observation, violate)
    else if (observation.type === 'heardByBroker') {
      const { connection, message } = observation
      if (message.type === 'submit' && this.#told.has(connection)) this.#late.add(`${connection} ${message.ref}`)
    } else if (observation.type === 'nodeStarted' && observation.node === 'broker') {
      this.#isLeaving = false
      this.#lateConnections.clear()
      this.#lateTasks.clear()
    } else if (this.#isLeaving) this.#judgeLate(observation, violate)
  }

  #judgeLate(observation: Observation, violate: Violate): void {
    if (observation.type === 'connecting') this.#lateConnections.add(observation.connection)
    else if (observation.type === 'submitting' && observation.node === 'operator') this.#lateTasks.add(observation.id)
    else if (observation.type === 'accepted' && observation.node === 'operator' && this.#lateTasks.has(observation.id))
      violate(`operator had task ${observation.id} accepted by a broker that had said it was leaving`, {
        ids: [observation.id],
      })
  }

  #sent({ node, connection, message }: ObservationOf<'sentByBroker'>, violate: Violate): void {
    if (message.type === 'welcome') {
      this.#welcomed.add(connection)
      if (this.#lateConnections.has(connection))
        violate(`${node} connected anew to a broker that had said it was leaving`, { nodes: [node] })
    } else if (message.type === 'drain') {
      this.#told.add(connection)
      this.#isLeaving = true
    } else if (message.type === 'deliver' && this.#told.has(connection))
      violate(`${node} was delivered ${message.ids.length} tasks by a broker that had said it was leaving`, {
        ids: message.ids,
        nodes: [node],
      })
    else if (message.type === 'submitted' && this.#late.has(`${connection} ${message.ref}`))
      violate(`${node} had a submission answered by a broker that had said it was leaving`, { nodes: [node] })
  }
}
