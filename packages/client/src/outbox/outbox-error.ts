/**
 * What can go wrong in an outbox apart from the broker:
 * - `store_unavailable`: this browser gives no storage (a private window, blocked cookies) or cannot open it.
 * - `store_full`: the storage quota is used up. Other items are intact.
 * - `store_timeout`: the storage did not answer in time, and did not after it was opened again either.
 * - `store_blocked`: another tab keeps an old version of the storage open. Close the other tabs of this site.
 * - `store_newer`: a newer version of this site has changed the storage. Reload the page.
 * - `store_failed`: the storage gave another error; see the message.
 * - `upgrade_failed`: the program could not bring an item of an older version up to date.
 * - `newer_item`: the item was made by a newer version of the site. Reload the page.
 * - `unknown_item`: the outbox has no such item, or not any more.
 * - `held_back`: items wait behind a parked one of their key. Retry or discard that one.
 * - `closed`: the client is closed.
 */
export type OutboxErrorCode =
  | 'store_unavailable'
  | 'store_full'
  | 'store_timeout'
  | 'store_blocked'
  | 'store_newer'
  | 'store_failed'
  | 'upgrade_failed'
  | 'newer_item'
  | 'unknown_item'
  | 'held_back'
  | 'closed'

/** Something failed on this device. `code` is one of a documented list. */
export class OutboxError extends Error {
  override readonly name = 'OutboxError'
  readonly code: OutboxErrorCode

  constructor(code: OutboxErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}
