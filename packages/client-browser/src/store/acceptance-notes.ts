import type { ItemQuery, OutboxItem } from '@sluice/client/outbox'
import type { Mode, Transaction } from './connection.ts'
import type { Row } from './schema.ts'

/** The number of rows that are changed to what was noted in one transaction. Others wait for so long. */
const FOLDED_MAX = 100

/** The `seq` of items, in ascending order. The set is made when it is needed. */
interface Note {
  seqs: readonly number[]
  first: number
  last: number
  lookup: Set<number> | undefined
}

/**
 * That many items were accepted is noted in one row, because changing each item's row, with its indexes, takes longer
 * than sending it. An item whose row says `saved` and whose `seq` is in a note is accepted. A `seq` is never used twice,
 * so a note that stays too long says nothing wrong.
 */
export class AcceptanceNotes {
  readonly #notes: readonly Note[]

  private constructor(notes: readonly Note[]) {
    this.#notes = notes
  }

  static async read(transaction: Transaction<Mode>): Promise<AcceptanceNotes> {
    const notes = await transaction.objectStore('notes').getAll()
    return new AcceptanceNotes(notes.map((seqs) => ({ seqs, first: seqs[0]!, last: seqs.at(-1)!, lookup: undefined })))
  }

  get isEmpty(): boolean {
    return this.#notes.length === 0
  }

  has(seq: number): boolean {
    for (const note of this.#notes) {
      if (seq < note.first || seq > note.last) continue
      note.lookup ??= new Set(note.seqs)
      if (note.lookup.has(seq)) return true
    }
    return false
  }

  /** Whether the note of this item counts. */
  covers({ seq, state }: Pick<OutboxItem, 'seq' | 'state'>): boolean {
    return state === 'saved' && this.has(seq)
  }

  /** The row as the notes have it. */
  shown<R extends Row | undefined>(row: R): R {
    return row !== undefined && this.covers(row) ? { ...row, state: 'accepted' } : row
  }

  /** The number of an owner's items that are noted and whose rows say `saved`. */
  async count(transaction: Transaction<Mode>, owner: string): Promise<number> {
    const place = transaction.objectStore('items').index('place')
    const found = new Set<number>()
    for (const { first, last } of this.#notes) {
      const range = IDBKeyRange.bound([owner, 'saved', first], [owner, 'saved', last])
      for (const seq of await place.getAllKeys(range)) if (this.has(seq)) found.add(seq)
    }
    return found.size
  }

  /** The rows of an owner's noted items, at most `limit` of them, by their `seq`. */
  async list(
    transaction: Transaction<Mode>,
    { owner, after = 0, limit, isNewestFirst = false }: ItemQuery,
  ): Promise<Row[]> {
    const ordered = [...new Set(this.#notes.flatMap(({ seqs }) => seqs))]
      .filter((seq) => seq > after)
      .sort((a, b) => (isNewestFirst ? b - a : a - b))
    const items = transaction.objectStore('items')
    const rows: Row[] = []
    for (let from = 0; from < ordered.length && rows.length < limit; from += limit) {
      const found = await Promise.all(ordered.slice(from, from + limit).map((seq) => items.get(seq)))
      for (const row of found) if (row?.owner === owner && this.covers(row)) rows.push(this.shown(row))
    }
    return rows.slice(0, limit)
  }
}

/** Notes that these were accepted. Uses the object store `notes` alone. */
export async function note(transaction: Transaction<'readwrite'>, seqs: readonly number[]): Promise<void> {
  await transaction.objectStore('notes').add(seqs.toSorted((a, b) => a - b))
}

/** Takes items out of all notes. */
export async function forget(transaction: Transaction<'readwrite'>, seqs: ReadonlySet<number>): Promise<void> {
  let cursor = await transaction.objectStore('notes').openCursor()
  while (cursor !== null) {
    const left = cursor.value.filter((seq) => !seqs.has(seq))
    if (left.length === 0) await cursor.delete()
    else if (left.length < cursor.value.length) await cursor.update(left)
    cursor = await cursor.continue()
  }
}

/**
 * Changes some rows to what was noted of them.
 * @returns whether anything is left to be done
 */
export async function foldSome(transaction: Transaction<'readwrite'>): Promise<boolean> {
  const cursor = await transaction.objectStore('notes').openCursor()
  if (cursor === null) return false
  const [now, later] = [cursor.value.slice(0, FOLDED_MAX), cursor.value.slice(FOLDED_MAX)]
  const items = transaction.objectStore('items')
  for (const row of await Promise.all(now.map((seq) => items.get(seq))))
    if (row?.state === 'saved') items.put({ ...row, state: 'accepted' }).catch(() => {})
  if (later.length === 0) await cursor.delete()
  else await cursor.update(later)
  return true
}
