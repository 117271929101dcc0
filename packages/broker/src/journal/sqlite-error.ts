import { JournalDamagedError, JournalPlaceError } from './journal.ts'

const SQLITE_BUSY = 5
const SQLITE_CORRUPT = 11
const SQLITE_NOTADB = 26

/** What the machine says at the moment, whatever is in the file: PERM to NOMEM, READONLY to IOERR, FULL, CANTOPEN. */
const CIRCUMSTANCES: ReadonlySet<number> = new Set([3, SQLITE_BUSY, 6, 7, 8, 9, 10, 13, 14])

/** SQLite's primary result code, 0 for an error that is not SQLite's. */
function sqliteCode(error: unknown): number {
  return ((error as { errcode?: number } | undefined)?.errcode ?? 0) & 0xff
}

export function isSqlite(error: unknown): boolean {
  return sqliteCode(error) > 0
}

export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_BUSY
}

/** Whether SQLite itself says that the file is damaged, as it may do of a write. */
function isCorrupt(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB
}

/** Whether reading failed for what is in the file: any error that its surroundings do not explain. */
export function isDamage(error: unknown): boolean {
  return !CIRCUMSTANCES.has(sqliteCode(error))
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/** A write has failed: nothing more is written. */
export function stoppedBy(path: string, cause: unknown): Error {
  if (cause instanceof JournalPlaceError) return new JournalPlaceError(`the journal ${path} stopped: ${cause.message}`)
  return isCorrupt(cause)
    ? new JournalDamagedError(`the journal ${path} stopped, it is damaged: ${messageOf(cause)}`, { cause })
    : new Error(`the journal ${path} stopped: ${messageOf(cause)}`, { cause })
}

export function damagedBatch(path: string, batch: number, how: string): JournalDamagedError {
  return new JournalDamagedError(`${path}: batch ${batch} ${how}; restore the file from a copy`)
}

/** Reads something of a batch. An error that tells of the file's content becomes a damage of that batch. */
export function readingBatch<T>(path: string, batch: number, step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (!isDamage(error)) throw error
    throw damagedBatch(path, batch, `cannot be read (${messageOf(error)})`)
  }
}
