import type { OutboxItemState } from '@sluice/machines/states'
import type { OutboxItem } from './item.ts'
import type { ItemView } from './outbox-client.ts'
import type { OutboxStore } from './store.ts'
import { closedError, type ResultOf, TrackedItem } from './tracked-item.ts'

/** The number of items that are read from the store at once. */
const PAGE = 250

export interface TrackedItemsOptions {
  store: OutboxStore
  /** An item as an app shows it. */
  shown: (item: OutboxItem) => ItemView
  /** Whether any of them waits for the tab that leads. */
  onPending: (isAny: boolean) => void
  resultOf: ResultOf
}

/** The items that somebody in this tab has a handle of and that have not ended. */
export class TrackedItems {
  readonly #items = new Map<string, TrackedItem>()
  readonly #store: OutboxStore
  readonly #shown: (item: OutboxItem) => ItemView
  readonly #onPending: (isAny: boolean) => void
  readonly #resultOf: ResultOf
  #pending = 0

  constructor({ store, shown, onPending, resultOf }: TrackedItemsOptions) {
    this.#store = store
    this.#shown = shown
    this.#onPending = onPending
    this.#resultOf = resultOf
  }

  track(id: string, state: OutboxItemState): TrackedItem {
    let item = this.#items.get(id)
    if (item === undefined) {
      item = new TrackedItem(id, state, this.#resultOf)
      if (!item.hasEnded) this.#items.set(id, item)
      this.#count(0, item.isPending ? 1 : 0)
    }
    return item
  }

  update(
    { id, state, error, progress }: Pick<ItemView, 'id' | 'state' | 'error' | 'progress'>,
    result?: { value: unknown },
  ): void {
    const item = this.#items.get(id)
    if (item === undefined) return
    const was = item.isPending
    item.update(state, error, progress, result)
    if (item.hasEnded) this.#items.delete(id)
    this.#count(was ? 1 : 0, item.isPending ? 1 : 0)
  }

  discard(id: string): void {
    this.update({ id, state: 'discarded' })
  }

  /** Reads again what may have changed unheard. Items that are in memory only are left out. */
  async refresh(): Promise<void> {
    const ids = [...this.#items.values()].filter(({ state }) => state !== 'unsaved').map(({ id }) => id)
    while (ids.length > 0) await this.read(ids.splice(0, PAGE))
  }

  async read(ids: readonly string[]): Promise<void> {
    const items = await this.#store.get(ids)
    for (const [index, item] of items.entries()) {
      if (item === undefined) this.discard(ids[index]!)
      else this.update(this.#shown(item))
    }
  }

  /** Every item is shown in the state that its stored one means now. */
  reshow(state: (state: OutboxItemState, id: string) => OutboxItemState): void {
    for (const item of this.#items.values()) item.update(state(item.state, item.id), undefined, undefined)
  }

  close(): void {
    const error = closedError()
    for (const item of this.#items.values()) item.close(error)
    this.#items.clear()
  }

  #count(before: number, after: number): void {
    const wasAny = this.#pending > 0
    this.#pending += after - before
    const isAny = this.#pending > 0
    if (isAny !== wasAny) this.#onPending(isAny)
  }
}
