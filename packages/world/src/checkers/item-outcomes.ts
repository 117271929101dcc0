import type { Checker, Observation, Surroundings, Violate } from '../observation.ts'
import type { Sources } from './sources.ts'
import type { KeptItem } from './stores.ts'

/**
 * An item has the outcome that the broker has recorded for its task. An item that is cancelled without one was never
 * accepted, and is not accepted afterwards.
 */
export class ItemOutcomes implements Checker {
  readonly rule = 'OUTBOX-8'
  readonly #sources: Sources
  /** Items that ended as cancelled and that the broker has never had. */
  readonly #cancelled = new Set<string>()
  /** Tasks whose record is gone. Of these the broker may say that it does not know them. */
  readonly #forgotten = new Set<string>()
  /** Of these it has said so. That they are forgotten may be written later. */
  readonly #unknown = new Map<string, string>()

  constructor(sources: Sources) {
    this.#sources = sources
  }

  see(observation: Observation, _: Surroundings, violate: Violate): void {
    const { stores, chronicle } = this.#sources
    stores.see(observation)
    const steps = chronicle.see(observation)
    for (const { fact } of chronicle.isRetold ? [] : steps) {
      if (fact.type === 'taskForgotten') this.#forgotten.add(fact.id)
      if (fact.type === 'taskAccepted' && this.#cancelled.has(fact.id))
        violate(`task ${fact.id} is accepted after its item was cancelled`, { ids: [fact.id] })
    }
    if (observation.type !== 'stored') return
    for (const { before, after } of stores.changed)
      if (!after.isRemoved && before?.state !== after.state) this.#judge(after, before?.state, violate)
  }

  finish(_: Surroundings, violate: Violate): void {
    for (const [id, device] of this.#unknown) {
      const item = this.#sources.stores.items.get(id)
      const isSettled = item?.state === 'failed' || item?.state === 'cancelled'
      if (isSettled && !this.#forgotten.has(id) && !this.#sources.chronicle.damaged.has(id))
        violate(
          `${device} has item ${id} as ${item.state}, which was not recorded, and the broker has not forgotten its task`,
          { ids: [id], nodes: [device] },
          item.state === 'failed' ? 'OUTBOX-2' : 'OUTBOX-8',
        )
    }
  }

  #judge({ id, state, device, code = '' }: KeptItem, before: string | undefined, violate: Violate): void {
    const { chronicle } = this.#sources
    if (chronicle.damaged.has(id)) return
    const recorded = chronicle.outcomesOf(id)
    const about = { ids: [id], nodes: [device] }
    if (state === 'done' && !recorded.some(({ status }) => status === 'succeeded'))
      violate(`${device} has item ${id} as done, and its task has not succeeded`, about, 'OUTBOX-2')
    if (state === 'failed' && code !== 'unknown_task' && !recorded.some(({ reason }) => reason === code))
      violate(`${device} has item ${id} as failed (${code}), which was not recorded`, about, 'OUTBOX-2')
    if (state === 'failed' && code === 'unknown_task') this.#unknown.set(id, device)
    if (state !== 'cancelled' || recorded.some(({ status }) => status === 'cancelled')) return
    if (!chronicle.wasAccepted(id)) {
      // A submission that was refused before may be on its way a second time.
      if (before !== 'parked') this.#cancelled.add(id)
    } else if (before !== 'parked') this.#unknown.set(id, device)
  }
}
