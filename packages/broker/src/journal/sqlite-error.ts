import { adviceOn } from '../system-error.ts'
import { JournalDamagedError, JournalPlaceError } from './journal.ts'
import { refusalOfOpening } from './refusal-of-opening.ts'

const SQLITE_PERM = 3
const SQLITE_BUSY = 5
const SQLITE_READONLY = 8
const SQLITE_CORRUPT = 11
const SQLITE_FULL = 13
const SQLITE_CANTOPEN = 14
const SQLITE_NOTADB = 26

/** What the machine says at the moment, whatever is in the file: PERM to NOMEM, READONLY to IOERR, FULL, CANTOPEN. */
const CIRCUMSTANCES: ReadonlySet<number> = new Set([
  SQLITE_PERM,
  SQLITE_BUSY,
  6,
  7,
  SQLITE_READONLY,
  9,
  10,
  SQLITE_FULL,
  SQLITE_CANTOPEN,
])

/** SQLite's primary result code, 0 for an error that is not SQLite's. */
function sqliteCode(error: unknown): number {
  return ((error as { errcode?: number } | undefined)?.errcode ?? 0) & 0xff
}

export function isSqlite(error: unknown): boolean {
  return sqliteCode(error) > 0
}

/** Whether the operating system refused something, such as to open a file. */
export function isSystem(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.syscall !== undefined
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

/** Its message, and what to do where the system said no. SQLite knows no more than that a file was not opened: `path` is asked again. */
export function meaningOf(error: unknown, path: string): string {
  const code = (error as NodeJS.ErrnoException | undefined)?.code
  return messageOf(error) + adviceOn(isSqlite(error) ? systemCodeOf(error, path) : code)
}

function systemCodeOf(error: unknown, path: string): string | undefined {
  switch (sqliteCode(error)) {
    case SQLITE_FULL:
      return 'ENOSPC'
    case SQLITE_PERM:
    case SQLITE_READONLY:
      return 'EACCES'
    case SQLITE_CANTOPEN:
      return refusalOfOpening(path)
    default:
      return undefined
  }
}

/** A write has failed: nothing more is written. */
export function stoppedBy(path: string, cause: unknown): Error {
  if (cause instanceof JournalPlaceError) return new JournalPlaceError(`the journal ${path} stopped: ${cause.message}`)
  return isCorrupt(cause)
    ? new JournalDamagedError(`the journal ${path} stopped, it is damaged: ${messageOf(cause)}`, { cause })
    : new Error(`the journal ${path} stopped: ${meaningOf(cause, path)}`, { cause })
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
