import type { Checker, Observation, Surroundings } from '../observation.ts'
import type { Sources, Violate } from './sources.ts'

/** The outcome and the progress of a task are told to those who asked for them, and to nobody else. */
export class Audience implements Checker {
  readonly rule = 'PROMISE-29'
  readonly #sources: Sources
  /** What a session has submitted to hear of it, or has asked for: by session. */
  readonly #asked = new Map<string, Set<string>>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { wire } = this.#sources
    wire.see(observation)
    if (observation.type === 'heardByBroker') {
      const { message } = observation
      if (message.type === 'watch' || (message.type === 'submit' && message.watch !== false)) {
        const asked = this.#askedBy(wire.connectionOf(observation).session)
        for (const id of message.ids) asked.add(id)
      }
    } else if (observation.type === 'sentByBroker') {
      const { node, message } = observation
      const told = [...wire.outcomesIn(observation).map(({ id }) => id), ...wire.progressIn(observation)]
      if (told.length === 0) return
      const asked = this.#askedBy(wire.connectionOf(observation).session)
      for (const id of told)
        if (!asked.has(id))
          violate(`${node} was told of task ${id} (${message.type}), for which it had not asked`, {
            ids: [id],
            nodes: [node],
          })
    }
  }

  #askedBy(session = ''): Set<string> {
    let asked = this.#asked.get(session)
    if (!asked) {
      asked = new Set()
      this.#asked.set(session, asked)
    }
    return asked
  }
}
