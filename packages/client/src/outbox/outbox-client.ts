import type { ConnectionState, ConnectionTimings, OutboxItemState } from '@sluice/machines/states'
import type { SubmitOptions } from '@sluice/protocol'
import type { Logger } from '../logger.ts'
import type { Platform } from '../platform.ts'
import type { TaskContract } from '../task-contract.ts'
import type { TokenSource } from '../token-source.ts'
import type { OutboxItem } from './item.ts'
import type { OutboxErrorCode } from './outbox-error.ts'
import type { ItemQuery, OutboxStore } from './store.ts'
import type { TabGroup } from './surroundings.ts'

export interface OutboxClientOptions {
  /** `ws://` or `wss://`. */
  url: string
  /** For a broker with access control. A function is called again when a token expires. */
  token?: TokenSource
  /** Whose submissions these are, such as the id of the user who is signed in. 1 – 200 characters. */
  owner: string
  /** A label for people, shown by the broker. */
  name?: string
  store: OutboxStore
  /** Connects the tabs that share the store. Without it this client sends everything in the store itself. */
  group?: TabGroup
  /** Default: `globalThis.WebSocket`, its timers and its randomness. */
  platform?: Platform
  /** The version of this program's inputs. Raise it when an old input would not do any more. Default 1. */
  inputVersion?: number
  /**
   * Called for a saved item of an older `inputVersion` before it is sent. It returns the new input. If it throws, the
   * item is parked with `upgrade_failed`. Without it, old inputs are sent as they are.
   */
  upgrade?: (item: OutboxItem, input: unknown) => unknown
  /**
   * What `submit` does if the store cannot write. `throw`: it rejects with the OutboxError. `memory`: it resolves with a
   * handle that is `unsaved`. The item is sent from memory, and is lost if this tab ends before that. It is saved as
   * soon as the store can write again. Default `throw`.
   */
  whenUnsaved?: 'throw' | 'memory'
  /** How many ended items of the owner are kept with their results, 0 or more. The oldest go first. Default 1,000. */
  keepEnded?: number
  timings?: Partial<ConnectionTimings>
  /** Default: warnings and errors go to the console. */
  logger?: Logger
}

export interface OutboxSubmitOptions extends SubmitOptions {
  /** A UUIDv7. The same id is the same task. Default: a new one. */
  id?: string
  /** Items of this owner with the same key are sent one after the other, in the order in which they were saved. */
  orderingKey?: string
  /**
   * Names the intent, such as `pay order 7`. A second submission with the same intent gives the handle of the first,
   * for as long as that item is kept. Without it each call is an intent of its own. 1 – 200 characters.
   */
  intent?: string
  /** Small JSON to show to people, such as a file name. It stays on this device. At most 4,096 characters. */
  label?: unknown
}

/** A submission in the outbox. It can be made again from its id, also after a reload and in another tab. */
export interface OutboxHandle<O = unknown> {
  readonly id: string
  /** The newest known state. `unsaved` or `saved` when `submit` resolves. */
  readonly state: OutboxItemState
  /**
   * Resolves when the broker has made the task durable.
   * @throws SluiceError or OutboxError if the item is parked; ClosedError; OutboxError `unknown_item` if it is discarded
   */
  readonly accepted: Promise<void>
  /**
   * The task's result. It is read from the store if the task has ended.
   * @throws TaskDeadError, TaskCancelledError, SluiceError (the item is parked, or `unknown_task`), OutboxError
   * `unknown_item`, ClosedError, ValidationError, or the signal's reason; the signal ends the wait, not the task
   */
  result(options?: { signal?: AbortSignal }): Promise<O>
  /** The values that the handler reports, while this tab is open. It ends with the task. */
  progress(options?: { signal?: AbortSignal }): AsyncIterable<unknown>
  /**
   * Cancels the task. Resolves when the wish is saved, so it works offline too. The state is `cancelling` until the
   * broker has confirmed it. A task that ends first keeps its outcome.
   * @throws SluiceError `task_finished`; OutboxError
   */
  cancel(): Promise<void>
}

/** An item as an app shows it. */
export interface ItemView extends Omit<OutboxItem, 'state'> {
  state: OutboxItemState
  /** The newest value that the handler has reported. */
  progress?: unknown
}

/** What has changed. */
export interface OutboxChange {
  /** The items in their new state. */
  items: readonly ItemView[]
  /** The ids of removed items. */
  removed: readonly string[]
}

/** The outbox as a whole. The object is replaced when something in it changes. */
export interface OutboxStatus {
  /** Of this tab. Only the leader and a tab that works for itself have a connection. */
  connection: ConnectionState
  /**
   * - `waiting`: another tab sends what is saved, and this one would take over.
   * - `leading`: this tab sends what is saved.
   * - `paused`: this tab is hidden for good or frozen, and does nothing.
   * - `closed`: `close` was called.
   */
  role: 'waiting' | 'leading' | 'paused' | 'closed'
  /** Whether the broker wants another token. Nothing is sent, and nothing is lost, until `authenticate` is called. */
  auth: 'ok' | 'needed'
  /** `ok`, or why the store cannot be used now. It is asked again by itself. */
  storage: 'ok' | OutboxErrorCode
}

/** An item with its input, to be kept or sent elsewhere by hand. */
export interface ExportedItem {
  item: ItemView
  /** A JSON value or bytes. */
  input: unknown
}

/**
 * Submits tasks through a durable outbox. A submission is saved first and sent whenever there is a connection. Reload,
 * crash and hours offline lose nothing and double nothing.
 */
export interface OutboxClient {
  readonly owner: string
  readonly status: OutboxStatus
  /**
   * Resolves when the submission is saved on this device. Await `handle.accepted` to know that the broker has it.
   * @throws ValidationError, SluiceError `bad_message`, or an OutboxError if the store cannot write
   */
  submit<I, O>(
    contract: TaskContract<I, O, unknown, unknown>,
    input: NoInfer<I>,
    options?: OutboxSubmitOptions,
  ): Promise<OutboxHandle<O>>
  submit(queue: string, input: unknown, options?: OutboxSubmitOptions): Promise<OutboxHandle>
  /** A handle for an item that was saved earlier or in another tab. */
  handle<O = unknown>(id: string, contract?: TaskContract<unknown, O, unknown, unknown>): OutboxHandle<O>
  /**
   * The items of this owner in the order in which they were saved.
   * @param query `states` default: all; `after`: a `seq`; `limit` default 100; `isNewestFirst`: the newest ones, without
   * `after`
   */
  list(query?: Partial<Omit<ItemQuery, 'owner'>>): Promise<ItemView[]>
  get(id: string): Promise<ItemView | undefined>
  /** The number of items in each state. */
  counts(): Promise<Readonly<Record<OutboxItemState, number>>>
  /** @returns a function that ends the subscription */
  onChange(listener: (change: OutboxChange) => void): () => void
  /** @returns a function that ends the subscription */
  onStatus(listener: (status: OutboxStatus) => void): () => void
  /** Sends a parked item again. It gets its place behind those that were saved before it. */
  retry(id: string): Promise<void>
  /**
   * Removes an item for good. A parked one releases what waits behind its key.
   * @throws OutboxError `unknown_item`; SluiceError `task_finished` if the broker has accepted it: cancel it instead
   */
  discard(id: string): Promise<void>
  /** @throws OutboxError `unknown_item`, also if the task has ended, because its input is dropped then */
  export(id: string): Promise<ExportedItem>
  /** Tries again after `auth` was `needed`. Give a token, or nothing if `token` is a function. */
  authenticate(token?: TokenSource): void
  /**
   * Ends the work for this owner and closes the client.
   * - `keep`: what is saved stays on this device until the owner signs in again.
   * - `send`: waits until nothing of the owner waits to be accepted. `signal` ends the wait.
   * - `delete`: removes all items of the owner. What the broker has accepted goes on there.
   * @throws OutboxError `held_back` if `send` would wait behind a parked item; the client is not closed then
   */
  signOut(what: 'keep' | 'send' | 'delete', options?: { signal?: AbortSignal }): Promise<void>
  /** The page may be gone soon, or is frozen: hands leadership over and closes the connection. Nothing is lost. */
  pause(): void
  /** The page is back. Takes nothing for granted. */
  resume(): void
  /** The network or the page has come back: ends waits of the connection and of the store at once. */
  wake(): void
  /** Closes the connection and ends all waits with ClosedError. What is saved stays saved. Idempotent. */
  close(): Promise<void>
}
