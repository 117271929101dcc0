import type { EventOf } from '@sluice/engine'
import type { WireError } from '@sluice/protocol'

/** What a refusal is on the wire. */
export function wireError(event: EventOf<'refused'>): WireError {
  const error: WireError = { code: event.code, message: event.message }
  if (event.field !== undefined) error.field = event.field
  if (event.limit !== undefined) error.limit = event.limit
  if (event.retryAfterMs !== undefined) error.retryAfterMs = event.retryAfterMs
  return error
}
