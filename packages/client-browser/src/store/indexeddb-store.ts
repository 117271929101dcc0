import { defaultPlatform, type Platform } from '@sluice/client'
import {
  bytesOf,
  changedItem,
  ENDED_STATES,
  type Encoded,
  type ItemChange,
  type ItemQuery,
  isEnded,
  type NewItem,
  noItems,
  type OutboxItem,
  type OutboxStore,
  type StoredState,
} from '@sluice/client/outbox'
import { type IDBPIndex, unwrap, wrap } from 'idb'
import { Connection, type Mode, type StoreState, type Transaction } from './connection.ts'
import { indexedDbFactory } from './factory.ts'
import { MIGRATIONS, type Migration, type OutboxSchema, type Row, type STORES } from './schema.ts'

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
/**
 * A body or a result up to this size, in bytes or characters, is kept in the row of its item. Each request costs more
 * than reading so much along with the row.
 */
const INLINE_MAX = 1024

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

  /** The small bodies of the items that were listed last. */
  let listed = new Map<string, Encoded | undefined>()

  return {
    isDurable: true,
    add: (items) =>
      connection.run('readwrite', 'strict', async (transaction) => {
        const held = await heldBy(transaction, items)
        const [rows, bodies] = [unwrap(transaction.objectStore('items')), unwrap(transaction.objectStore('bodies'))]
        /** By id, and by owner and intent. */
        const made = new Map<string, Pick<Added, 'fresh' | 'request'>>()
        const added = items.map((item, index): OutboxItem | Added => {
          const there = held[index]
          if (there !== undefined) return there
          const intent = item.intent === undefined ? undefined : JSON.stringify([item.owner, item.intent])
          const twin = made.get(item.id) ?? (intent === undefined ? undefined : made.get(intent))
          if (twin !== undefined) return twin
          const { body, ...fields } = item
          const fresh = { ...fields, state: 'saved' as const, bodyBytes: bytesOf(body) }
          const isSmall = bytesOf(body) <= INLINE_MAX
          const request = rows.add(isSmall ? { ...fresh, body: compact(body) } : fresh) as IDBRequest<number>
          if (!isSmall) bodies.add(compact(body), fresh.id)
          made.set(fresh.id, { fresh, request })
          if (intent !== undefined) made.set(intent, { fresh, request })
          return { fresh, request }
        })
        // Requests are answered in their order, so the last answer means that there is one to each.
        const last = added.findLast((each) => 'request' in each)
        if (last !== undefined && 'request' in last) await wrap(last.request)
        return added.map((each) => ('request' in each ? { ...each.fresh, seq: each.request.result } : each))
      }),
    get: (ids) => read(async (transaction) => (await rowsOf(transaction, ids)).map((row) => row && itemOf(row))),
    list: (query) =>
      read(async (transaction) => {
        const { states, limit, isNewestFirst = false } = query
        const found = await Promise.all(
          states.map((state) => {
            const place = transaction.objectStore('items').index('place')
            const places = placesOf(query, state)
            return isNewestFirst ? newestOf(place, places, limit) : place.getAll(places, limit)
          }),
        )
        const rows = found
          .flat()
          .sort((a, b) => (isNewestFirst ? b.seq - a.seq : a.seq - b.seq))
          .slice(0, limit)
        listed = new Map(rows.map(({ id, body }) => [id, body]))
        return rows.map(itemOf)
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
    bodies: async (ids) => {
      // The caller has nearly always listed the items of these bodies just before.
      const known = ids.map((id) => listed.get(id))
      if (known.every((body) => body !== undefined)) return known
      return read(async (transaction) => {
        const bodies = transaction.objectStore('bodies')
        const rows = await rowsOf(transaction, ids)
        return Promise.all(rows.map((row) => row && (row.body ?? bodies.get(row.id))))
      })
    },
    result: (id) =>
      read(async (transaction) => {
        const row = await transaction.objectStore('items').index('id').get(id)
        return row?.result ?? transaction.objectStore('results').get(id)
      }),
    change: (changes, durability) =>
      connection.run('readwrite', durability, async (transaction) => {
        const ids = [...new Set(changes.map(({ id }) => id))]
        for (const id of ids) listed.delete(id)
        const found = await rowsOf(transaction, ids)
        // One call may change an item twice.
        const newest = new Map(ids.map((id, index) => [id, found[index]]))
        const changed = changes.map((change) => {
          const before = newest.get(change.id)
          if (before === undefined || !change.from.includes(before.state)) return undefined
          const row: Row = changedItem(before, change)
          const stores = [
            unwrap(transaction.objectStore('bodies')),
            unwrap(transaction.objectStore('results')),
          ] as const
          keepBody(row, change, stores[0])
          keepResult(row, change, stores[1])
          newest.set(row.id, row)
          return row
        })
        const rows = unwrap(transaction.objectStore('items'))
        for (const row of new Set(changed)) if (row !== undefined && newest.get(row.id) === row) rows.put(row)
        return changed.map((row) => row && itemOf(row))
      }),
    remove: (ids, durability) =>
      connection.run('readwrite', durability, async (transaction) => {
        for (const id of ids) listed.delete(id)
        removeFrom(transaction, await rowsOf(transaction, ids))
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

type PlaceIndex = IDBPIndex<OutboxSchema, typeof STORES, 'items', 'place', 'readonly'>

/** An item that is being added. Its place is known when the request is answered. */
interface Added {
  fresh: Omit<OutboxItem, 'seq'>
  request: IDBRequest<number>
}

/** The item in a row, without what else the row carries. */
function itemOf({ body: _, result: __, ...item }: Row): OutboxItem {
  return item
}

/** Ids of one tab follow each other. From this number on they are read as one range. */
const RANGE_MIN = 8

async function rowsOf(transaction: Transaction<Mode>, ids: readonly string[]): Promise<(Row | undefined)[]> {
  const index = transaction.objectStore('items').index('id')
  const found = new Map<string, Row>()
  if (ids.length >= RANGE_MIN) {
    // Items of other tabs may lie between them.
    for (const row of await index.getAll(rangeOf(ids), 2 * ids.length)) found.set(row.id, row)
  }
  return Promise.all(ids.map((id) => found.get(id) ?? index.get(id)))
}

function rangeOf(ids: readonly string[]): IDBKeyRange {
  const ordered = ids.toSorted()
  return IDBKeyRange.bound(ordered[0], ordered.at(-1))
}

/** For each of the new items the one that is there already, if any. */
async function heldBy(transaction: Transaction<Mode>, items: readonly NewItem[]): Promise<(OutboxItem | undefined)[]> {
  const rows = transaction.objectStore('items')
  const ids = items.map(({ id }) => id)
  // Nearly always there is none, which one request tells.
  const mayBeHeld = (await rows.index('id').getKey(rangeOf(ids))) !== undefined
  const held = mayBeHeld ? await rowsOf(transaction, ids) : []
  return Promise.all(
    items.map(async ({ owner, intent }, index) => {
      const row = held[index] ?? (intent === undefined ? undefined : await rows.index('intent').get([owner, intent]))
      return row && itemOf(row)
    }),
  )
}

/** Puts the body of a changed row where it belongs, and drops that of an ended one. */
function keepBody(row: Row, { body }: ItemChange, bodies: IDBObjectStore): void {
  const isLarge = row.body === undefined
  if (isEnded(row.state)) {
    delete row.body
    if (isLarge) bodies.delete(row.id)
  } else if (body !== undefined) {
    delete row.body
    if (bytesOf(body) <= INLINE_MAX) {
      row.body = compact(body)
      if (isLarge) bodies.delete(row.id)
    } else bodies.put(compact(body), row.id)
  }
}

function keepResult(row: Row, { to, result }: ItemChange, results: IDBObjectStore): void {
  if (to !== 'done') return
  if (isSmallResult(result)) row.result = { value: compact(result) }
  else results.put({ value: compact(result) }, row.id)
}

/** Whether it is worth a place of its own is told without measuring it. */
function isSmallResult(result: unknown): boolean {
  if (typeof result === 'string') return result.length <= INLINE_MAX
  if (result instanceof Uint8Array) return result.length <= INLINE_MAX
  return typeof result !== 'object' || result === null
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

/** Browsers give all rows of a range from its beginning only, so this goes from row to row. */
async function newestOf(place: PlaceIndex, places: IDBKeyRange, limit: number): Promise<Row[]> {
  const rows: Row[] = []
  let cursor = await place.openCursor(places, 'prev')
  while (cursor !== null && rows.length < limit) {
    rows.push(cursor.value)
    cursor = rows.length < limit ? await cursor.continue() : null
  }
  return rows
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
