import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'

/** What the handlers of this world report. */
export interface Progress {
  readonly run: number
  readonly step: number
}

/** The progress of a task that an observer sees was reported by a handler of that task, and never goes back. */
export class ProgressOrder implements Checker {
  readonly rule = 'RESULT-5'
  readonly #runs = new Map<number, string>()
  /** The newest value, by observer and task. */
  readonly #seen = new Map<string, Progress>()

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    if (observation.type === 'handlerStarted') this.#runs.set(observation.run, observation.id)
    if (observation.type !== 'progressSeen') return
    const { node, id } = observation
    const progress = observation.progress as Progress
    const about = { ids: [id], nodes: [node] }
    if (this.#runs.get(progress.run) !== id) {
      violate(`${node} was told progress of task ${id} that no handler of it has reported`, about)
      return
    }
    const before = this.#seen.get(`${node} ${id}`)
    this.#seen.set(`${node} ${id}`, progress)
    if (!before) return
    if (progress.run < before.run || (progress.run === before.run && progress.step < before.step))
      violate(
        `${node} was told step ${progress.step} of run ${progress.run} of task ${id} after step ${before.step} of run ${before.run}`,
        about,
      )
  }
}
