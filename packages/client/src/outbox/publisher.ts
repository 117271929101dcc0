import type { Platform } from '../platform.ts'
import type { ItemView, OutboxChange } from './outbox-client.ts'

/** Changes are told once in this time, about once a frame of a screen, in ms. */
const INTERVAL_MS = 16
/** The same after a publication of so many items. Most of them have changed again by then, and are told once. */
const MANY_ITEMS = 100
const MANY_INTERVAL_MS = 100

export interface Publication extends OutboxChange {
  /** Results that could not be stored. */
  results: readonly [string, unknown][]
}

/** Collects changes, and keeps the newest one of each item. */
export class Publisher {
  readonly #platform: Platform
  readonly #publish: (publication: Publication) => void
  readonly #items = new Map<string, ItemView>()
  readonly #removed = new Set<string>()
  readonly #results = new Map<string, unknown>()
  #cancel: (() => void) | undefined
  #intervalMs = INTERVAL_MS
  #isClosed = false

  constructor(platform: Platform, publish: (publication: Publication) => void) {
    this.#platform = platform
    this.#publish = publish
  }

  change(item: ItemView, result?: { value: unknown }): void {
    this.#items.set(item.id, item)
    if (result !== undefined) this.#results.set(item.id, result.value)
    this.#schedule()
  }

  remove(ids: readonly string[]): void {
    for (const id of ids) {
      this.#items.delete(id)
      this.#removed.add(id)
    }
    this.#schedule()
  }

  /** Tells at once what has been collected. */
  flush(): void {
    this.#cancel?.()
    this.#cancel = undefined
    if (this.#items.size === 0 && this.#removed.size === 0) return
    const publication = { items: [...this.#items.values()], removed: [...this.#removed], results: [...this.#results] }
    this.#intervalMs = this.#items.size < MANY_ITEMS ? INTERVAL_MS : MANY_INTERVAL_MS
    this.#items.clear()
    this.#removed.clear()
    this.#results.clear()
    this.#publish(publication)
  }

  /** Tells what has been collected, and nothing afterwards. */
  close(): void {
    this.flush()
    this.#isClosed = true
  }

  #schedule(): void {
    if (this.#isClosed) return
    this.#cancel ??= this.#platform.setTimer(() => this.flush(), this.#intervalMs)
  }
}
