import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import type { Sources } from './sources.ts'

/** Submissions of one intent become one task, as long as the item is kept. */
export class OneItemAnIntent implements Checker {
  readonly rule = 'OUTBOX-10'
  readonly #sources: Sources
  /** The last task that the broker accepted for each intent. */
  readonly #accepted = new Map<string, string>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { stores, chronicle } = this.#sources
    stores.see(observation)
    const steps = chronicle.see(observation)
    if (chronicle.isRetold) return
    for (const { fact } of steps) {
      if (fact.type !== 'taskAccepted') continue
      const { id } = fact
      const item = stores.items.get(id)
      if (item?.intent === undefined) continue
      const first = this.#accepted.get(item.intent)
      this.#accepted.set(item.intent, id)
      // What is only in the memory of one tab is not known to the others.
      const isAside = first === undefined || stores.unsaved.has(first) || stores.unsaved.has(id)
      if (!isAside && first !== id && stores.items.get(first)?.isRemoved === false)
        violate(`tasks ${first} and ${id} are accepted for ${item.intent}`, { ids: [first, id], nodes: [item.device] })
    }
  }
}
