import type { State } from '@sluice/engine'
import { checkState } from '@sluice/engine/invariants'
import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'

/** Full checks run after as many changes as they look at parts. */
const PARTS_MIN = 50

/** The parts of the engine's state agree with one another whenever a batch is handed over. */
export class EngineInvariants implements Checker {
  readonly rule = 'LIFE-2'
  #changes = 0

  see(observation: Observation, { state }: Surroundings, violate: Violate): void {
    if (observation.type === 'appending') {
      this.#changes += observation.events.length
      if (!state) return
      const parts = 2 * state.tasks.size + 4 * (state.sessions.size + state.queues.size)
      if (this.#changes >= Math.max(PARTS_MIN, parts)) this.#check(state, violate)
    }
  }

  finish({ state }: Surroundings, violate: Violate): void {
    if (state) this.#check(state, violate)
  }

  #check(state: State, violate: Violate): void {
    this.#changes = 0
    try {
      checkState(state)
    } catch (error) {
      violate((error as Error).message, {})
    }
  }
}
