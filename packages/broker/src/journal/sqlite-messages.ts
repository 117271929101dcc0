import type { EncodedBatch, JournalSize } from './batch-writer.ts'
import type { Mailbox } from './inbox.ts'
import type { Durability } from './journal.ts'
import type { ErrorData } from './thread-error.ts'

export interface WriterData extends Mailbox {
  path: string
  durability: Durability
}

/** Requests to the writer. It answers them in order, but a discard when it is done. The bytes are transferred. */
export type ToWriter =
  /** Send the first events. */
  | { type: 'load' }
  /** Send the next events. */
  | { type: 'more' }
  | ({ type: 'append' } & EncodedBatch)
  | { type: 'discard'; before: number }
  | { type: 'close'; hasFailed: boolean }

/** The events of consecutive batches, concatenated. */
export interface Rows {
  /** The number of the first batch. */
  first: number
  /** Where the events of each batch end in `bytes`. */
  ends: number[]
  bytes: Uint8Array<ArrayBuffer>
  /** What follows these rows. */
  then: { type: 'more' } | { type: 'end' } | { type: 'failed'; error: ErrorData }
}

export type FromWriter =
  | ({ type: 'opened'; path: string } & JournalSize)
  /** Nothing more comes. */
  | { type: 'notOpened'; error: ErrorData }
  | ({ type: 'rows' } & Rows)
  /** This many of the oldest pending appends are stored. */
  | { type: 'appended'; count: number }
  /** A discard is done, in part or in whole. */
  | ({ type: 'discarded'; isDone: boolean } & JournalSize)
  /** Nothing is written any more, and pending appends are not answered. `look`: the files have changed. */
  | { type: 'failed'; by: 'append' | 'discard' | 'look'; error: ErrorData }
  /** Nothing more comes. */
  | { type: 'closed'; error: ErrorData | undefined }

export interface ReaderData extends Mailbox {
  path: string
}

export type ToReader = { type: 'read'; batch: number } | { type: 'close' }

/** The answers of the reader: one for each read, in order. `closed` is the last. */
export type FromReader =
  | { type: 'bodies'; bodies: Uint8Array<ArrayBuffer> }
  | { type: 'unread'; error: ErrorData }
  | { type: 'closed' }
