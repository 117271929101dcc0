import type { State } from '@sluice/engine'
import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import { isOutcome } from './chronicle.ts'
import type { Sources } from './sources.ts'

/** Once a task is accepted it is known, survives every recovery, and has an outcome before it may be forgotten. */
export class AcceptedTasksAreKept implements Checker {
  readonly rule = 'HOST-1'
  readonly #sources: Sources
  readonly #told = new Set<string>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, { state }: Surroundings, violate: Violate): void {
    const { chronicle } = this.#sources
    for (const { fact, before } of chronicle.see(observation)) {
      if (fact.type === 'taskForgotten' && before && !isOutcome(before.state))
        violate(`task ${fact.id} was forgotten while it was ${before.state}`, { ids: [fact.id] }, 'LIFE-1')
      if (fact.type === 'taskAccepted' && before)
        violate(`task ${fact.id} was accepted a second time while it was held`, { ids: [fact.id] }, 'SUBMIT-2')
    }
    if (observation.type === 'accepted') {
      const { id, node } = observation
      this.#told.add(id)
      if (!chronicle.wasAccepted(id) && !chronicle.damaged.has(id))
        violate(`${node} was told that task ${id} is accepted, and the journal does not hold it`, {
          ids: [id],
          nodes: [node],
        })
    }
    if (observation.type === 'recovered' && state) this.#compare(state, violate)
  }

  #compare(state: State, violate: Violate): void {
    for (const { id, state: name } of this.#sources.chronicle.tasks.values()) {
      if (!state.tasks.has(id))
        violate(`task ${id}, which was ${name}, is gone after a recovery`, { ids: [id] }, 'HOST-14')
    }
  }

  finish({ state }: Surroundings, violate: Violate): void {
    const { chronicle } = this.#sources
    for (const id of this.#told) {
      if (chronicle.damaged.has(id)) continue
      const task = chronicle.tasks.get(id)
      if (task && state && !state.tasks.has(id) && !chronicle.isWriting)
        violate(`task ${id}, which is ${task.state}, is not known in the end`, { ids: [id] })
      if (!task && chronicle.outcomesOf(id).length === 0)
        violate(`task ${id} was accepted and is gone without an outcome`, { ids: [id] })
    }
  }
}
