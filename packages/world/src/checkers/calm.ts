import type { Observation } from '../observation.ts'

/** When something last kept the broker, its disk or its network from their work: a fault, or its own start and end. */
export class Calm {
  readonly #faults = new Set<number>()
  #sinceMs = 0
  #isUp = false

  see(observation: Observation): void {
    switch (observation.type) {
      case 'faultStarted':
        this.#faults.add(observation.number)
        this.#sinceMs = observation.atMs
        break
      case 'faultEnded':
        this.#faults.delete(observation.number)
        this.#sinceMs = observation.atMs
        break
      case 'nodeStarted':
      case 'nodeStopped':
        if (observation.node !== 'broker') break
        this.#isUp = observation.type === 'nodeStarted'
        this.#sinceMs = observation.atMs
        break
      case 'recovered':
        this.#sinceMs = observation.atMs
        break
      default:
    }
  }

  /** How long it has been undisturbed at this instant, counted from `fromMs` at the earliest; 0 while it is not. */
  lastedMs(atMs: number, fromMs: number): number {
    return this.#isUp && this.#faults.size === 0 ? atMs - Math.max(fromMs, this.#sinceMs) : 0
  }
}
