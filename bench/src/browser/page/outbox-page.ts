import { type BrowserClient, createBrowserClient } from '@sluice/client-browser'

/** What a trial may ask of its page. */
export interface OutboxPage {
  /** Takes part in the outbox. Nobody listens at the broker's address if it is left out. */
  open(broker?: string): void
  close(): Promise<void>
  status(): BrowserClient['status'] | undefined
  /** Submits without a pause until the page ends, and tells the site of each item that is saved. */
  submitForEver(tab: string): void
  /** Submits `count` items, each when the one before it is saved, and gives their ids. */
  submitEach(tab: string, count: number): Promise<string[]>
  /** Submits `count` items at once and waits until all are saved; how long that took, in ms. */
  saveMany(count: number): Promise<number>
  /** The same with a loop of strict transactions by hand: one item each, or all in one. */
  saveByHand(count: number, perTransaction: number): Promise<number>
  /** Makes every transaction from now on a relaxed one, whatever the client asks for. */
  relax(): void
  /** Opens the outbox with a broker; the time in ms until `count` of its items are accepted. */
  sendAll(broker: string, count: number): Promise<number>
  counts(): Promise<Record<string, number>>
  ids(states: readonly ('saved' | 'accepted' | 'done' | 'parked')[]): Promise<string[]>
  /** Opens the outbox anew and shows its counts and first page; how long that took, in ms. */
  firstPaint(): Promise<number>
  /** The page does not answer for this long. */
  hang(ms: number): void
}

declare global {
  interface Window {
    trial: OutboxPage
  }
}

const QUEUE = 'trial'
const LIST_LIMIT = 1000
const NOBODY = 'ws://127.0.0.1:9'

let client: BrowserClient | undefined

const opened = (): BrowserClient => {
  if (client === undefined) throw new Error('open the outbox first')
  return client
}

const tell = (ids: readonly string[]): void => void fetch(`/saved?ids=${ids.join(',')}`, { keepalive: true })

async function submit(tab: string, n: number): Promise<string> {
  const handle = await opened().submit(QUEUE, { tab, n })
  return handle.id
}

window.trial = {
  open(broker = NOBODY) {
    client = createBrowserClient({
      url: broker,
      owner: 'trial',
      viewItems: 100,
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    })
  },
  async close() {
    await client?.close()
  },
  status: () => client?.status,
  submitForEver(tab) {
    const one = async (n: number): Promise<void> => {
      tell([await submit(tab, n)])
      await one(n + 4)
    }
    for (let lane = 0; lane < 4; lane += 1) void one(lane)
  },
  async submitEach(tab, count) {
    const ids: string[] = []
    for (let n = 0; n < count; n += 1) {
      ids.push(await submit(tab, n))
      tell(ids.slice(-1))
    }
    return ids
  },
  async saveMany(count) {
    const startedAt = performance.now()
    await Promise.all(Array.from({ length: count }, (_, n) => submit('many', n)))
    return performance.now() - startedAt
  },
  relax() {
    const begin = IDBDatabase.prototype.transaction
    IDBDatabase.prototype.transaction = function (stores, mode) {
      return begin.call(this, stores, mode, { durability: 'relaxed' })
    }
  },
  async saveByHand(count, perTransaction) {
    const database = await new Promise<IDBDatabase>((resolve, reject) => {
      const request = indexedDB.open(`by-hand-${perTransaction}`, 1)
      request.onupgradeneeded = () => request.result.createObjectStore('items', { autoIncrement: true })
      request.onsuccess = () => resolve(request.result)
      request.onerror = () => reject(request.error)
    })
    const startedAt = performance.now()
    for (let from = 0; from < count; from += perTransaction) {
      await new Promise<void>((resolve, reject) => {
        const transaction = database.transaction('items', 'readwrite', { durability: 'strict' })
        const store = transaction.objectStore('items')
        for (let n = from; n < Math.min(count, from + perTransaction); n += 1)
          store.add({ id: crypto.randomUUID(), body: JSON.stringify({ tab: 'hand', n }) })
        transaction.oncomplete = () => resolve()
        transaction.onabort = () => reject(transaction.error)
      })
    }
    return performance.now() - startedAt
  },
  async sendAll(broker, count) {
    const startedAt = performance.now()
    window.trial.open(broker)
    const accepted = new Set<string>()
    await new Promise<void>((resolve) => {
      opened().onChange(({ items }) => {
        for (const { id, state } of items) if (state !== 'saved' && state !== 'sending') accepted.add(id)
        if (accepted.size === count) resolve()
      })
    })
    return performance.now() - startedAt
  },
  counts: async () => ({ ...(await opened().counts()) }),
  async ids(states) {
    const ids: string[] = []
    for (let after = 0; ; ) {
      const items = await opened().list({ states, after, limit: LIST_LIMIT })
      ids.push(...items.map(({ id }) => id))
      if (items.length < LIST_LIMIT) return ids
      after = items.at(-1)!.seq
    }
  },
  async firstPaint() {
    await client?.close()
    const startedAt = performance.now()
    window.trial.open()
    const { view } = opened()
    await new Promise<void>((resolve) => {
      const look = (): void => {
        const { isLoaded, items } = view.getSnapshot()
        if (isLoaded && items.length > 0) resolve()
      }
      view.subscribe(look)
      look()
    })
    return performance.now() - startedAt
  },
  hang(ms) {
    const endsAt = performance.now() + ms
    setTimeout(() => {
      while (performance.now() < endsAt);
    })
  },
}
