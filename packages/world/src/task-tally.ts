import type { Observation } from './observation.ts'
import type { Report } from './report.ts'

/** Counts tasks by what their producers learned of them. */
export class TaskTally {
  readonly #submitted = new Set<string>()
  readonly #accepted = new Set<string>()
  readonly #outcomes = new Map<string, 'succeeded' | 'dead' | 'cancelled'>()

  get counts(): Report['tasks'] {
    const counts = {
      submitted: this.#submitted.size,
      accepted: this.#accepted.size,
      succeeded: 0,
      dead: 0,
      cancelled: 0,
    }
    for (const status of this.#outcomes.values()) counts[status] += 1
    return counts
  }

  see(observation: Observation): void {
    switch (observation.type) {
      case 'submitting':
        this.#submitted.add(observation.id)
        return
      case 'accepted':
        this.#accepted.add(observation.id)
        return
      case 'outcome':
        this.#outcomes.set(observation.id, observation.status)
    }
  }
}
