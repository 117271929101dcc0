import { deliveredItems } from '../message-items.ts'
import type { Checker, Observation, ObservationOf, Surroundings, Violate } from '../observation.ts'
import type { Sources } from './sources.ts'

/**
 * A task has at most one live lease. Lease numbers grow: on a connection, for a task, and from one life of the broker
 * to the next, whatever a crash has kept out of the journal. No number is told twice.
 */
export class LeaseNumbers implements Checker {
  readonly rule = 'LEASE-3'
  readonly #sources: Sources
  readonly #told = new Set<number>()
  readonly #byTask = new Map<string, number>()
  readonly #byConnection = new Map<number, number>()
  #granted = 0
  #highest = 0
  /** The highest number that was told in an earlier life of the broker. */
  #earlier = 0

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { chronicle } = this.#sources
    const steps = chronicle.see(observation)
    if (chronicle.isRetold) this.#forget()
    for (const { fact, before } of steps) {
      if (fact.type !== 'leaseGranted') continue
      const { id, lease } = fact
      if (before?.state === 'leased')
        violate(`task ${id} was granted lease ${lease} while lease ${before.lease} lived`, { ids: [id] })
      else if (before?.state !== 'ready')
        violate(
          `task ${id} was granted lease ${lease} while it was ${before?.state ?? 'not held'}`,
          { ids: [id] },
          'LIFE-1',
        )
      if (lease <= this.#granted) violate(`lease ${lease} was granted after lease ${this.#granted}`, { ids: [id] })
      this.#granted = Math.max(this.#granted, lease)
    }
    if (observation.type === 'recovered') this.#earlier = this.#highest
    if (observation.type === 'sentByBroker' && observation.message.type === 'deliver') this.#sent(observation, violate)
  }

  /** If the disk did not promise to keep even durable data, numbers start where it ends. */
  #forget(): void {
    this.#granted = 0
    this.#highest = 0
    this.#told.clear()
    this.#byTask.clear()
    this.#byConnection.clear()
  }

  #sent({ node, connection, message }: ObservationOf<'sentByBroker'>, violate: Violate): void {
    if (message.type !== 'deliver') return
    for (const { id, lease } of deliveredItems(message)) {
      const about = { ids: [id], nodes: [node] }
      const ofTask = this.#byTask.get(id) ?? 0
      const ofConnection = this.#byConnection.get(connection) ?? 0
      if (this.#told.has(lease)) violate(`lease ${lease} was told a second time, to ${node} for task ${id}`, about)
      else if (lease <= ofTask) violate(`task ${id} was delivered under lease ${lease} after lease ${ofTask}`, about)
      else if (lease <= ofConnection) violate(`${node} was told lease ${lease} after lease ${ofConnection}`, about)
      if (lease <= this.#earlier)
        violate(`${node} was told lease ${lease}, not past ${this.#earlier} of before the restart`, about)
      this.#told.add(lease)
      this.#byTask.set(id, Math.max(ofTask, lease))
      this.#byConnection.set(connection, Math.max(ofConnection, lease))
      this.#highest = Math.max(this.#highest, lease)
    }
  }
}
