import { closeSync, fsyncSync, mkdirSync, openSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { JournalDamagedError, JournalLockedError } from './journal.ts'
import { isBusy, messageOf } from './sqlite-error.ts'

/** How long a connection waits for another program that writes to the file by hand, before what it does fails for good. */
const BUSY_MS = 2000

/** Opens the file and waits up to `BUSY_MS` for another program's lock. Node takes that as an option from 22.16 on only. */
export function openDatabase(path: string, options: { readOnly?: boolean } = {}): DatabaseSync {
  const database = new DatabaseSync(path, options)
  database.exec(`PRAGMA busy_timeout = ${BUSY_MS}`)
  return database
}

/** Makes the file and its directory where they are missing. Returns the file's own path: one file is one lock, by whatever link it is reached. */
export function makePlace(path: string): string {
  makeDirectory(dirname(resolve(path)))
  makeFile(path)
  const own = realpathSync(path)
  // What is beside it would be made in vain, and opening a pipe waits for its other end.
  if (!statSync(own).isFile()) throw new JournalDamagedError(`${own} is no file, but a directory or a device`)
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

/**
 * Holds a lock of the operating system on a small database beside the journal, until it is closed or the process ends
 * in whatever way. The journal itself stays open to readers meanwhile.
 */
export function lock(path: string): DatabaseSync {
  const lockPath = `${path}-lock`
  makeFile(lockPath)
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
  return new Error(`${path} cannot be opened: ${messageOf(cause)}`, { cause })
}
