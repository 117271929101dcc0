import type { Encoded } from '../encode-value.ts'
import type { ItemError, NewItem, OutboxItem, StoredState } from './item.ts'

/** Which items to list: those of `owner` in one of `states`, the oldest first. */
export interface ItemQuery {
  owner: string
  states: readonly StoredState[]
  /** Only items with a greater `seq`. Default: all. */
  after?: number
  /** Lists the newest items, the newest first, in place of the oldest. Without `after`. */
  isNewestFirst?: boolean
  /** The maximum number of items, 1 or more. */
  limit: number
}

/** A change of one item. It is applied only if the item is in one of the states `from`. */
export interface ItemChange {
  id: string
  from: readonly StoredState[]
  to: StoredState
  /** Replaces the error; without it the item has none afterwards. */
  error?: ItemError
  /** The task's result, a JSON value or bytes. Only with `to: 'done'`. */
  result?: unknown
  /** Replaces the body. `inputVersion` goes with it. */
  body?: Encoded
  inputVersion?: number
}

/**
 * - `strict`: the change survives a crash of browser and machine once its promise has resolved.
 * - `relaxed`: it may be forgotten in a crash. Nothing is lost by that, because the same thing happens again.
 */
export type Durability = 'strict' | 'relaxed'

export type Counts = Readonly<Record<StoredState, number>>

/**
 * Where the items of an outbox are kept. Several tabs and a service worker use one store at the same time, so each
 * method is one transaction: it happens as a whole or not at all, and never in part.
 *
 * Every promise settles. A store that cannot do its work rejects with an `OutboxError`, after a deadline if need be, and
 * may be asked again later. `outboxStoreCases` of `@sluice/client/outbox/store-cases` tests all of this.
 */
export interface OutboxStore {
  /** Whether what is stored survives the program. A store in memory never says so. */
  readonly isDurable: boolean
  /**
   * Stores new items, strictly: they survive a crash once the promise has resolved. An item that is there already (the
   * same id, or the same owner and intent) is not stored again, and the one that is there is returned in its place.
   * @throws OutboxError; then none of them is stored
   */
  add(items: readonly NewItem[]): Promise<OutboxItem[]>
  get(ids: readonly string[]): Promise<(OutboxItem | undefined)[]>
  list(query: ItemQuery): Promise<OutboxItem[]>
  /** The number of items of an owner in each state. */
  counts(owner: string): Promise<Counts>
  /** The body of each item. It is gone once the task has ended. */
  bodies(ids: readonly string[]): Promise<(Encoded | undefined)[]>
  /** The result of a `done` item, in an object because a result may be any JSON value. */
  result(id: string): Promise<{ value: unknown } | undefined>
  /**
   * Applies the changes, all in one transaction. `from` is compared inside it, so two tabs cannot both win.
   * Bodies of ended items are dropped.
   * @returns the item after the change, or undefined where it was not applied
   */
  change(changes: readonly ItemChange[], durability: Durability): Promise<(OutboxItem | undefined)[]>
  /**
   * The broker has these items: those that are `saved` become `accepted`, and others stay as they are. A crash may forget
   * it. Not more than a few hundred items at once.
   */
  accept(items: readonly Pick<OutboxItem, 'id' | 'seq'>[]): Promise<void>
  /** Removes items with body and result. Ids that are not there are ignored. */
  remove(ids: readonly string[], durability: Durability): Promise<void>
  /**
   * Removes the oldest ended items of an owner beyond the newest `keep`.
   * @returns the ids of what was removed
   */
  prune(owner: string, keep: number): Promise<string[]>
  /** The owners with items, in no order. */
  owners(): Promise<string[]>
  /** Ends the use of the store. Idempotent. Methods reject afterwards. */
  close(): void
}
