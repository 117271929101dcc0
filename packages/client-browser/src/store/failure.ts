import { OutboxError, type OutboxErrorCode } from '@sluice/client/outbox'

/** What a failed attempt means. */
export interface Failure {
  error: OutboxError
  /** Whether the connection to the database is of no more use, and a new one may help. */
  isLost: boolean
}

/** The deadline of an attempt has passed. */
export class DeadlineError extends Error {}

/** Names of errors that end an attempt to open, with what to say. A new attempt at once would end alike. */
const OPENING: Readonly<Record<string, readonly [OutboxErrorCode, string]>> = {
  SecurityError: ['store_unavailable', 'this browser does not allow storage here: allow cookies and site data'],
  InvalidStateError: ['store_unavailable', 'this browser gives no storage, as in a private window'],
  VersionError: ['store_newer', 'a newer version of this site has changed the storage: reload the page'],
}

const FULL = 'the storage of this site is full: free space on the device, or remove items of the outbox'

/** Reads what was thrown while the database was opened or used. */
export function failureOf(thrown: unknown, during: 'opening' | 'transaction'): Failure {
  if (thrown instanceof OutboxError) return { error: thrown, isLost: false }
  const failure = (code: OutboxErrorCode, message: string, isLost: boolean): Failure => ({
    error: new OutboxError(code, message, { cause: thrown }),
    isLost,
  })
  if (thrown instanceof DeadlineError) return failure('store_timeout', thrown.message, true)
  const { name = '', message = String(thrown) } = thrown instanceof Error ? thrown : {}
  if (name === 'QuotaExceededError') return failure('store_full', FULL, false)
  if (during === 'opening') {
    const [code, text] = OPENING[name] ?? []
    if (code !== undefined && text !== undefined) return failure(code, text, false)
    return failure('store_unavailable', `the storage of this site cannot be opened: ${message}`, true)
  }
  // A value that cannot be stored stays so. Everything else may come from a connection that the browser has ended.
  return failure('store_failed', `the storage of this site failed: ${message}`, name !== 'DataCloneError')
}
