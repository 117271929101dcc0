import type { Event } from '@sluice/engine'

export type Durability = 'strict' | 'relaxed' | 'memory'

/**
 * Where a body is: its batch and its place in that batch's bytes, packed into one safe integer, so that a waiting task
 * costs one number. It keeps the low 27 bits of the batch number, which name one batch among all kept ones: a journal
 * never spans more (see `BATCH_SPAN_MAX`), so numbers may grow for ever. The engine never interprets it.
 */
export type BodyRef = number

/** Bytes of bodies in one batch that a ref can address: 26 bits of offset. No journal's `batchBytesMax` is larger. */
export const BATCH_BODY_BYTES_MAX = 2 ** 26
const BATCH_NAMES = 2 ** 27
/**
 * The maximum span from the oldest kept batch to the newest. It is half of what a ref can distinguish, so that
 * compaction has time.
 */
export const BATCH_SPAN_MAX = BATCH_NAMES / 2

export function bodyRef(batch: number, offset: number): BodyRef {
  return (batch % BATCH_NAMES) * BATCH_BODY_BYTES_MAX + offset
}
/** The batch of a ref: the latest one with its low bits that is not after `newest`. */
export function batchOf(ref: BodyRef, newest: number): number {
  const name = Math.floor(ref / BATCH_BODY_BYTES_MAX)
  return newest - ((newest - name) % BATCH_NAMES)
}
export function offsetOf(ref: BodyRef): number {
  return ref - Math.floor(ref / BATCH_BODY_BYTES_MAX) * BATCH_BODY_BYTES_MAX
}

/** The work of one turn of the broker, stored as a whole or not at all. `batch` numbers start at 1 and grow by one. */
export interface Batch {
  batch: number
  events: readonly Event[]
  /** The bodies that the refs of the events point into. */
  bodies: Uint8Array
}

/**
 * Durable storage for the stream of events and their bodies. Every implementation passes `contract.ts`. Any method may
 * be asynchronous. The interface exposes no SQL.
 */
export interface Journal {
  readonly durability: Durability
  /** The maximum bytes of bodies in one batch, at most `BATCH_BODY_BYTES_MAX`. */
  readonly batchBytesMax: number
  /**
   * Opens the journal and passes on every stored batch in order, without bodies. It is called once, first. Resolves to
   * the last batch number, 0 if new. Fails with a `JournalLockedError` or a `JournalDamagedError`.
   */
  load(each: (batch: number, events: Event[]) => void): number | Promise<number>
  /**
   * The batch is durable (as `durability` promises) when this returns or resolves. Calls are made in order, and may be
   * made before the previous one has resolved. After a failure every later call fails too: a failed sync is never
   * retried. `batch.bodies` belongs to the journal from here on: the caller neither reads nor changes it again.
   */
  append(batch: Batch): void | Promise<void>
  /** The bodies of one stored batch. Waits for no append. Fails with an Error if the batch is not there. */
  read(batch: number): Uint8Array | Promise<Uint8Array>
  /** Forgets every batch below this one. It may act later or in part. It never touches other batches. */
  discardBefore(batch: number): void | Promise<void>
  stats(): { batches: number; bytes: number }
  /**
   * Calls back once if the journal fails by itself, while nothing is appended. A journal that cannot fail so leaves it
   * out.
   */
  onFailure?(heard: (error: Error) => void): void
  /** Waits for earlier appends. */
  close(): void | Promise<void>
}

/** Another process has this journal open. */
export class JournalLockedError extends Error {
  override name = 'JournalLockedError'
}
/**
 * No journal can be at this path: the file cannot be opened, has several names, or was moved, removed or replaced while
 * it was open.
 */
export class JournalPlaceError extends Error {
  override name = 'JournalPlaceError'
}
/** The file is not a journal, is newer than this program, or is damaged. The message tells what is wrong, and where. */
export class JournalDamagedError extends Error {
  override name = 'JournalDamagedError'
}
