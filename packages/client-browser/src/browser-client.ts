import { defaultPlatform } from '@sluice/client'
import {
  createOutboxClient,
  memoryStore,
  type OutboxClient,
  type OutboxClientOptions,
  type OutboxStore,
  type TabGroup,
} from '@sluice/client/outbox'
import { type OutboxView, outboxView } from './outbox-view.ts'
import { browserPage, type Page, persistStorage, type StorageEstimate, storageEstimate } from './page.ts'
import { followPage } from './page-lifecycle.ts'
import { registerSync } from './register-sync.ts'
import type { StoreState } from './store/connection.ts'
import { indexedDbFactory } from './store/factory.ts'
import { indexedDbStore } from './store/indexeddb-store.ts'
import { tabGroup } from './tab-group.ts'

export interface BrowserClientOptions extends Omit<OutboxClientOptions, 'store' | 'group'> {
  outbox?: {
    /** The name of the database and of the lock, for apps with several outboxes. Default `sluice`. */
    name?: string
    /** How long one step of the storage may take, in ms. Default 5,000. */
    deadlineMs?: number
    /** Called when the storage fails, works again, or waits for other tabs (`store_blocked`). */
    onState?: (state: StoreState) => void
  }
  /**
   * Asks the browser to start the app's service worker when something is saved, so that it is sent after the page is
   * closed too; see `drainInServiceWorker`. Default false.
   */
  backgroundSync?: boolean
  /** How many items `view` shows, 1 or more. Default 50. */
  viewItems?: number
  /** Default: IndexedDB, or memory where there is none. */
  store?: OutboxStore
  /** Default: Web Locks and a BroadcastChannel where both exist. */
  group?: TabGroup | undefined
  /** Default: `window` and `document` where they exist. */
  page?: Page
}

export interface BrowserClient extends OutboxClient {
  readonly store: OutboxStore
  /** What to show of the outbox, for `useSyncExternalStore` and the like. */
  readonly view: OutboxView
  /**
   * Asks the browser not to clear this site's storage when the device runs out of space. Some browsers ask the person.
   * The client never does this by itself, and asks once: later calls give the same answer.
   * @returns whether the browser promises it
   */
  persist(): Promise<boolean>
  /** @returns how much room this site has, or undefined where the browser does not tell */
  estimate(): Promise<StorageEstimate | undefined>
  /** `close` without waiting. Idempotent. */
  dispose(): void
}

/**
 * The durable outbox in a page: IndexedDB, one sending tab at a time, and the life of the page. Where the browser has no
 * storage at all, the items are in memory and are never called saved.
 * @throws Error naming the option that cannot be used
 */
export function createBrowserClient(options: BrowserClientOptions): BrowserClient {
  const { outbox = {}, backgroundSync = false, viewItems, page = browserPage, ...rest } = options
  const { platform = defaultPlatform } = rest
  const store = rest.store ?? defaultStore(outbox, platform)
  const group = 'group' in rest ? rest.group : tabGroup(outbox.name)
  const client = createOutboxClient({ ...rest, store, ...(group === undefined ? {} : { group }) })
  const view = outboxView(client, { page, ...(viewItems === undefined ? {} : { items: viewItems }) })
  const ends = [followPage(client, page, platform), () => view.close(), () => store.close()]
  if (backgroundSync) ends.unshift(syncWhenSaved(client))
  const closeClient = client.close.bind(client)
  const close = async (): Promise<void> => {
    await closeClient()
    for (const end of ends.splice(0)) end()
  }
  // `signOut` closes the client too.
  ends.unshift(client.onStatus(({ role }) => role === 'closed' && void close()))
  let persistence: Promise<boolean> | undefined
  return Object.assign(client, {
    store,
    view,
    persist: () => (persistence ??= persistStorage()),
    estimate: storageEstimate,
    close,
    dispose: () => void close(),
  })
}

function defaultStore(
  outbox: NonNullable<BrowserClientOptions['outbox']>,
  platform: Pick<typeof defaultPlatform, 'setTimer'>,
): OutboxStore {
  return indexedDbFactory() === undefined ? memoryStore() : indexedDbStore({ ...outbox, platform })
}

function syncWhenSaved(client: OutboxClient): () => void {
  let isAsking = false
  return client.onChange(({ items }) => {
    if (isAsking || !items.some(({ state }) => state === 'saved')) return
    isAsking = true
    void registerSync().finally(() => {
      isAsking = false
    })
  })
}
