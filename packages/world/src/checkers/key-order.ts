import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import type { Sources } from './sources.ts'
import type { KeptItem } from './stores.ts'

/**
 * The broker accepts the items of one ordering key in the order in which they were saved. An item that was cancelled,
 * parked or removed, or that was sent from memory, is not waited for.
 */
export class KeyOrder implements Checker {
  readonly rule = 'OUTBOX-5'
  readonly #sources: Sources
  readonly #accepted = new Set<string>()
  readonly #byKey = new Map<string, Map<string, KeptItem>>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { stores, chronicle } = this.#sources
    stores.see(observation)
    const steps = chronicle.see(observation)
    for (const { after } of stores.changed) this.#keep(after)
    if (chronicle.isRetold) return
    for (const { fact } of steps) {
      if (fact.type !== 'taskAccepted') continue
      const item = stores.items.get(fact.id)
      if (item?.orderingKey !== undefined && !this.#accepted.has(item.id)) this.#judge(item, violate)
      this.#accepted.add(fact.id)
    }
  }

  #keep(item: KeptItem): void {
    if (item.orderingKey === undefined) return
    const items = this.#byKey.get(item.orderingKey) ?? new Map()
    items.set(item.id, item)
    this.#byKey.set(item.orderingKey, items)
  }

  #judge(item: KeptItem, violate: Violate): void {
    const { unsaved } = this.#sources.stores
    if (unsaved.has(item.id) || item.wasParked) return
    for (const other of this.#byKey.get(item.orderingKey as string)?.values() ?? []) {
      const isAhead = other.seq < item.seq && other.state === 'saved' && !other.isRemoved && !other.wasParked
      if (isAhead && !this.#accepted.has(other.id) && !unsaved.has(other.id))
        violate(`item ${item.id} was accepted before ${other.id}, saved before it with the same ordering key`, {
          ids: [other.id, item.id],
          nodes: [item.device],
        })
    }
  }
}
