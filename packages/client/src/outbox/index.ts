/**
 * Submissions that survive their program: an outbox on a store that the runtime supplies.
 * @module @sluice/client/outbox
 */
export { type Encoded, encodeValue } from '../encode-value.ts'
export { createOutboxClient } from './create-outbox-client.ts'
export {
  ENDED_STATES,
  ITEM_VERSION,
  type ItemError,
  type NewItem,
  type OutboxItem,
  PENDING_STATES,
  type StoredState,
} from './item.ts'
export { outboxLockName } from './leadership.ts'
export { bytesOf, changedItem, isEnded, memoryStore, noItems } from './memory-store.ts'
export type {
  ExportedItem,
  ItemView,
  OutboxChange,
  OutboxClient,
  OutboxClientOptions,
  OutboxHandle,
  OutboxStatus,
  OutboxSubmitOptions,
} from './outbox-client.ts'
export { OutboxError, type OutboxErrorCode } from './outbox-error.ts'
export type { Counts, Durability, ItemChange, ItemQuery, OutboxStore } from './store.ts'
export type { Channel, Locks, TabGroup } from './surroundings.ts'
