import type { Fault } from '../fault.ts'
import type { Observation } from '../observation.ts'

/** When something last disturbed the broker, its disk or its network: a fault, or its own start and end. */
export class Calm {
  /** Disturbances that are going on, and how much later than their end their effects may appear. */
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

  /**
   * How long the broker has been undisturbed at this time, counted from `fromMs` at the earliest; 0 while it is
   * disturbed.
   */
  lastedMs(atMs: number, fromMs: number): number {
    return this.#isUp && this.#faults.size === 0 ? Math.max(0, atMs - Math.max(fromMs, this.#sinceMs)) : 0
  }

  #later(atMs: number): void {
    this.#sinceMs = Math.max(this.#sinceMs, atMs)
  }
}

/**
 * Work that began during the disturbance takes this much longer, whether it has ended or not. The next thing may have
 * waited for it.
 */
function afterEffectMs(fault: Fault): number {
  return fault.type === 'slow' || fault.type === 'slowDisk' || fault.type === 'delay' ? 2 * fault.byMs : 0
}
