import type { OutboxItemEvent } from '@sluice/machines'
import type { Platform } from '../platform.ts'
import type { OutboxItem } from './item.ts'
import { LiveItem } from './live-item.ts'

/** The items that this tab has in hand: under way to the broker, or waiting for an outcome. */
export class LiveItems {
  readonly #items = new Map<string, LiveItem>()
  readonly #isDurable: boolean
  readonly #platform: Platform
  readonly #onChange: (live: LiveItem, result?: { value: unknown }) => void

  /** @param isDurable whether the items are saved, rather than in memory only */
  constructor(isDurable: boolean, platform: Platform, onChange: (live: LiveItem, result?: { value: unknown }) => void) {
    this.#isDurable = isDurable
    this.#platform = platform
    this.#onChange = onChange
  }

  get(id: string): LiveItem | undefined {
    return this.#items.get(id)
  }

  has(id: string): boolean {
    return this.#items.has(id)
  }

  /** Whether this very object is still the one in hand. */
  holds(live: LiveItem): boolean {
    return this.#items.get(live.id) === live
  }

  [Symbol.iterator](): Iterator<LiveItem> {
    return this.#items.values()
  }

  take(item: OutboxItem): LiveItem {
    const live = new LiveItem(item, this.#isDurable, this.#platform)
    this.#items.set(item.id, live)
    return live
  }

  /** Tells of an item whose state, progress or result is new. */
  tell(live: LiveItem, result?: { value: unknown }): void {
    this.#onChange(live, result)
  }

  move(live: LiveItem, event: OutboxItemEvent): void {
    live.move(event)
    this.#onChange(live)
  }

  /** The connection does not have it any more. */
  giveBack(live: LiveItem): void {
    if (live.state === 'sending') this.move(live, this.#isDurable ? 'giveBack' : 'lapse')
    else if (live.state === 'running') this.move(live, 'giveBack')
  }

  /** It is not in hand any more. */
  drop(live: LiveItem): void {
    this.giveBack(live)
    this.delete(live)
  }

  /** As `drop`, for an item whose state has been told. */
  delete(live: LiveItem): void {
    if (this.holds(live)) this.#items.delete(live.id)
  }

  clear(): void {
    this.#items.clear()
  }
}
