import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import type { Sources } from './sources.ts'

/**
 * What an outbox calls saved survives if the device loses its power at that moment: a submission, and the wish to cancel
 * it.
 */
export class SavedIsDurable implements Checker {
  readonly rule = 'OUTBOX-1'
  readonly #sources: Sources

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { stores, chronicle } = this.#sources
    stores.see(observation)
    chronicle.see(observation)
    if (observation.type === 'saved' && observation.isSaved && !stores.durable.has(observation.id)) {
      const { node, id } = observation
      // An older item of the same intent may be under way from memory, as its page was told.
      if (stores.unsaved.has(id) || chronicle.wasAccepted(id) || chronicle.damaged.has(id)) return
      violate(`${node} was told that item ${id} is saved, and a loss of power would lose it`, {
        ids: [id],
        nodes: [node],
      })
    }
    if (observation.type === 'cancelSaved') {
      const { node, id } = observation
      const item = stores.durable.get(id)
      // Of what is only in memory, everything may be lost.
      const isLost = item?.state === 'saved' || item?.state === 'accepted' || item?.state === 'parked'
      if (item && isLost && !item.isRemoved && !stores.unsaved.has(id))
        violate(
          `${node} was told that its wish to cancel item ${id} is saved, and after a loss of power it would be ${item.state}`,
          { ids: [id], nodes: [node] },
          'OUTBOX-8',
        )
    }
  }
}
