import type { Observation } from '../observation.ts'

/** Which nodes are kept from acting at once. What they do late says nothing about their programs. */
export class LateNodes {
  /** Faults that are going on. */
  readonly #faults = new Map<number, string>()
  /** Nodes that have been late since their programs started. */
  readonly #were = new Set<string>()

  see(observation: Observation): void {
    switch (observation.type) {
      case 'faultStarted': {
        const { fault, number } = observation
        if (fault.type !== 'pause' && fault.type !== 'hide' && fault.type !== 'slow') break
        this.#faults.set(number, fault.node)
        this.#were.add(fault.node)
        break
      }
      case 'faultEnded':
        this.#faults.delete(observation.number)
        break
      case 'nodeStarted':
        if (!this.isLate(observation.node)) this.#were.delete(observation.node)
        break
      default:
    }
  }

  isLate(node: string): boolean {
    for (const late of this.#faults.values()) if (late === node) return true
    return false
  }

  /** Whether the node has been late since its program started. */
  wasLate(node: string): boolean {
    return this.#were.has(node)
  }
}
