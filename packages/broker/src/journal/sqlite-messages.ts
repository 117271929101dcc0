import type { EncodedBatch, JournalSize } from './batch-writer.ts'
import type { Mailbox } from './inbox.ts'
import type { Durability } from './journal.ts'
import type { ErrorData } from './thread-error.ts'

export interface WriterData extends Mailbox {
  path: string
  durability: Durability
}

/** Each is answered in the order in which they come, a discard when it is done. The bytes are transferred. */
export type ToWriter =
  /** Hand over the first events. */
  | { type: 'load' }
  /** Hand over those that come next. */
  | { type: 'more' }
  | ({ type: 'append' } & EncodedBatch)
  | { type: 'discard'; before: number }
  | { type: 'close'; hasFailed: boolean }

/** The events of consecutive batches, one directly behind the other. */
export interface Rows {
  /** The number of the first batch. */
  first: number
  /** Where the events of each batch end in `bytes`. */
  ends: number[]
  bytes: Uint8Array<ArrayBuffer>
  /** What follows them. */
  then: { type: 'more' } | { type: 'end' } | { type: 'failed'; error: ErrorData }
}

export type FromWriter =
  | ({ type: 'opened'; path: string } & JournalSize)
  /** Nothing more comes. */
  | { type: 'notOpened'; error: ErrorData }
  | ({ type: 'rows' } & Rows)
  /** So many of the oldest appends under way are stored. */
  | { type: 'appended'; count: number }
  /** A part of a discard is done, or all of it. */
  | ({ type: 'discarded'; isDone: boolean } & JournalSize)
  /** Nothing is written any more. What was being appended is not answered. `look`: the files are not what they were. */
  | { type: 'failed'; by: 'append' | 'discard' | 'look'; error: ErrorData }
  /** Nothing more comes. */
  | { type: 'closed'; error: ErrorData | undefined }

export interface ReaderData extends Mailbox {
  path: string
}

export type ToReader = { type: 'read'; batch: number } | { type: 'close' }

/** One for each read, in order; `closed` is the last. */
export type FromReader =
  | { type: 'bodies'; bodies: Uint8Array<ArrayBuffer> }
  | { type: 'unread'; error: ErrorData }
  | { type: 'closed' }
