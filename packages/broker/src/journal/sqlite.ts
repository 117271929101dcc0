import { closeSync, fsyncSync, mkdirSync, openSync, realpathSync, statSync, writeFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate } from 'node:timers/promises'
import { crc32 } from 'node:zlib'
import { refusalOf } from './append-check.ts'
import { EndMark } from './end-mark.ts'
import { EventDecoder } from './event-decoder.ts'
import { EventEncoder } from './event-encoder.ts'
import { type Durability, type Journal, JournalDamagedError, JournalLockedError } from './journal.ts'
import { isBusy, isCorrupt, isDamage, isSqlite, messageOf } from './sqlite-error.ts'
import { inspect } from './sqlite-inspection.ts'
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION, VIEWS } from './sqlite-schema.ts'

export interface SqliteJournalOptions {
  /** The database file. Its directory is made where it is missing; what is made is private to the user. */
  path: string
  /**
   * `strict` survives a power loss: every append waits for the disk. `relaxed` survives the end of this process, and
   * may lose the last seconds at a power loss.
   */
  durability: Exclude<Durability, 'memory'>
}

const PAGE_BYTES = 16_384
/** The write-ahead log is folded into the file each time it holds this many pages (8 MB): more stalls one append for longer. */
const CHECKPOINT_PAGES = 512
/** How long an append waits for another program that writes to the file by hand, before it fails for good. */
const BUSY_MS = 2000
/** How long one slice of a discard may hold up appends. */
const SLICE_MS = 3

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
function lock(path: string): DatabaseSync {
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

function cannotOpen(path: string, cause: unknown): Error {
  return new Error(`${path} cannot be opened: ${messageOf(cause)}`, { cause })
}

interface Size {
  batches: number
  bytes: number
}

/** Makes the file a journal of this version, where it is new or older. It has been inspected. */
function setUp(database: DatabaseSync, durability: SqliteJournalOptions['durability']): Size {
  database.exec(`
    PRAGMA page_size = ${PAGE_BYTES};
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${durability === 'strict' ? 'FULL' : 'NORMAL'};
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    BEGIN IMMEDIATE;
    PRAGMA application_id = ${APPLICATION_ID};
    CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
  `)
  const version = database.prepare("SELECT value FROM meta WHERE key = 'schema_version'").get()?.value ?? 0
  for (const migration of MIGRATIONS.slice(version as number)) database.exec(migration)
  database.exec(VIEWS)
  database.prepare("INSERT OR REPLACE INTO meta(key, value) VALUES ('schema_version', ?)").run(SCHEMA_VERSION)
  database.exec('COMMIT')
  // After a failed sync the system may show a log that the disk does not have: it is folded into the file, which syncs it
  // anew, and what is written next gets new room.
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const size = 'SELECT count(*) AS batches, ifnull(sum(length(events) + length(bodies)), 0) AS bytes FROM batches'
  return { ...(database.prepare(size).get() as unknown as Size) }
}

/**
 * Closes without folding the log into the file, as the last connection to close does: a disk that has just failed is left
 * alone. Where the file cannot be reached any more it stays open until the process ends.
 */
function abandon(database: DatabaseSync, path: string): void {
  let other: DatabaseSync | undefined
  try {
    other = new DatabaseSync(path, { readOnly: true })
    // Takes part in the log, so that it is not the last one's to close.
    other.prepare('SELECT count(*) FROM sqlite_schema').get()
    database.close()
  } catch (error) {
    if (!isSqlite(error)) throw error
  } finally {
    other?.close()
  }
}

/** It depends on the batch's number too, so that a batch under another number does not match. */
function checksum(batch: number, bytes: Uint8Array): number {
  // A checksum begins with 32 bits, and numbers go on past them.
  return crc32(bytes, batch >>> 0)
}

/** The open file: every statement that is ever run on it. */
class BatchStore {
  readonly path: string
  readonly sizeAtOpening: Size
  readonly #lock: DatabaseSync
  readonly #mark: EndMark
  readonly #database: DatabaseSync
  readonly #durability: SqliteJournalOptions['durability']
  readonly #insert
  readonly #bodies
  readonly #oldest
  readonly #delete

  constructor({ path, durability }: SqliteJournalOptions) {
    if (path === '' || path.startsWith(':memory:') || path.startsWith('file:'))
      throw new TypeError(`path must name a file, not ${JSON.stringify(path)}: use the memory journal to store nothing`)
    makeDirectory(dirname(resolve(path)))
    makeFile(path)
    // One file is one lock, by whatever link it is reached.
    this.path = realpathSync(path)
    // What is beside it would be made in vain, and opening a pipe waits for its other end.
    if (!statSync(this.path).isFile())
      throw new JournalDamagedError(`${this.path} is no file, but a directory or a device`)
    this.#durability = durability
    this.#lock = lock(this.path)
    try {
      this.#mark = new EndMark(`${this.path}-mark`)
      inspect(this.path, this.#mark, BUSY_MS)
      this.#database = new DatabaseSync(this.path, { timeout: BUSY_MS })
      try {
        this.sizeAtOpening = setUp(this.#database, durability)
      } catch (error) {
        abandon(this.#database, this.path)
        throw error
      }
    } catch (error) {
      this.#lock.close()
      if (!isSqlite(error)) throw error
      if (isDamage(error)) throw new JournalDamagedError(`${this.path} is damaged: ${messageOf(error)}`)
      throw cannotOpen(this.path, error)
    }
    this.#insert = this.#database.prepare(
      'INSERT INTO batches(batch, events_crc32, bodies_crc32, events, bodies) VALUES (?, ?, ?, ?, ?)',
    )
    this.#bodies = this.#database.prepare('SELECT bodies_crc32, bodies FROM batches WHERE batch = ?')
    this.#oldest = this.#database.prepare(
      'SELECT batch, length(events) + length(bodies) AS bytes FROM batches ORDER BY batch LIMIT 1',
    )
    this.#delete = this.#database.prepare('DELETE FROM batches WHERE batch = ?')
  }

  *rows(): Generator<{ batch: number; events: Uint8Array }> {
    const rows = this.#database.prepare('SELECT batch, events_crc32, events FROM batches ORDER BY batch').iterate()
    let previous: number | undefined
    try {
      for (;;) {
        const { value: row, done } = this.#reading((previous ?? 0) + 1, () => rows.next())
        if (done) return
        const { batch, events_crc32, events } = row as { batch: number; events_crc32: number; events: Uint8Array }
        if (previous !== undefined && batch !== previous + 1) throw this.#damaged(previous + 1, 'is missing')
        previous = batch
        if (!(events instanceof Uint8Array) || checksum(batch, events) !== events_crc32)
          throw this.#damaged(batch, 'has events that do not match their checksum')
        yield { batch, events }
      }
    } finally {
      rows.return?.()
    }
  }

  insert(batch: number, events: Uint8Array, bodies: Uint8Array): void {
    this.#insert.run(batch, checksum(batch, events), checksum(batch, bodies), events, bodies)
    // A relaxed append may still be lost with the power, and then is no damage.
    if (this.#durability === 'strict') this.#mark.write(batch)
  }

  bodies(batch: number): Uint8Array {
    const row = this.#reading(batch, () => this.#bodies.get(batch)) as
      | { bodies_crc32: number; bodies: Uint8Array }
      | undefined
    if (!row) throw new Error(`batch ${batch} is not stored`)
    if (!(row.bodies instanceof Uint8Array) || checksum(batch, row.bodies) !== row.bodies_crc32)
      throw this.#damaged(batch, 'has bodies that do not match their checksum')
    return row.bodies
  }

  /**
   * Deletes the oldest batches below `before`, for about `SLICE_MS`. Not synced: a discard that a crash undoes is done
   * again, and the next append syncs it along.
   */
  discard(before: number): Size & { done: boolean } {
    const discarded = { batches: 0, bytes: 0, done: false }
    const untilMs = performance.now() + SLICE_MS
    this.#database.exec('PRAGMA synchronous = NORMAL; BEGIN IMMEDIATE')
    try {
      do {
        const oldest = this.#oldest.get() as { batch: number; bytes: number } | undefined
        discarded.done = oldest === undefined || oldest.batch >= before
        if (discarded.done) break
        this.#delete.run(oldest!.batch)
        discarded.batches++
        discarded.bytes += oldest!.bytes
      } while (performance.now() < untilMs)
      this.#database.exec('COMMIT')
    } finally {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
      if (this.#durability === 'strict') this.#database.exec('PRAGMA synchronous = FULL')
    }
    return discarded
  }

  close(hasFailed: boolean): void {
    try {
      if (hasFailed) abandon(this.#database, this.path)
      else this.#database.close()
      this.#mark.close()
    } finally {
      this.#lock.close()
    }
  }

  #reading<T>(batch: number, step: () => T): T {
    try {
      return step()
    } catch (error) {
      if (!isDamage(error)) throw error
      throw this.#damaged(batch, `cannot be read (${messageOf(error)})`)
    }
  }

  #damaged(batch: number, how: string): JournalDamagedError {
    return new JournalDamagedError(`${this.path}: batch ${batch} ${how}; restore the file from a copy`)
  }
}

/**
 * The journal in one SQLite file (WAL), one row for each batch. Opens at once: throws a `JournalLockedError` where
 * another broker has the file open, and a `JournalDamagedError` where the file is not a journal or is of a newer version.
 * While it is open, other programs may read the file with SQL (see the views `events`, `tasks`, `tasks_by_state`).
 */
export function sqliteJournal(options: SqliteJournalOptions): Journal {
  const store = new BatchStore(options)
  const encoder = new EventEncoder()
  const stats = store.sizeAtOpening
  let last = 0
  let loaded = false
  let closed = false
  let failure: Error | undefined
  let discardTo = 0
  let discarding: Promise<void> | undefined

  function fail(reason: string, cause?: unknown): Error {
    failure = isCorrupt(cause)
      ? new JournalDamagedError(`the journal ${store.path} stopped, it is damaged: ${reason}`, { cause })
      : new Error(`the journal ${store.path} stopped: ${reason}`, { cause })
    return failure
  }

  async function discard(): Promise<void> {
    try {
      for (;;) {
        await setImmediate()
        if (closed || failure) return
        // The newest batch stays, so that a later opening knows where the numbers go on.
        const { batches, bytes, done } = store.discard(Math.min(discardTo, last))
        stats.batches -= batches
        stats.bytes -= bytes
        if (done) return
      }
    } catch (error) {
      throw fail(messageOf(error), error)
    } finally {
      discarding = undefined
    }
  }

  return {
    durability: options.durability,
    load(each) {
      const decoder = new EventDecoder()
      for (const { batch, events } of store.rows()) {
        const text = Buffer.from(events.buffer, events.byteOffset, events.length).toString('utf8')
        each(batch, decoder.decode(batch, text))
        last = batch
      }
      loaded = true
      return last
    },
    append(batch) {
      if (failure) throw failure
      if (closed || !loaded) throw new Error(`the journal ${store.path} is ${closed ? 'closed' : 'not loaded'}`)
      const refusal = refusalOf(batch, last)
      if (refusal !== undefined) throw fail(refusal)
      const events = encoder.encode(batch.batch, batch.events)
      try {
        store.insert(batch.batch, events, batch.bodies)
      } catch (error) {
        throw fail(messageOf(error), error)
      }
      last = batch.batch
      stats.batches++
      stats.bytes += events.length + batch.bodies.length
    },
    read(batch) {
      if (closed) throw new Error(`the journal ${store.path} is closed`)
      return store.bodies(batch)
    },
    discardBefore(before) {
      discardTo = Math.max(discardTo, before)
      discarding ??= discard()
      return discarding
    },
    stats: () => ({ ...stats }),
    close() {
      if (closed) return
      closed = true
      store.close(failure !== undefined)
    },
  }
}
