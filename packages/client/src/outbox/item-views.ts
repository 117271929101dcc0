import type { OutboxItemState } from '@sluice/machines/states'
import type { OutboxItem } from './item.ts'
import type { ItemView, OutboxStatus } from './outbox-client.ts'
import type { Counts } from './store.ts'

/**
 * The stored items as an app shows them. A store has no word for what lasts only as long as a connection. What the
 * leader tells of that, here or in another tab, is kept beside it.
 */
export class ItemViews {
  readonly #isDurable: boolean
  /** Items that are under way or running, as the leader has told it last. */
  readonly #volatile = new Map<string, ItemView>()
  /** Whether the broker wants another token. */
  auth: OutboxStatus['auth'] = 'ok'

  /** @param isDurable whether what is stored survives the program */
  constructor(isDurable: boolean) {
    this.#isDurable = isDurable
  }

  of(item: OutboxItem): ItemView {
    const told = this.#volatile.get(item.id)
    if (item.state === 'saved' && told?.state === 'sending') return { ...item, state: 'sending' }
    if (item.state === 'accepted' && told?.state === 'running') return { ...told, ...item, state: 'running' }
    return { ...item, state: this.shown(item.state) }
  }

  /**
   * What waits to be sent waits for a token if one is needed. Only a durable store has saved anything.
   * @param isInMemory whether the item is in memory besides the store
   */
  shown(state: OutboxItemState, isInMemory = false): OutboxItemState {
    if (state !== 'saved' && state !== 'unsaved' && state !== 'needsAuth') return state
    if (this.auth === 'needed') return 'needsAuth'
    if (isInMemory || !this.#isDurable) return 'unsaved'
    return state === 'needsAuth' ? 'saved' : state
  }

  /** The leader has told of this item. */
  told(item: ItemView): ItemView {
    if (item.state === 'sending' || item.state === 'running') this.#volatile.set(item.id, item)
    else this.#volatile.delete(item.id)
    return { ...item, state: this.shown(item.state) }
  }

  forget(id: string): void {
    this.#volatile.delete(id)
  }

  /** Another tab leads. What the one before it was sending is not known. */
  clear(): void {
    this.#volatile.clear()
  }

  /** @param unsaved the number of items that are in memory besides the store */
  counts({ saved, accepted, ...rest }: Counts, unsaved: number): Readonly<Record<OutboxItemState, number>> {
    const told = { sending: 0, running: 0 }
    for (const { state } of this.#volatile.values()) if (state === 'sending' || state === 'running') told[state] += 1
    // A change that was told may not be stored yet.
    const sending = Math.min(saved, told.sending)
    const running = Math.min(accepted, told.running)
    const counts = {
      ...rest,
      unsaved,
      saved: 0,
      needsAuth: 0,
      sending,
      accepted: accepted - running,
      running,
      discarded: 0,
    }
    counts[this.shown('saved') as 'saved' | 'unsaved' | 'needsAuth'] += saved - sending
    return counts
  }
}
