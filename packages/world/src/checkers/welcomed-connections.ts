import type { Observation } from '../observation.ts'

/** Which nodes have a welcomed connection, as far as they know. */
export class WelcomedConnections {
  readonly #open = new Map<string, number>()

  see(observation: Observation): void {
    switch (observation.type) {
      case 'heardByNode':
        if (observation.message.type === 'welcome') this.#open.set(observation.node, observation.connection)
        break
      case 'disconnected':
        if (observation.side === 'node' && this.#open.get(observation.node) === observation.connection)
          this.#open.delete(observation.node)
        break
      case 'nodeStopped':
        this.#open.delete(observation.node)
        break
      default:
    }
  }

  has(node: string): boolean {
    return this.#open.has(node)
  }
}
