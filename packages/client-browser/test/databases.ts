import type { NewItem, OutboxStore } from '@sluice/client/outbox'
import { type IndexedDbStoreOptions, indexedDbStore } from '@sluice/client-browser'
import { onTestFinished } from 'vitest'

let made = 0

/** A name that no other database of this run has. The database is removed when the test ends. */
export function databaseName(): string {
  made += 1
  const name = `test-${crypto.randomUUID()}-${made}`
  onTestFinished(() => removeDatabase(name))
  return name
}

/** Waits until the last transaction of a closed connection is over. It never resolves if somebody keeps one open. */
export function removeDatabase(name: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name)
    request.onsuccess = () => resolve()
    request.onerror = () => reject(request.error)
  })
}

/** A store on a database of its own, unless a name is given. It is closed when the test ends. */
export function openStore(options: IndexedDbStoreOptions = {}): OutboxStore {
  const name = options.name ?? databaseName()
  const store = indexedDbStore({ ...options, name })
  onTestFinished(() => store.close())
  return store
}

export function newItem(fields: Partial<NewItem> = {}): NewItem {
  made += 1
  const id = `01890a5d-ac96-774b-bcce-${made.toString(16).padStart(12, '0')}`
  return { version: 1, inputVersion: 1, id, owner: 'ada', queue: 'photos', body: `{"n":${made}}`, ...fields }
}

/** A clock whose timers fire when the test says so. */
export function manualTimers() {
  const timers = new Set<() => void>()
  return {
    setTimer: (fn: () => void) => {
      timers.add(fn)
      return () => timers.delete(fn)
    },
    /** Lets every timer that is set fire. */
    fire: () => {
      for (const fn of [...timers]) {
        timers.delete(fn)
        fn()
      }
    },
    get count() {
      return timers.size
    },
  }
}
