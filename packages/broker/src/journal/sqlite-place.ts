import { closeSync, fsyncSync, mkdirSync, openSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { JournalDamagedError, JournalLockedError, JournalPlaceError } from './journal.ts'
import { isBusy, meaningOf } from './sqlite-error.ts'

/** How long a connection waits for another program that writes to the file, before the operation fails for good. */
const BUSY_MS = 2000

/**
 * Opens the file and waits up to `BUSY_MS` for another program's lock. Node has an option for that only since 22.16.
 */
export function openDatabase(path: string, options: { readOnly?: boolean } = {}): DatabaseSync {
  const database = new DatabaseSync(path, options)
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`)
  return database
}

/**
 * Creates the file and its directory if they are missing. Returns the file's real path, so that one file has one lock,
 * whatever link leads to it.
 * @throws JournalPlaceError if the file cannot be created or has several names; JournalDamagedError if the path is no
 * file
 */
export function makePlace(path: string): string {
  let own: string
  try {
    makeDirectory(dirname(resolve(path)))
    makeFile(path)
    own = realpathSync(path)
  } catch (error) {
    throw cannotOpen(path, error)
  }
  const file = statSync(own)
  // Check this before creating the files beside it. Opening a pipe would wait for its other end.
  if (!file.isFile()) throw new JournalDamagedError(`${own} is no file, but a directory or a device`)
  // The log and the lock are beside one name. Brokers at two names would have separate logs, and each would undo what
  // the other stored.
  if (file.nlink > 1) {
    throw new JournalPlaceError(
      `${own} has ${file.nlink} names (hard links), and a broker needs a file with one: remove the others, or copy the file instead of linking it`,
    )
  }
  return own
}

/**
 * Creates a missing file, private to the user, before SQLite opens it. SQLite gives the log files beside it the same
 * mode. An existing file is not opened here: closing another handle on it would drop the locks that this process holds
 * on it.
 */
function makeFile(path: string): void {
  try {
    writeFileSync(path, '', { flag: 'wx', mode: 0o600 })
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return
    throw error
  }
  syncDirectory(dirname(path))
}

/** A new directory entry survives a power loss only after the directory itself is synced. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  fsyncSync(directory)
  closeSync(directory)
}

/**
 * Creates the missing parts of a directory, private to the user. It creates them one by one, because Node's `recursive`
 * never ends where nothing can be created (/proc).
 */
function makeDirectory(path: string): void {
  if (isDirectory(path)) return
  const parent = dirname(path)
  makeDirectory(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Another process created it meanwhile.
    if (isDirectory(path)) return
    throw error
  }
  syncDirectory(parent)
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
}

export function lockPathOf(path: string): string {
  return `${path}-lock`
}

/**
 * Holds an operating system lock on a small database beside the journal, until it is closed or the process ends in any
 * way. The journal itself stays open to readers meanwhile.
 */
export function lock(path: string): DatabaseSync {
  const lockPath = lockPathOf(path)
  try {
    makeFile(lockPath)
  } catch (error) {
    throw cannotOpen(lockPath, error)
  }
  return lockAt(lockPath, path)
}

function lockAt(lockPath: string, path: string): DatabaseSync {
  let database: DatabaseSync | undefined
  try {
    database = new DatabaseSync(lockPath)
    database.exec('PRAGMA busy_timeout = 0; PRAGMA journal_mode = MEMORY; BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database?.close()
    if (isBusy(error))
      throw new JournalLockedError(`${path} is in use by another broker: stop that one, or choose another file`)
    throw cannotOpen(lockPath, error)
  }
}

export function cannotOpen(path: string, cause: unknown): Error {
  return new JournalPlaceError(`${path} cannot be opened: ${meaningOf(cause, path)}`, { cause })
}

// ─── the identity of an open file ──────────────────────────────────────────────────────────────────────────────────

/** The identity of the file at a path, as text. Undefined if there is none. */
function identityOf(path: string): string | undefined {
  const file = statSync(path, { bigint: true, throwIfNoEntry: false })
  return file && `${file.dev}:${file.ino}`
}

/** The note that a journal keeps of itself: which file it is, and which lock holds it. A copy is another file. */
export function noteOfPlace(path: string): string {
  return JSON.stringify({ file: identityOf(path), lock: lockPathOf(path) })
}

/**
 * Refuses a file that was renamed while a broker has it open. That broker holds the lock beside the old name.
 * @throws JournalLockedError
 */
export function refuseHeldElsewhere(path: string, note: unknown): void {
  const { file, lock: noted } = read(note)
  if (noted === undefined || noted === lockPathOf(path) || file !== identityOf(path)) return
  if (statSync(noted, { throwIfNoEntry: false })?.isFile()) lockAt(noted, path).close()
}

/** An unreadable note counts as empty. Damage of the file is checked elsewhere. */
function read(note: unknown): { file?: string; lock?: string } {
  try {
    return JSON.parse(String(note)) as { file?: string; lock?: string }
  } catch {
    return {}
  }
}

/** The files that an open journal writes to, with their identities at the opening. */
export class OpenPlace {
  readonly #files: readonly { path: string; identity: string | undefined }[]

  constructor(path: string) {
    this.#files = [path, `${path}-wal`, lockPathOf(path)].map((file) => ({ path: file, identity: identityOf(file) }))
  }

  /**
   * Checks that each name still leads to the same file. Otherwise writes go to a file that no later start finds.
   * @throws JournalPlaceError
   */
  check(): void {
    for (const { path, identity } of this.#files) {
      let now: string | undefined
      try {
        now = identityOf(path)
      } catch {
        // The state is unknown now. The next write shows whether the disk is there.
        continue
      }
      if (now === identity) continue
      const what = now === undefined ? 'is gone' : 'was replaced by another file'
      throw new JournalPlaceError(
        `${path} ${what} while the broker ran, so that tasks accepted in the last moments may be lost: ` +
          'stop a broker before its files are moved, removed or restored',
      )
    }
  }
}
