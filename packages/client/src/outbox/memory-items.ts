import type { Encoded } from '../encode-value.ts'
import type { Platform } from '../platform.ts'
import type { NewItem, OutboxItem } from './item.ts'
import { tellStep } from './live-item.ts'
import { memoryStore } from './memory-store.ts'
import type { ItemView } from './outbox-client.ts'
import type { Sender } from './sender.ts'
import type { ItemChange, OutboxStore } from './store.ts'

/** The wait before the durable store is tried again: from, up to, in ms. */
const AGAIN_MS = 1000
const AGAIN_MS_MAX = 60_000
/** The number of items that are moved to the durable store at once. */
const PAGE = 100

export interface MemoryItemsOptions {
  platform: Platform
  /** The store that could not write. */
  store: OutboxStore
  sender: (memory: OutboxStore) => Sender
  /** Whether a connection is wanted may have changed. */
  onWanted: () => void
  /** These items are in the durable store now. */
  onSaved: (items: readonly OutboxItem[]) => void
}

/**
 * Items that could not be saved. This tab sends them itself, also while another one leads. They move to the durable store as soon as it
 * can write again.
 */
export class MemoryItems {
  readonly #options: MemoryItemsOptions
  readonly store = memoryStore()
  /** What is to be moved to the durable store. */
  readonly #items = new Map<string, NewItem>()
  #sender: Sender | undefined
  /** Everything that is in this store and not in the durable one, whether or not it is to be moved. */
  readonly #kept = new Set<string>()
  #isPaused = false
  #failures = 0
  #cancelAgain: (() => void) | undefined
  #isMoving = false

  constructor(options: MemoryItemsOptions) {
    this.#options = options
  }

  /** The number of items that are not accepted. */
  get size(): number {
    return this.#items.size
  }

  has(id: string): boolean {
    return this.#items.has(id)
  }

  /** Whether the item is only here, in whatever state. */
  keeps(id: string): boolean {
    return this.#kept.has(id)
  }

  get isSending(): boolean {
    return this.#sender !== undefined
  }

  async add(item: NewItem): Promise<OutboxItem> {
    const [added] = await this.store.add([item])
    // A submission of an intent that is here already adds nothing.
    if (added!.id === item.id) {
      this.#items.set(item.id, item)
      this.#kept.add(item.id)
    }
    if (this.#sender === undefined && !this.#isPaused) {
      this.#sender = this.#options.sender(this.store)
      this.#options.onWanted()
    }
    this.#sender?.look([added!])
    this.#tryLater()
    return added!
  }

  async get(id: string): Promise<ItemView | undefined> {
    const [item] = await this.store.get([id])
    if (item === undefined) return undefined
    return this.#sender?.get(id)?.view ?? { ...item, state: item.state === 'saved' ? 'unsaved' : item.state }
  }

  async body(id: string): Promise<Encoded | undefined> {
    const [body] = await this.store.bodies([id])
    return body
  }

  /**
   * Changes an item that is one of these. It does not move any more once it is to be cancelled.
   * @returns the item after the change; undefined if it was not applied
   */
  async change(change: ItemChange): Promise<OutboxItem | undefined> {
    const [changed] = await this.store.change([change], 'relaxed')
    if (changed === undefined) return undefined
    if (changed.state !== 'saved') this.#items.delete(changed.id)
    this.#sender?.look([changed])
    return changed
  }

  /** @returns whether the item was one of these */
  async remove(id: string): Promise<boolean> {
    const [item] = await this.store.get([id])
    if (item === undefined) return false
    this.#items.delete(id)
    this.#kept.delete(id)
    await this.store.remove([id], 'relaxed')
    this.#sender?.forget([id])
    return true
  }

  ready(): void {
    this.#sender?.ready()
  }

  down(): void {
    this.#sender?.down()
  }

  wake(): void {
    this.#sender?.wake()
    if (this.#items.size > 0) void this.#move()
  }

  pause(): void {
    this.#isPaused = true
    this.#cancelAgain?.()
    this.#cancelAgain = undefined
    this.#sender?.end()
    this.#sender = undefined
  }

  resume(): void {
    this.#isPaused = false
    if (this.#kept.size === 0) return
    this.#sender = this.#options.sender(this.store)
    this.#options.onWanted()
    this.#tryLater()
  }

  close(): void {
    this.pause()
    this.store.close()
  }

  #tryLater(): void {
    if (this.#cancelAgain !== undefined || this.#isPaused || !this.#options.store.isDurable) return
    const delayMs = Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** this.#failures)
    this.#failures += 1
    this.#cancelAgain = this.#options.platform.setTimer(() => {
      this.#cancelAgain = undefined
      void this.#move()
    }, delayMs)
  }

  /** Moves what is not accepted. The id stays, so it does no harm that it may be under way already. */
  async #move(): Promise<void> {
    if (this.#isMoving || this.#isPaused) return
    this.#isMoving = true
    try {
      while (this.#items.size > 0) {
        const items = [...this.#items.values()].slice(0, PAGE)
        const states = await this.store.get(items.map(({ id }) => id))
        const unsent = items.filter((_, index) => states[index]?.state === 'saved')
        const added = unsent.length === 0 ? [] : await this.#options.store.add(unsent)
        // If the store has an older item of the same intent, this one stays and is sent from here.
        const saved = added.filter(({ id }, index) => id === unsent[index]!.id)
        for (const { id } of items) this.#items.delete(id)
        for (const { id } of saved) this.#kept.delete(id)
        await this.store.remove(
          saved.map(({ id }) => id),
          'relaxed',
        )
        this.#sender?.forget(saved.map(({ id }) => id))
        for (const { id } of saved) tellStep(this.#options.platform, id, 'unsaved', 'save')
        if (saved.length > 0) this.#options.onSaved(saved)
      }
      this.#failures = 0
    } catch {
      // The store cannot write yet.
      this.#tryLater()
    } finally {
      this.#isMoving = false
    }
  }
}
