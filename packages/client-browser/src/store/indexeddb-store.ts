import { defaultPlatform, type Platform } from '@sluice/client'
import {
  bytesOf,
  changedItem,
  ENDED_STATES,
  type Encoded,
  type ItemQuery,
  isEnded,
  noItems,
  type OutboxItem,
  type OutboxStore,
  type StoredState,
} from '@sluice/client/outbox'
import { Connection, type Mode, type StoreState, type Transaction } from './connection.ts'
import { indexedDbFactory } from './factory.ts'
import { MIGRATIONS, type Migration } from './schema.ts'

export interface IndexedDbStoreOptions {
  /** The name of the database. All tabs and the service worker of an app use the same. Default `sluice`. */
  name?: string
  /**
   * How long opening, and each transaction, may take, in ms. A call may take twice as long, because it is tried again
   * once. Default 5,000.
   */
  deadlineMs?: number
  /**
   * Called when the state changes. `store_blocked` comes while a call still waits: ask people to close the other tabs
   * of this site.
   */
  onState?: (state: StoreState) => void
  /** Default: timers of `globalThis`. */
  platform?: Pick<Platform, 'setTimer'>
  /** Default: `globalThis.indexedDB`. */
  factory?: () => IDBFactory | undefined
  /** The steps from version 0 to the newest. Default: those of this package. */
  migrations?: readonly Migration[]
}

const DEADLINE_MS = 5000

/** @returns a store that survives reloads and crashes. Nothing is opened before the first call. */
export function indexedDbStore(options: IndexedDbStoreOptions = {}): OutboxStore {
  const { platform = defaultPlatform } = options
  const connection = new Connection({
    name: options.name ?? 'sluice',
    factory: options.factory ?? indexedDbFactory,
    migrations: options.migrations ?? MIGRATIONS,
    deadlineMs: options.deadlineMs ?? DEADLINE_MS,
    setTimer: (fn, ms) => platform.setTimer(fn, ms),
    onState: options.onState ?? (() => {}),
  })
  const read = <T>(work: (transaction: Transaction<'readonly'>) => Promise<T>) =>
    connection.run('readonly', 'default', work)

  return {
    isDurable: true,
    add: (items) =>
      connection.run('readwrite', 'strict', async (transaction) => {
        const [store, bodies] = [transaction.objectStore('items'), transaction.objectStore('bodies')]
        const held = await Promise.all(
          items.map(async ({ id, owner, intent }) => {
            const [sameId, sameIntent] = await Promise.all([
              store.index('id').get(id),
              intent === undefined ? undefined : store.index('intent').get([owner, intent]),
            ])
            return sameId ?? sameIntent
          }),
        )
        const added = new Map<string, Promise<OutboxItem>>()
        return Promise.all(
          items.map(({ body, ...fields }, index) => {
            const intent = fields.intent === undefined ? undefined : JSON.stringify([fields.owner, fields.intent])
            const there = held[index] ?? added.get(fields.id) ?? (intent === undefined ? undefined : added.get(intent))
            if (there !== undefined) return there
            const fresh: Omit<OutboxItem, 'seq'> = { ...fields, state: 'saved', bodyBytes: bytesOf(body) }
            const item = Promise.all([store.add(fresh as OutboxItem), bodies.add(compact(body), fields.id)]).then(
              ([seq]): OutboxItem => ({ ...fresh, seq }),
            )
            added.set(fields.id, item)
            if (intent !== undefined) added.set(intent, item)
            return item
          }),
        )
      }),
    get: (ids) => read((transaction) => itemsOf(transaction, ids)),
    list: (query) =>
      read(async (transaction) => {
        const place = transaction.objectStore('items').index('place')
        const { states, limit } = query
        const found = await Promise.all(states.map((state) => place.getAll(placesOf(query, state), limit)))
        return found
          .flat()
          .sort((a, b) => a.seq - b.seq)
          .slice(0, limit)
      }),
    counts: (owner) =>
      read(async (transaction) => {
        const place = transaction.objectStore('items').index('place')
        const counts = noItems()
        const states = Object.keys(counts) as StoredState[]
        await Promise.all(
          states.map(async (state) => {
            counts[state] = await place.count(placesOf({ owner }, state))
          }),
        )
        return counts
      }),
    bodies: (ids) =>
      read((transaction) => {
        const bodies = transaction.objectStore('bodies')
        return Promise.all(ids.map((id) => bodies.get(id)))
      }),
    result: (id) => read((transaction) => transaction.objectStore('results').get(id)),
    change: (changes, durability) =>
      connection.run('readwrite', durability, async (transaction) => {
        const ids = [...new Set(changes.map(({ id }) => id))]
        const found = await itemsOf(transaction, ids)
        // One call may change an item twice.
        const newest = new Map(ids.map((id, index) => [id, found[index]]))
        const [items, bodies, results] = [
          transaction.objectStore('items'),
          transaction.objectStore('bodies'),
          transaction.objectStore('results'),
        ]
        const requests: Promise<unknown>[] = []
        const changed = changes.map((change) => {
          const before = newest.get(change.id)
          if (before === undefined || !change.from.includes(before.state)) return undefined
          const item = changedItem(before, change)
          newest.set(item.id, item)
          requests.push(items.put(item))
          if (isEnded(item.state)) requests.push(bodies.delete(item.id))
          else if (change.body !== undefined) requests.push(bodies.put(compact(change.body), item.id))
          if (item.state === 'done') requests.push(results.put({ value: compact(change.result) }, item.id))
          return item
        })
        await Promise.all(requests)
        return changed
      }),
    remove: (ids, durability) =>
      connection.run('readwrite', durability, async (transaction) => {
        removeFrom(transaction, await itemsOf(transaction, ids))
      }),
    prune: (owner, keep) =>
      connection.run('readwrite', 'relaxed', async (transaction) => {
        const items = transaction.objectStore('items')
        const place = items.index('place')
        const seqs = await Promise.all(ENDED_STATES.map((state) => place.getAllKeys(placesOf({ owner }, state))))
        const ordered = seqs.flat().sort((a, b) => a - b)
        const old = ordered.slice(0, Math.max(0, ordered.length - keep))
        const found = await Promise.all(old.map((seq) => items.get(seq)))
        return removeFrom(transaction, found)
      }),
    owners: () =>
      read(async (transaction) => {
        const owners: string[] = []
        let cursor = await transaction.objectStore('items').index('place').openKeyCursor()
        while (cursor !== null) {
          const [owner] = cursor.key
          owners.push(owner)
          // An array comes after every text, so this is the first place of the next owner.
          cursor = await cursor.continue([owner, []] as never)
        }
        return owners
      }),
    close: () => connection.close(),
  }
}

function itemsOf(transaction: Transaction<Mode>, ids: readonly string[]): Promise<(OutboxItem | undefined)[]> {
  const index = transaction.objectStore('items').index('id')
  return Promise.all(ids.map((id) => index.get(id)))
}

/** Requests the removal. The transaction is complete when it is done. */
function removeFrom(transaction: Transaction<'readwrite'>, found: readonly (OutboxItem | undefined)[]): string[] {
  const there = found.filter((item) => item !== undefined)
  for (const { seq, id } of there) {
    // A failure ends the transaction, which reports it.
    for (const request of [
      transaction.objectStore('items').delete(seq),
      transaction.objectStore('bodies').delete(id),
      transaction.objectStore('results').delete(id),
    ])
      request.catch(() => {})
  }
  return there.map(({ id }) => id)
}

/** The places of an owner's items in one state. */
function placesOf({ owner, after }: Pick<ItemQuery, 'owner' | 'after'>, state: StoredState): IDBKeyRange {
  const from = after === undefined ? [owner, state] : [owner, state, after]
  return IDBKeyRange.bound(from, [owner, state, []], after !== undefined)
}

/** Bytes in a buffer of their own: a browser stores the whole buffer of a view, such as a frame of many results. */
function compact<T>(value: T): T {
  if (value instanceof Uint8Array) return (value.byteLength === value.buffer.byteLength ? value : value.slice()) as T
  if (isBody(value)) return { ...value, bytes: compact(value.bytes) }
  return value
}

const isBody = (value: unknown): value is Exclude<Encoded, string> =>
  typeof value === 'object' && value !== null && 'bytes' in value && value.bytes instanceof Uint8Array
