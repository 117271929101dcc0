import { isFinished } from '@sluice/engine'
import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import type { Sources } from './sources.ts'

/**
 * The outcome and the progress of a task are told only to sessions that asked for them. A session that said `unwatch`
 * before there was an outcome is not told it.
 */
export class Audience implements Checker {
  readonly rule = 'RESULT-2'
  readonly #sources: Sources
  /** The tasks that a session has submitted with `watch`, or has asked for, by session. */
  readonly #asked = new Map<string, Set<string>>()

  /**
   * Unfinished tasks that a session no longer watches, in this life of the broker. If a crash undoes that, the
   * session may be told again.
   */
  readonly #unasked = new Map<string, Set<string>>()
  /** If batches fill quickly, received input waits for an unknown time (HOST-9). */
  readonly #mayWait: boolean

  constructor(sources: Sources) {
    this.#sources = sources
    this.#mayWait = sources.scenario.hosting?.stagedBytesMax !== undefined
  }

  see(observation: Observation, { state }: Surroundings, violate: Violate): void {
    const { wire } = this.#sources
    wire.see(observation)
    if (observation.type === 'recovered') this.#unasked.clear()
    if (observation.type === 'heardByBroker') {
      const { message } = observation
      const { session = '' } = wire.connectionOf(observation)
      if (message.type === 'unwatch' && !this.#mayWait) {
        const unfinished = message.ids.filter((id) => {
          const task = state?.tasks.get(id)
          return task !== undefined && !isFinished(task)
        })
        this.#unasked.set(session, new Set([...(this.#unasked.get(session) ?? []), ...unfinished]))
      } else if (message.type === 'watch' || message.type === 'submit')
        for (const id of message.ids) this.#unasked.get(session)?.delete(id)
      if (message.type === 'watch' || (message.type === 'submit' && message.watch !== false)) {
        const asked = this.#askedBy(wire.connectionOf(observation).session)
        for (const id of message.ids) asked.add(id)
      }
    } else if (observation.type === 'sentByBroker') {
      const { node, message } = observation
      const told = [...wire.outcomesIn(observation).map(({ id }) => id), ...wire.progressIn(observation)]
      if (told.length === 0) return
      const { session } = wire.connectionOf(observation)
      const asked = this.#askedBy(session)
      for (const { id } of wire.outcomesIn(observation))
        if (this.#unasked.get(session ?? '')?.has(id))
          violate(`${node} was told of task ${id} (${message.type}), of which it wanted to hear no more`, {
            ids: [id],
            nodes: [node],
          })
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
