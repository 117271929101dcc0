import type { SubmitOptions, TaskFailure } from '@sluice/protocol'
import type { Encoded } from '../encode-value.ts'

/** The version of stored items that this program writes. */
export const ITEM_VERSION = 1

/**
 * The states that a store keeps. `sending`, `running` and `needsAuth` exist only while a tab is connected or tries to
 * connect; a store has such an item as `saved` or `accepted`.
 */
export type StoredState = 'saved' | 'accepted' | 'cancelling' | 'parked' | 'done' | 'failed' | 'cancelled'

/** The states in which an item waits for something. */
export const PENDING_STATES = ['saved', 'accepted', 'cancelling', 'parked'] as const satisfies readonly StoredState[]
/** The states that have an outcome. */
export const ENDED_STATES = ['done', 'failed', 'cancelled'] as const satisfies readonly StoredState[]

export const ALL_STATES: readonly StoredState[] = [...PENDING_STATES, ...ENDED_STATES]

/** Why an item is parked or failed, as plain data. */
export interface ItemError {
  /** A code of the protocol's table, of `OutboxError`, or the reason of a dead task. */
  code: string
  message: string
  /** The path of the field at fault. */
  field?: string
  /** The exceeded limit, in the field's unit. */
  limit?: number
  /** Of a dead task: the failure of its last attempt, and how many there were. */
  failure?: TaskFailure
  attempts?: number
}

/** What an app adds to a submission. */
export interface ItemFields {
  /** A UUIDv7 in lower case. It names the task from here to the broker. */
  id: string
  /** Whose item this is. It is never sent with the token of another owner. */
  owner: string
  queue: string
  options?: SubmitOptions
  /** Items of one owner with the same key are sent one after the other. */
  orderingKey?: string
  /** Names the intent. A second submission of the same intent is the same item. */
  intent?: string
  /** Small JSON that an app shows to people, such as a file name. It stays on the device. */
  label?: unknown
  /** The version of the app's inputs, see `inputVersion` of the client. */
  inputVersion: number
}

/** An entry of the outbox: plain data without its body and without promises. */
export interface OutboxItem extends ItemFields {
  version: number
  /** The order in which items were stored, over all tabs and owners. */
  seq: number
  state: StoredState
  bodyBytes: number
  /** Present if the item is parked or failed. */
  error?: ItemError
}

/** An item that is to be stored. */
export interface NewItem extends ItemFields {
  version: number
  body: Encoded
}
