import type { Checker, Observation, ObservationOf, Surroundings } from '../observation.ts'
import type { Sources, Violate } from './sources.ts'

/** The code with which a leaving broker closes. */
const DRAINING = 4006

/** A broker that leaves tells each session so, and from then on delivers nothing more to it and accepts nothing more from it. */
export class Leaving implements Checker {
  readonly rule = 'PROMISE-23'
  readonly #sources: Sources
  readonly #welcomed = new Set<number>()
  readonly #told = new Set<number>()
  /** Submissions that were heard after that, by connection and ref. */
  readonly #late = new Set<string>()

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
    }
  }

  #sent({ node, connection, message }: ObservationOf<'sentByBroker'>, violate: Violate): void {
    if (message.type === 'welcome') this.#welcomed.add(connection)
    else if (message.type === 'drain') this.#told.add(connection)
    else if (message.type === 'deliver' && this.#told.has(connection))
      violate(`${node} was delivered ${message.ids.length} tasks by a broker that had said it was leaving`, {
        ids: message.ids,
        nodes: [node],
      })
    else if (message.type === 'submitted' && this.#late.has(`${connection} ${message.ref}`))
      violate(`${node} had a submission answered by a broker that had said it was leaving`, { nodes: [node] })
  }
}
