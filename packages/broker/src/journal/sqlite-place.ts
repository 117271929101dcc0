import { closeSync, fsyncSync, mkdirSync, openSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { JournalDamagedError, JournalLockedError, JournalPlaceError } from './journal.ts'
import { isBusy, meaningOf } from './sqlite-error.ts'

/** How long a connection waits for another program that writes to the file by hand, before what it does fails for good. */
const BUSY_MS = 2000

/** Opens the file and waits up to `BUSY_MS` for another program's lock. Node takes that as an option from 22.16 on only. */
export function openDatabase(path: string, options: { readOnly?: boolean } = {}): DatabaseSync {
  const database = new DatabaseSync(path, options)
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`)
  return database
}

/**
 * Makes the file and its directory where they are missing. Returns the file's own path: one file is one lock, by whatever link
 * it is reached.
 * @throws JournalPlaceError where none can be made, or it has several names; JournalDamagedError where it is no file
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
  // What is beside it would be made in vain, and opening a pipe waits for its other end.
  if (!file.isFile()) throw new JournalDamagedError(`${own} is no file, but a directory or a device`)
  // The log and the lock stand beside a name: a broker at each name would have a log of its own, and undo what the other stored.
  if (file.nlink > 1) {
    throw new JournalPlaceError(
      `${own} has ${file.nlink} names (hard links), and a broker needs a file with one: remove the others, or copy the file instead of linking it`,
    )
  }
  return own
}

/**
 * Makes a missing file, private, before SQLite opens it; SQLite gives the log files beside it the same mode. An existing
 * file is not opened: closing another handle on it would drop the locks that this process holds on it.
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

/** What is in a directory outlives a loss of power only once the directory itself is synced. */
function syncDirectory(path: string): void {
  const directory = openSync(path, 'r')
  fsyncSync(directory)
  closeSync(directory)
}

/** Makes what is missing of a directory, private. One by one: where nothing can be made (/proc) Node's `recursive` never ends. */
function makeDirectory(path: string): void {
  if (isDirectory(path)) return
  const parent = dirname(path)
  makeDirectory(parent)
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    // Made by another process meanwhile.
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
 * Holds a lock of the operating system on a small database beside the journal, until it is closed or the process ends
 * in whatever way. The journal itself stays open to readers meanwhile.
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

// ─── the place of a file that is open ──────────────────────────────────────────────────────────────────────────────

/** Which file a path leads to, as text; undefined where it leads to none. */
function identityOf(path: string): string | undefined {
  const file = statSync(path, { bigint: true, throwIfNoEntry: false })
  return file && `${file.dev}:${file.ino}`
}

/** What a journal notes of itself: which file it is, and by which lock it is held. A copy is another file. */
export function noteOfPlace(path: string): string {
  return JSON.stringify({ file: identityOf(path), lock: lockPathOf(path) })
}

/**
 * Refuses a file that was renamed while a broker has it open: that one holds the lock beside the old name.
 * @throws JournalLockedError
 */
export function refuseHeldElsewhere(path: string, note: unknown): void {
  const { file, lock: noted } = read(note)
  if (noted === undefined || noted === lockPathOf(path) || file !== identityOf(path)) return
  if (statSync(noted, { throwIfNoEntry: false })?.isFile()) lockAt(noted, path).close()
}

/** A note that cannot be read says nothing: whether the file is damaged is asked elsewhere. */
function read(note: unknown): { file?: string; lock?: string } {
  try {
    return JSON.parse(String(note)) as { file?: string; lock?: string }
  } catch {
    return {}
  }
}

/** The files that an open journal writes to, each as it was at the opening. */
export class OpenPlace {
  readonly #files: readonly { path: string; identity: string | undefined }[]

  constructor(path: string) {
    this.#files = [path, `${path}-wal`, lockPathOf(path)].map((file) => ({ path: file, identity: identityOf(file) }))
  }

  /**
   * Looks whether each name still leads to the same file. Where it does not, what is written goes to a file that no later
   * start finds.
   * @throws JournalPlaceError
   */
  check(): void {
    for (const { path, identity } of this.#files) {
      let now: string | undefined
      try {
        now = identityOf(path)
      } catch {
        // Nothing can be said now: the next write shows whether the disk is there.
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
