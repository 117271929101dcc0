import type { OutboxItemState } from '@sluice/machines/states'
import type { Platform } from '../platform.ts'
import type { OutboxItem } from './item.ts'
import type { MemoryItems } from './memory-items.ts'
import type { ItemView } from './outbox-client.ts'
import type { OutboxStore } from './store.ts'
import { closedError, type ResultOf, TrackedItem } from './tracked-item.ts'

/** The number of items that are read from the store at once. */
const PAGE = 250
/** The wait before a store that failed is asked again: from, up to, in ms. */
const AGAIN_MS = 250
const AGAIN_MS_MAX = 10_000

export interface TrackedItemsOptions {
  store: OutboxStore
  platform: Platform
  /** What is in memory only. The store knows nothing of it. */
  memory: Pick<MemoryItems, 'keeps' | 'store'>
  /** An item as an app shows it. */
  shown: (item: OutboxItem) => ItemView
  /** Whether any of them waits for the tab that leads. */
  onPending: (isAny: boolean) => void
  /** The store failed, or works again. */
  onStorage: (error: unknown) => void
}

/** The items that somebody in this tab has a handle of and that have not ended. */
export class TrackedItems {
  readonly #items = new Map<string, TrackedItem>()
  readonly #options: TrackedItemsOptions
  readonly #resultOf: ResultOf
  #pending = 0
  #failures = 0
  #cancelAgain: (() => void) | undefined
  #isClosed = false

  constructor(options: TrackedItemsOptions) {
    this.#options = options
    const { memory, store } = options
    this.#resultOf = async (id) => (await memory.store.result(id)) ?? store.result(id)
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
  refresh(): void {
    this.read([...this.#items.keys()])
  }

  /** Reads these. If the store fails, all are read later. Nobody else may tell of what has ended already. */
  read(ids: readonly string[]): void {
    this.#read(ids).then(
      () => {
        if (this.#failures === 0) return
        this.#failures = 0
        this.#options.onStorage(undefined)
      },
      (error: unknown) => {
        if (this.#isClosed) return
        this.#options.onStorage(error)
        const delayMs = Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** this.#failures)
        this.#failures += 1
        this.#cancelAgain?.()
        this.#cancelAgain = this.#options.platform.setTimer(() => this.refresh(), delayMs)
      },
    )
  }

  async #read(all: readonly string[]): Promise<void> {
    const { store, shown, memory } = this.#options
    const ids = all.filter((id) => !memory.keeps(id))
    for (let from = 0; from < ids.length; from += PAGE) {
      const page = ids.slice(from, from + PAGE)
      for (const [index, item] of (await store.get(page)).entries()) {
        if (item === undefined) this.discard(page[index]!)
        else this.update(shown(item))
      }
    }
  }

  /** Every item is shown in the state that its stored one means now. */
  reshow(state: (state: OutboxItemState, id: string) => OutboxItemState): void {
    for (const item of this.#items.values()) item.update(state(item.state, item.id), undefined, undefined)
  }

  close(): void {
    this.#isClosed = true
    this.#cancelAgain?.()
    const error = closedError()
    for (const item of this.#items.values()) item.close(error)
    this.#items.clear()
  }

  #count(before: number, after: number): void {
    const wasAny = this.#pending > 0
    this.#pending += after - before
    const isAny = this.#pending > 0
    if (isAny !== wasAny) this.#options.onPending(isAny)
  }
}
