import type { Event } from '@sluice/engine'

export type Durability = 'strict' | 'relaxed' | 'memory'

/**
 * Where a body lies: the batch it was stored with and its place in that batch's bytes, packed in one safe integer, so that
 * a waiting task costs one number. Of the batch it keeps the low 27 bits, which name one batch among all that are kept:
 * a journal never spans more (see `BATCH_SPAN_MAX`), so numbers may go on for ever. The engine carries it unread.
 */
export type BodyRef = number

/** Bytes of bodies in one batch that a ref can name: 26 bits of offset. No journal's `batchBytesMax` is more. */
export const BATCH_BODY_BYTES_MAX = 2 ** 26
const BATCH_NAMES = 2 ** 27
/** From the oldest batch kept to the newest, at most; half of what a ref can tell apart, so that compaction has time. */
export const BATCH_SPAN_MAX = BATCH_NAMES / 2

export function bodyRef(batch: number, offset: number): BodyRef {
  return (batch % BATCH_NAMES) * BATCH_BODY_BYTES_MAX + offset
}
/** The batch of a ref: the latest one of its name that is not after `newest`. */
export function batchOf(ref: BodyRef, newest: number): number {
  const name = Math.floor(ref / BATCH_BODY_BYTES_MAX)
  return newest - ((newest - name) % BATCH_NAMES)
}
export function offsetOf(ref: BodyRef): number {
  return ref - Math.floor(ref / BATCH_BODY_BYTES_MAX) * BATCH_BODY_BYTES_MAX
}

/** What one turn of the broker did: stored whole or not at all. `batch` numbers grow by one from 1. */
export interface Batch {
  batch: number
  events: readonly Event[]
  /** The bodies that the events' refs point into. */
  bodies: Uint8Array
}

/**
 * Durable storage for the stream of events and the bodies they speak of. Every implementation passes `contract.ts`.
 * Any method may be asynchronous; no SQL leaks through.
 */
export interface Journal {
  readonly durability: Durability
  /** Bytes of bodies that one batch may have, `BATCH_BODY_BYTES_MAX` at most. */
  readonly batchBytesMax: number
  /**
   * Opens the journal and hands over every stored batch in order, bodies left where they are. Called once, first. Resolves to
   * the last batch number, 0 when new. Fails with a `JournalLockedError` or a `JournalDamagedError`.
   */
  load(each: (batch: number, events: Event[]) => void): number | Promise<number>
  /**
   * Durable (as `durability` promises) when it returns or resolves. Calls are made in order, and may be made before the earlier
   * one has resolved. After a failure every later call fails too: a failed sync is never retried. `batch.bodies` are the
   * journal's from here on: the caller neither reads nor changes them again.
   */
  append(batch: Batch): void | Promise<void>
  /** The bodies of one stored batch. Waits for no append. Fails with an Error when the batch is not there. */
  read(batch: number): Uint8Array | Promise<Uint8Array>
  /** Forget every batch below this one. May be done later or in part; never touches others. */
  discardBefore(batch: number): void | Promise<void>
  stats(): { batches: number; bytes: number }
  /** Calls back once where the journal fails by itself, while nothing is appended. One that cannot leaves it out. */
  onFailure?(heard: (error: Error) => void): void
  /** Waits for the appends made before it. */
  close(): void | Promise<void>
}

/** Another process has this journal open. */
export class JournalLockedError extends Error {
  override name = 'JournalLockedError'
}
/** No journal can be in this place: the file cannot be opened, has several names, or was moved, removed or replaced while it was open. */
export class JournalPlaceError extends Error {
  override name = 'JournalPlaceError'
}
/** The file is not a journal, is newer than this program, or is damaged: says what and where. */
export class JournalDamagedError extends Error {
  override name = 'JournalDamagedError'
}
