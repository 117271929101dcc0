import type { Encoded, OutboxItem } from '@sluice/client/outbox'
import type { DBSchema, IDBPDatabase, IDBPTransaction } from 'idb'

/** An item as it is stored, with a small body and a small result. Large ones have object stores of their own. */
export type Row = OutboxItem & { body?: Encoded; result?: { value: unknown } }

/** The object stores of the newest version. */
export interface OutboxSchema extends DBSchema {
  /** The key is `seq`. The browser makes it, and never makes one twice, even after items were removed. */
  items: {
    key: number
    value: Row
    indexes: {
      id: string
      /** `[owner, state, seq]`. */
      place: [string, string, number]
      /** `[owner, intent]`. Items without an intent are not in it. */
      intent: [string, string]
    }
  }
  /** Large ones, by the item's id, apart from the items, so that a list of items does not load them. */
  bodies: { key: string; value: Encoded }
  results: { key: string; value: { value: unknown } }
  /** The `seq` of many items that were accepted, see `AcceptanceNotes`. The browser makes the key. */
  notes: { key: number; value: number[] }
}

export const STORES = ['items', 'bodies', 'results', 'notes'] as const

export type Database = IDBPDatabase<OutboxSchema>
type Upgrade = IDBPTransaction<OutboxSchema, typeof STORES, 'versionchange'>

/**
 * Brings a database from one version to the next inside the upgrade: it happens as a whole or not at all. It may await
 * requests of `upgrade`, and nothing else.
 */
export type Migration = (database: Database, upgrade: Upgrade) => void | Promise<void>

/** The step at index `n` leads from version `n` to `n + 1`. Version 0 is a database that was not there. */
export const MIGRATIONS: readonly Migration[] = [
  (database) => {
    const items = database.createObjectStore('items', { keyPath: 'seq', autoIncrement: true })
    items.createIndex('id', 'id', { unique: true })
    items.createIndex('place', ['owner', 'state', 'seq'])
    items.createIndex('intent', ['owner', 'intent'], { unique: true })
    database.createObjectStore('bodies')
    database.createObjectStore('results')
  },
  (database) => void database.createObjectStore('notes', { autoIncrement: true }),
]
