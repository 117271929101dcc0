import type { OutboxItemEvent } from '@sluice/machines'
import { ERRORS } from '@sluice/protocol'
import type { ProducerClient } from '../client.ts'
import { SluiceError, TaskCancelledError, TaskDeadError } from '../errors.ts'
import type { TaskHandle } from '../handle.ts'
import { Batcher } from './batcher.ts'
import type { OutboxItem } from './item.ts'
import { itemErrorOf } from './item-error.ts'
import type { LiveItem } from './live-item.ts'
import type { LiveItems } from './live-items.ts'
import { isEnded } from './memory-store.ts'
import { OutboxError } from './outbox-error.ts'
import type { ItemChange, OutboxStore } from './store.ts'

/** The number of changes in one transaction. */
const CHANGES_MAX = 500
/** Acceptances of this time are noted together, in ms. Each transaction costs more than many items in it. */
const NOTE_MS = 100
/** Old results are removed after this many new ones. */
const PRUNE_EVERY = 64
/** The number of outcomes that are kept in memory while the store fails. The broker is asked again for others. */
const UNSTORED_MAX = 100
/** The stored states that an outcome replaces. The note of the acceptance may be missing. */
const UNENDED = ['saved', 'accepted', 'cancelling'] as const
const EVENT_OF = { done: 'succeed', failed: 'die', cancelled: 'end' } as const satisfies Record<string, OutboxItemEvent>

export interface OutcomesOptions {
  store: OutboxStore
  owner: string
  live: LiveItems
  keepEnded: number
  setTimer: (fn: () => void, ms: number) => () => void
  /** Whether this client is still the one that the items in hand were given to. */
  isCurrent: (client: ProducerClient) => boolean
  onEnded: (item: OutboxItem) => void
  onRemoved: (ids: readonly string[]) => void
  /** The broker does not tell the outcome of this task now. It may be asked again after `afterMs`. */
  onUnfollowed: (live: LiveItem, afterMs: number | undefined) => void
  /** The store failed to note something of this item. `isLasting` if it will not fit later either. */
  onUnstored: (item: OutboxItem, error: unknown, isLasting: boolean) => void
}

/** Follows accepted tasks to their outcome, cancels those that are to be cancelled, and notes both in the store. */
export class Outcomes {
  readonly #options: OutcomesOptions
  readonly #changes: Batcher<ItemChange, OutboxItem | undefined>
  readonly #accepted: Batcher<LiveItem, LiveItem>
  /** Accepted items that wait to be noted together. */
  #unnoted: LiveItem[] = []
  #cancelNoting: (() => void) | undefined
  /** Outcomes that the store has not taken. The broker may have forgotten them when it works again. */
  readonly #unstored = new Map<string, ItemChange>()
  #ended = 0

  constructor(options: OutcomesOptions) {
    this.#options = options
    this.#changes = new Batcher(CHANGES_MAX, (changes) => options.store.change(changes, 'relaxed'))
    this.#accepted = new Batcher(CHANGES_MAX, (items) => this.#storeAccepted(items))
  }

  /** The broker has made the task durable. */
  accepted(live: LiveItem): void {
    const { live: items } = this.#options
    // It may have been shown as given back while the connection was lost.
    if (live.state !== 'sending') items.move(live, 'send')
    items.move(live, 'accept')
    this.#unnoted.push(live)
    this.#cancelNoting ??= this.#options.setTimer(() => this.noteAccepted(), NOTE_MS)
  }

  /** Notes at once what was accepted and is not noted yet. */
  noteAccepted(): void {
    this.#cancelNoting?.()
    this.#cancelNoting = undefined
    // What has ended meanwhile is noted with its outcome.
    for (const live of this.#unnoted.splice(0)) if (!live.isEnding) void this.#noteAccepted(live)
  }

  follow(live: LiveItem, handle: TaskHandle, client: ProducerClient): void {
    const { isCurrent, onUnfollowed } = this.#options
    const unstored = this.#unstored.get(live.id)
    if (unstored !== undefined) {
      void this.#end(live, EVENT_OF[unstored.to as keyof typeof EVENT_OF], unstored)
      return
    }
    handle.result().then(
      (result) => {
        if (isCurrent(client)) void this.#end(live, 'succeed', { id: live.id, from: UNENDED, to: 'done', result })
      },
      (error: unknown) => {
        if (error instanceof TaskCancelledError) void this.#cancelled(live)
        else if (error instanceof SluiceError && ERRORS[error.code].retry !== 'no') {
          if (isCurrent(client)) onUnfollowed(live, error.retryAfterMs)
        } else if (error instanceof TaskDeadError || isCurrent(client))
          void this.#end(live, 'die', { id: live.id, from: UNENDED, to: 'failed', error: itemErrorOf(error) })
      },
    )
    void this.#listen(live, handle, client)
  }

  /** Cancels a task at the broker. The item's `cancelling` is stored. */
  cancel(live: LiveItem, client: ProducerClient): void {
    const { live: items, isCurrent } = this.#options
    const isFollowed = live.state === 'accepted' || live.state === 'running'
    if (live.state === 'unsaved' || live.state === 'saved') live.move('send')
    if (live.state !== 'cancelling') items.move(live, 'cancel')
    live.sending.abort()
    const handle = client.handle(live.id)
    handle.cancel().then(
      () => this.#cancelled(live),
      (error: unknown) => {
        if (!isCurrent(client)) return
        // The broker has never seen it. What was still under way has arrived before the question.
        if (error instanceof SluiceError && error.code === 'unknown_task') void this.#cancelled(live)
        else if (!isFollowed) this.follow(live, handle, client)
      },
    )
  }

  /** Removes the oldest outcomes beyond those that are kept. */
  async prune(): Promise<void> {
    const { store, owner, keepEnded, onRemoved } = this.#options
    const ids = await store.prune(owner, keepEnded)
    if (ids.length > 0) onRemoved(ids)
  }

  async #listen(live: LiveItem, handle: TaskHandle, client: ProducerClient): Promise<void> {
    const { live: items, isCurrent } = this.#options
    for await (const value of handle.progress()) {
      if (!isCurrent(client) || live.isEnding) return
      live.progress = value
      if (live.state === 'accepted') items.move(live, 'run')
      else items.tell(live)
    }
  }

  #cancelled(live: LiveItem): Promise<void> {
    return this.#end(live, 'end', { id: live.id, from: UNENDED, to: 'cancelled' })
  }

  async #end(live: LiveItem, event: OutboxItemEvent, change: ItemChange): Promise<void> {
    const { live: items, onEnded } = this.#options
    if (!items.holds(live) || live.isEnding) return
    live.isEnding = true
    const note = await this.#note(live, change)
    // Meanwhile it may have been removed, or this tab does not lead any more.
    if (!items.holds(live)) {
      // Who leads now may have looked at the item before, and does not look again.
      if (note === 'noted') items.tell(live.stored)
      return
    }
    items.delete(live)
    live.move(event)
    if (note === 'failed' && change.error !== undefined) live.item = { ...live.item, error: change.error }
    // A stale note is of an item that is removed or has ended, and of which a forgetful broker may know nothing.
    if (event === 'succeed') items.tell(live, note === 'noted' ? undefined : { value: change.result })
    else if (note !== 'stale') items.tell(live)
    onEnded(live.item)
    this.#ended += 1
    if (this.#ended % PRUNE_EVERY === 0) await this.prune().catch(() => {})
  }

  async #noteAccepted(live: LiveItem): Promise<void> {
    try {
      await this.#accepted.add(live)
      if (live.item.state === 'saved') live.item = { ...live.item, state: 'accepted' }
    } catch (error) {
      // Nothing is lost: the item is sent again, and the broker gives the same answer.
      this.#unstorable(live.item, error)
    }
  }

  async #storeAccepted(all: readonly LiveItem[]): Promise<readonly LiveItem[]> {
    const { store, live: items } = this.#options
    await store.accept(all.map(({ item }) => item))
    // The number of items in the store has changed: it must be counted again.
    const last = all.findLast((live) => items.holds(live) && !live.isEnding)
    if (last !== undefined) items.tell(last)
    return all
  }

  /** Notes in the store what is known. If that fails nothing is lost: the broker gives the same answer again. */
  async #note(live: LiveItem, change: ItemChange): Promise<'noted' | 'stale' | 'failed'> {
    try {
      const item = await this.#changes.add(change)
      this.#unstored.delete(live.id)
      if (item === undefined) return 'stale'
      live.item = item
      return 'noted'
    } catch (error) {
      if (isEnded(change.to) && this.#unstored.size < UNSTORED_MAX) this.#unstored.set(live.id, change)
      this.#unstorable(live.item, error)
      return 'failed'
    }
  }

  #unstorable(item: OutboxItem, error: unknown): void {
    this.#options.onUnstored(item, error, error instanceof OutboxError && error.code === 'store_full')
  }
}
