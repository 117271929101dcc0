/**
 * The client in a browser: submissions that survive reloads, crashes and hours offline.
 * @module @sluice/client-browser
 */
export { type BrowserClient, type BrowserClientOptions, createBrowserClient } from './browser-client.ts'
export {
  type OutboxSnapshot,
  type OutboxView,
  type OutboxViewOptions,
  outboxView,
  type Source,
  type TaskSnapshot,
} from './outbox-view.ts'
export type { Page, StorageEstimate } from './page.ts'
export { registerSync } from './register-sync.ts'
export type { StoreState } from './store/connection.ts'
export { type IndexedDbStoreOptions, indexedDbStore } from './store/indexeddb-store.ts'
export type { Migration } from './store/schema.ts'
export { tabGroup } from './tab-group.ts'
