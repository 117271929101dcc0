import type { Fault } from '../fault.ts'
import type { Observation } from '../observation.ts'

/** When something last kept the broker, its disk or its network from their work: a fault, or its own start and end. */
export class Calm {
  /** Those under way, and how much later than their end what they have slowed may come. */
  readonly #faults = new Map<number, number>()
  #sinceMs = 0
  #isUp = false

  see(observation: Observation): void {
    switch (observation.type) {
      case 'faultStarted':
        this.#faults.set(observation.number, afterEffectMs(observation.fault))
        this.#later(observation.atMs)
        break
      case 'faultEnded':
        this.#later(observation.atMs + (this.#faults.get(observation.number) ?? 0))
        this.#faults.delete(observation.number)
        break
      case 'nodeStarted':
      case 'nodeStopped':
        if (observation.node !== 'broker') break
        this.#isUp = observation.type === 'nodeStarted'
        this.#later(observation.atMs)
        break
      case 'recovered':
        this.#later(observation.atMs)
        break
      default:
    }
  }

  /** How long it has been undisturbed at this instant, counted from `fromMs` at the earliest; 0 while it is not. */
  lastedMs(atMs: number, fromMs: number): number {
    return this.#isUp && this.#faults.size === 0 ? Math.max(0, atMs - Math.max(fromMs, this.#sinceMs)) : 0
  }

  #later(atMs: number): void {
    this.#sinceMs = Math.max(this.#sinceMs, atMs)
  }
}

/** What was begun while it lasted takes this much longer, ended or not; the next thing may have waited for it. */
function afterEffectMs(fault: Fault): number {
  return fault.type === 'slow' || fault.type === 'slowDisk' || fault.type === 'delay' ? 2 * fault.byMs : 0
}
