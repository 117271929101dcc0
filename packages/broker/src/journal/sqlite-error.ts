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

/**
 * Errors that depend on the machine and not on the file's content: PERM to NOMEM, READONLY to IOERR, FULL, CANTOPEN.
 */
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

/** SQLite's primary result code. 0 for an error that is not SQLite's. */
function sqliteCode(error: unknown): number {
  return ((error as { errcode?: number } | undefined)?.errcode ?? 0) & 0xff
}

export function isSqlite(error: unknown): boolean {
  return sqliteCode(error) > 0
}

/** Whether the operating system refused something, for example to open a file. */
export function isSystem(error: unknown): boolean {
  return (error as NodeJS.ErrnoException | undefined)?.syscall !== undefined
}

export function isBusy(error: unknown): boolean {
  return sqliteCode(error) === SQLITE_BUSY
}

/** Whether SQLite reports that the file is damaged. It may do so on a write. */
function isCorrupt(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB
}

/** Whether a read failed because of the file's content: any error that the machine's state does not explain. */
export function isDamage(error: unknown): boolean {
  return !CIRCUMSTANCES.has(sqliteCode(error))
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

/**
 * The error's message, and what to do if the system refused. SQLite only knows that a file was not opened, so `path` is
 * checked again.
 */
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

/** Reads a part of a batch. An error about the file's content becomes a damage error of that batch. */
export function readingBatch<T>(path: string, batch: number, step: () => T): T {
  try {
    return step()
  } catch (error) {
    if (!isDamage(error)) throw error
    throw damagedBatch(path, batch, `cannot be read (${messageOf(error)})`)
  }
}
