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
import { AcceptanceNotes, foldSome, forget, note } from './acceptance-notes.ts'
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
/** So many items are noted together. The rows of fewer are changed at once. */
const NOTE_ITEMS_MIN = 8
/** Past this number of noted items, the rows of further ones are changed. */
const NOTED_MAX = 10_000
/** The wait before notes are folded into rows, and between two parts of them, in ms. */
const FOLD_AFTER_MS = 2000
const FOLD_EVERY_MS = 100

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
  /** The number of items that were noted here and may not be folded yet. */
  let noted = 0
  let cancelFold: (() => void) | undefined
  let isClosed = false

  /** Notes are folded into rows once nothing more is noted for a while. */
  const foldAfter = (ms: number): void => {
    cancelFold?.()
    if (isClosed) return
    cancelFold = platform.setTimer(() => {
      cancelFold = undefined
      connection.run('readwrite', 'relaxed', foldSome).then(
        (isAnyLeft) => {
          if (!isAnyLeft) noted = 0
          else if (cancelFold === undefined) foldAfter(FOLD_EVERY_MS)
        },
        // The notes stay, and say the same.
        () => {},
      )
    }, ms)
  }
  /** Also what another tab, or an earlier program, has noted and not folded. */
  const notesIn = async (transaction: Transaction<Mode>): Promise<AcceptanceNotes> => {
    const notes = await AcceptanceNotes.read(transaction)
    if (!notes.isEmpty && cancelFold === undefined) foldAfter(FOLD_AFTER_MS)
    return notes
  }

  const change: OutboxStore['change'] = (changes, durability) =>
    connection.run('readwrite', durability, async (transaction) => {
      const ids = [...new Set(changes.map(({ id }) => id))]
      for (const id of ids) listed.delete(id)
      const notes = await notesIn(transaction)
      const found = await rowsOf(transaction, ids)
      // One call may change an item twice.
      const newest = new Map(ids.map((id, index) => [id, notes.shown(found[index])]))
      const changed = changes.map((change) => {
        const before = newest.get(change.id)
        if (before === undefined || !change.from.includes(before.state)) return undefined
        const row: Row = changedItem(before, change)
        const stores = [unwrap(transaction.objectStore('bodies')), unwrap(transaction.objectStore('results'))] as const
        keepBody(row, change, stores[0])
        keepResult(row, change, stores[1])
        newest.set(row.id, row)
        return row
      })
      const rows = unwrap(transaction.objectStore('items'))
      const again = new Set<number>()
      for (const row of new Set(changed)) {
        if (row === undefined || newest.get(row.id) !== row) continue
        rows.put(row)
        if (notes.covers(row)) again.add(row.seq)
      }
      if (again.size > 0) await forget(transaction, again)
      return changed.map((row) => row && itemOf(row))
    })

  return {
    isDurable: true,
    add: (items) =>
      connection.run('readwrite', 'strict', async (transaction) => {
        const held = await heldBy(transaction, items, notesIn)
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
    get: (ids) =>
      read(async (transaction) => {
        const [rows, notes] = await Promise.all([rowsOf(transaction, ids), notesIn(transaction)])
        return rows.map((row) => row && itemOf(notes.shown(row)))
      }),
    list: (query) =>
      read(async (transaction) => {
        const { states, limit, isNewestFirst = false } = query
        const reading = notesIn(transaction)
        const found = await Promise.all(
          states.map(async (state) => {
            if (state === 'saved') return savedOf(transaction, query, reading)
            const place = transaction.objectStore('items').index('place')
            const places = placesOf(query, state)
            const rows = isNewestFirst ? newestOf(place, places, limit) : place.getAll(places, limit)
            if (state !== 'accepted') return rows
            const noted = await (await reading).list(transaction, query)
            return [...(await rows), ...noted]
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
        const reading = notesIn(transaction)
        const place = transaction.objectStore('items').index('place')
        const counts = noItems()
        const states = Object.keys(counts) as StoredState[]
        await Promise.all(
          states.map(async (state) => {
            counts[state] = await place.count(placesOf({ owner }, state))
          }),
        )
        const noted = await (await reading).count(transaction, owner)
        counts.saved -= noted
        counts.accepted += noted
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
    change,
    accept: async (items) => {
      if (items.length < NOTE_ITEMS_MIN || noted + items.length > NOTED_MAX) {
        await change(
          items.map(({ id }) => ({ id, from: ['saved'], to: 'accepted' })),
          'relaxed',
        )
        return
      }
      const seqs = items.map(({ seq }) => seq)
      await connection.run('readwrite', 'relaxed', (transaction) => note(transaction, seqs), ['notes'])
      noted += items.length
      foldAfter(FOLD_AFTER_MS)
    },
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
    close: () => {
      isClosed = true
      cancelFold?.()
      connection.close()
    },
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
async function heldBy(
  transaction: Transaction<Mode>,
  items: readonly NewItem[],
  notesIn: (transaction: Transaction<Mode>) => Promise<AcceptanceNotes>,
): Promise<(OutboxItem | undefined)[]> {
  const rows = transaction.objectStore('items')
  const ids = items.map(({ id }) => id)
  // Nearly always there is none, which one request tells.
  const mayBeHeld = (await rows.index('id').getKey(rangeOf(ids))) !== undefined
  const held = mayBeHeld ? await rowsOf(transaction, ids) : []
  const there = await Promise.all(
    items.map(
      async ({ owner, intent }, index) =>
        held[index] ?? (intent === undefined ? undefined : await rows.index('intent').get([owner, intent])),
    ),
  )
  if (there.every((row) => row === undefined)) return []
  const notes = await notesIn(transaction)
  return there.map((row) => row && itemOf(notes.shown(row)))
}

/** The items whose rows say `saved` and that are not noted as accepted. */
async function savedOf(
  transaction: Transaction<Mode>,
  { owner, after, limit, isNewestFirst = false }: ItemQuery,
  reading: Promise<AcceptanceNotes>,
): Promise<Row[]> {
  const items = transaction.objectStore('items')
  const place = items.index('place')
  if (isNewestFirst) {
    const places = placesOf({ owner }, 'saved')
    const notes = await reading
    if (notes.isEmpty) return newestOf(place, places, limit)
    // Going from row to row would take too long where many are noted.
    const seqs = (await place.getAllKeys(places)).filter((seq) => !notes.has(seq))
    const rows = await Promise.all(
      seqs
        .slice(-limit)
        .reverse()
        .map((seq) => items.get(seq)),
    )
    return rows.filter((row) => row !== undefined)
  }
  const rows: Row[] = []
  for (let from = after; rows.length < limit; ) {
    const [page, notes] = await Promise.all([place.getAll(placesOf({ owner, after: from }, 'saved'), limit), reading])
    for (const row of page) if (!notes.covers(row)) rows.push(row)
    if (page.length < limit) break
    from = page.at(-1)!.seq
  }
  return rows.slice(0, limit)
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
