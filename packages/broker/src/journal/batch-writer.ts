import { DatabaseSync } from 'node:sqlite'
import { checksum } from './checksum.ts'
import { EndMark } from './end-mark.ts'
import { type Durability, JournalDamagedError } from './journal.ts'
import { damagedBatch, isDamage, isSqlite, isSystem, messageOf, readingBatch, stoppedBy } from './sqlite-error.ts'
import { inspect, PLACE_KEY } from './sqlite-inspection.ts'
import {
  cannotOpen,
  lock,
  makePlace,
  noteOfPlace,
  OpenPlace,
  openDatabase,
  refuseHeldElsewhere,
} from './sqlite-place.ts'
import { APPLICATION_ID, MIGRATIONS, SCHEMA_VERSION, VIEWS } from './sqlite-schema.ts'

const PAGE_BYTES = 16_384
/**
 * A checkpoint moves the write-ahead log into the file each time it holds this many pages (8 MB). A larger value stalls
 * one append for longer.
 */
const CHECKPOINT_PAGES = 512
/** How long one slice of a discard may delay appends. */
const SLICE_MS = 3

export interface JournalSize {
  batches: number
  bytes: number
}

/** A batch in its stored form. */
export interface EncodedBatch {
  batch: number
  events: Uint8Array<ArrayBuffer>
  bodies: Uint8Array<ArrayBuffer>
}

/** Turns a new or older file into a journal of this version. The file has been inspected. */
function setUp(database: DatabaseSync, path: string, isStrict: boolean): JournalSize {
  database.exec(`
    PRAGMA page_size = ${PAGE_BYTES};
    PRAGMA journal_mode = WAL;
    PRAGMA synchronous = ${isStrict ? 'FULL' : 'NORMAL'};
    PRAGMA wal_autocheckpoint = ${CHECKPOINT_PAGES};
    BEGIN IMMEDIATE;
    PRAGMA application_id = ${APPLICATION_ID};
    CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value) WITHOUT ROWID;
  `)
  const version = database.prepare("SELECT value FROM meta WHERE key = 'schema_version'").get()?.value ?? 0
  for (const migration of MIGRATIONS.slice(version as number)) database.exec(migration)
  database.exec(VIEWS)
  const note = database.prepare('INSERT OR REPLACE INTO meta(key, value) VALUES (?, ?)')
  note.run('schema_version', SCHEMA_VERSION)
  note.run(PLACE_KEY, noteOfPlace(path))
  database.exec('COMMIT')
  // After a failed sync the system may show a log that the disk does not have. This checkpoint syncs it again into the
  // file, and later writes get new space.
  database.exec('PRAGMA wal_checkpoint(TRUNCATE)')
  const size = 'SELECT count(*) AS batches, ifnull(sum(length(events) + length(bodies)), 0) AS bytes FROM batches'
  return { ...(database.prepare(size).get() as unknown as JournalSize) }
}

/**
 * A second connection that uses the log. The last connection to close normally moves the log into the file and removes
 * it. This one cannot, so if it closes last, both files stay as they are.
 */
function bystander(path: string): DatabaseSync {
  const other = new DatabaseSync(path, { readOnly: true })
  try {
    other.prepare('SELECT count(*) FROM sqlite_schema').get()
    return other
  } catch (error) {
    other.close()
    throw error
  }
}

/**
 * Closes a file that was not set up, without changing it. If the file cannot be reached any more, it stays open until
 * the process ends.
 */
function abandon(database: DatabaseSync, path: string): void {
  try {
    const other = bystander(path)
    database.close()
    other.close()
  } catch (error) {
    if (!isSqlite(error)) throw error
  }
}

/** The open file, and every statement on it except for reading bodies. */
export class BatchWriter {
  readonly path: string
  readonly sizeAtOpening: JournalSize
  readonly #lock: DatabaseSync
  readonly #mark: EndMark
  readonly #database: DatabaseSync
  readonly #bystander: DatabaseSync
  readonly #place: OpenPlace
  readonly #isStrict: boolean
  readonly #insert
  readonly #oldest
  readonly #delete

  constructor(path: string, durability: Durability) {
    this.path = makePlace(path)
    this.#isStrict = durability === 'strict'
    this.#lock = lock(this.path)
    try {
      this.#mark = new EndMark(`${this.path}-mark`)
      refuseHeldElsewhere(this.path, inspect(this.path, this.#mark))
      this.#database = openDatabase(this.path)
      try {
        this.sizeAtOpening = setUp(this.#database, this.path, this.#isStrict)
        this.#bystander = bystander(this.path)
      } catch (error) {
        abandon(this.#database, this.path)
        throw error
      }
    } catch (error) {
      this.#lock.close()
      if (isSystem(error)) throw cannotOpen(this.path, error)
      if (!isSqlite(error)) throw error
      if (isDamage(error)) throw new JournalDamagedError(`${this.path} is damaged: ${messageOf(error)}`)
      throw cannotOpen(this.path, error)
    }
    this.#place = new OpenPlace(this.path)
    // Node 22.13 binds an empty array from another thread as null.
    this.#insert = this.#database.prepare(
      "INSERT INTO batches(batch, events_crc32, bodies_crc32, events, bodies) VALUES (?, ?, ?, ?, ifnull(?, x''))",
    )
    this.#oldest = this.#database.prepare(
      'SELECT batch, length(events) + length(bodies) AS bytes FROM batches ORDER BY batch LIMIT 1',
    )
    this.#delete = this.#database.prepare('DELETE FROM batches WHERE batch = ?')
  }

  *rows(): Generator<{ batch: number; events: Uint8Array<ArrayBuffer> }> {
    const rows = this.#database.prepare('SELECT batch, events_crc32, events FROM batches ORDER BY batch').iterate()
    let previous: number | undefined
    try {
      for (;;) {
        const { value: row, done } = readingBatch(this.path, (previous ?? 0) + 1, () => rows.next())
        if (done) return
        const { batch, events_crc32, events } = row as {
          batch: number
          events_crc32: number
          events: Uint8Array<ArrayBuffer>
        }
        if (previous !== undefined && batch !== previous + 1) throw damagedBatch(this.path, previous + 1, 'is missing')
        previous = batch
        if (!(events instanceof Uint8Array) || checksum(batch, events) !== events_crc32)
          throw damagedBatch(this.path, batch, 'has events that do not match their checksum')
        yield { batch, events }
      }
    } finally {
      rows.return?.()
    }
  }

  /** Stores batches with one sync: all or none. After a failure nothing more may be written. */
  insert(batches: readonly EncodedBatch[]): void {
    try {
      // A single statement is a transaction by itself.
      if (batches.length === 1) this.#insertOne(batches[0]!)
      else
        this.#transaction(() => {
          for (const batch of batches) this.#insertOne(batch)
        })
      // A power loss may still undo a relaxed append, which is no damage.
      if (this.#isStrict) this.#mark.write(batches.at(-1)!.batch)
    } catch (error) {
      throw stoppedBy(this.path, error)
    }
  }

  #insertOne({ batch, events, bodies }: EncodedBatch): void {
    this.#insert.run(batch, checksum(batch, events), checksum(batch, bodies), events, bodies)
  }

  /**
   * Deletes the oldest batches below `before`, for about `SLICE_MS`. The delete is not synced: a discard that a crash
   * undoes is repeated, and the next append syncs it too. After a failure nothing more may be written.
   */
  discard(before: number): JournalSize & { isDone: boolean } {
    const discarded = { batches: 0, bytes: 0, isDone: false }
    const untilMs = performance.now() + SLICE_MS
    try {
      this.#database.exec('PRAGMA synchronous = NORMAL')
      this.#transaction(() => {
        do {
          const oldest = this.#oldest.get() as { batch: number; bytes: number } | undefined
          discarded.isDone = oldest === undefined || oldest.batch >= before
          if (discarded.isDone) break
          this.#delete.run(oldest!.batch)
          discarded.batches++
          discarded.bytes += oldest!.bytes
        } while (performance.now() < untilMs)
      })
      if (this.#isStrict) this.#database.exec('PRAGMA synchronous = FULL')
    } catch (error) {
      throw stoppedBy(this.path, error)
    }
    return discarded
  }

  /**
   * Checks that the files are still in their place. After a failure nothing more may be written.
   * @throws JournalPlaceError
   */
  look(): void {
    try {
      this.#place.check()
    } catch (error) {
      throw stoppedBy(this.path, error)
    }
  }

  /** After a failure the files stay as they are, because a disk that has just failed is left alone. */
  close(hasFailed: boolean): void {
    try {
      const [first, last] = hasFailed ? [this.#database, this.#bystander] : [this.#bystander, this.#database]
      first.close()
      last.close()
      this.#mark.close()
    } finally {
      this.#lock.close()
    }
  }

  #transaction(step: () => void): void {
    this.#database.exec('BEGIN IMMEDIATE')
    try {
      step()
      this.#database.exec('COMMIT')
    } finally {
      if (this.#database.isTransaction) this.#database.exec('ROLLBACK')
    }
  }
}
