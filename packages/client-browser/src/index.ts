/**
 * The client in a browser: submissions that survive reloads, crashes and hours offline.
 * @module @sluice/client-browser
 */
export type { StoreState } from './store/connection.ts'
export { type IndexedDbStoreOptions, indexedDbStore } from './store/indexeddb-store.ts'
export type { Migration } from './store/schema.ts'
export { tabGroup } from './tab-group.ts'
