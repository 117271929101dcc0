import { ENDED_STATES, type StoredState } from '@sluice/client/outbox'
import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import type { Sources } from './sources.ts'

/** At most this many are named one by one. */
const NAMED_MAX = 5

/**
 * What an outbox has saved is kept until it has an outcome or somebody discards it, and is accepted by the broker within
 * the scenario's `settleMs` after the last fault, unless it is cancelled or parked.
 */
export class SavedItemsAreKept implements Checker {
  readonly rule = 'OUTBOX-2'
  readonly #sources: Sources
  readonly #discarded = new Set<string>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { stores, chronicle } = this.#sources
    chronicle.see(observation)
    stores.see(observation)
    if (observation.type === 'deciding' && observation.what === 'discard') this.#discarded.add(observation.id)
    for (const { before, after } of stores.changed) {
      const { id, device } = after
      if (after.isRemoved && before && !hasEnded(before.state) && !this.#discarded.has(id))
        violate(`${device} has removed item ${id}, which was ${before.state}`, { ids: [id], nodes: [device] })
    }
    if (observation.type !== 'calmEnded') return
    const lost = [...stores.items.values()].filter(
      ({ id, state, isRemoved }) =>
        !isRemoved &&
        state !== 'parked' &&
        !hasEnded(state) &&
        !chronicle.wasAccepted(id) &&
        !chronicle.damaged.has(id),
    )
    for (const { id, state, device } of lost.slice(0, NAMED_MAX))
      violate(`item ${id} of ${device} is ${state}, and the broker does not have it after all faults have ended`, {
        ids: [id],
        nodes: [device],
      })
  }
}

function hasEnded(state: StoredState): boolean {
  return (ENDED_STATES as readonly StoredState[]).includes(state)
}
