import { statSync } from 'node:fs'
import type { DatabaseSync } from 'node:sqlite'
import type { EndMark } from './end-mark.ts'
import { JournalDamagedError } from './journal.ts'
import { isDamage, messageOf } from './sqlite-error.ts'
import { openDatabase } from './sqlite-place.ts'
import { APPLICATION_ID, SCHEMA_VERSION } from './sqlite-schema.ts'

/** The key under which the journal notes its place: see `noteOfPlace`. */
export const PLACE_KEY = 'place'

/** The smallest page size of SQLite. A shorter file holds no page. */
const PAGE_BYTES_MIN = 512

/**
 * Checks the file before anything writes to it, so that a refused file stays unchanged: opening it for writing would
 * already cut off the unreadable part of its log. Returns the note of its place.
 * @throws JournalDamagedError
 */
export function inspect(path: string, mark: EndMark): unknown {
  if (statSync(path).size < PAGE_BYTES_MIN) {
    // SQLite deletes the log of a file that looks empty.
    const log = statSync(`${path}-wal`, { throwIfNoEntry: false })
    if (mark.batch > 0 || (log?.size ?? 0) > 0)
      throw new JournalDamagedError(
        `${path} is empty, but batches were stored in it; restore the file from a copy, or remove ${path}-wal and ${mark.path} to begin anew`,
      )
    return undefined
  }
  let last: number
  let place: unknown
  // Closing a writable database moves its log into the file. A read-only one leaves both as they are.
  const database = openDatabase(path, { readOnly: true })
  try {
    last = lastBatch(database, path)
    place = placeIn(database)
  } catch (error) {
    if (error instanceof JournalDamagedError || !isDamage(error)) throw error
    throw new JournalDamagedError(`${path} is not a journal, or is damaged: ${messageOf(error)}`)
  } finally {
    database.close()
  }
  if (last >= mark.batch) return place
  const end = last === 0 ? 'no batch' : `batch ${last}`
  throw new JournalDamagedError(
    `${path} ends with ${end}, but batch ${mark.batch} was acknowledged: its end is missing, or it is an older copy. Restore the file from a newer copy; or, to go on without what is missing, remove ${mark.path}, ${path}-wal and ${path}-shm`,
  )
}

function placeIn(database: DatabaseSync): unknown {
  const isNew = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()!.count === 0
  return isNew ? undefined : database.prepare('SELECT value FROM meta WHERE key = ?').get(PLACE_KEY)?.value
}

function lastBatch(database: DatabaseSync, path: string): number {
  if (database.prepare('SELECT count(*) AS count FROM sqlite_schema').get()!.count === 0) return 0
  if (database.prepare('PRAGMA application_id').get()!.application_id !== APPLICATION_ID)
    throw new JournalDamagedError(`${path} is a database of another program, not a journal`)
  const version = database.prepare("SELECT value FROM meta WHERE key = 'schema_version'").get()?.value
  if (!Number.isSafeInteger(version) || (version as number) < 1)
    throw new JournalDamagedError(`${path} is damaged: its schema version is ${JSON.stringify(version)}`)
  if ((version as number) > SCHEMA_VERSION) {
    throw new JournalDamagedError(
      `${path} was written by a newer Sluice (schema ${version}, where this one knows ${SCHEMA_VERSION}): start that one`,
    )
  }
  // The batches have checksums, but the B-tree that holds them has none. A write into a damaged B-tree would destroy
  // more.
  const order = Object.values(database.prepare('PRAGMA quick_check(1)').get()!)[0] as string
  if (order !== 'ok') throw new JournalDamagedError(`${path} is damaged: ${order.replaceAll('\n', ' ')}`)
  database.prepare('SELECT batch, events_crc32, bodies_crc32, events, bodies FROM batches')
  return (database.prepare('SELECT max(batch) AS last FROM batches').get()!.last as number | null) ?? 0
}
