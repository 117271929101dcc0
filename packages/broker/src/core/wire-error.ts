import type { EventOf } from '@sluice/engine'
import type { WireError } from '@sluice/protocol'

/** The wire form of a refusal. */
export function wireError(event: EventOf<'refused'>): WireError {
  const error: WireError = { code: event.code, message: event.message }
  if (event.field !== undefined) error.field = event.field
  if (event.limit !== undefined) error.limit = event.limit
  if (event.retryAfterMs !== undefined) error.retryAfterMs = event.retryAfterMs
  return error
}

/** The maximum length of a text in an error, in UTF-16 units. An error may quote peer text of any length. */
const TEXT_LENGTH_MAX = 500

/** The error with its texts cut to a length that can be sent and logged. */
export function brief(error: WireError): WireError {
  const { message, field = '' } = error
  if (message.length <= TEXT_LENGTH_MAX && field.length <= TEXT_LENGTH_MAX) return error
  const cut: WireError = { ...error, message: shortened(message) }
  if (error.field !== undefined) cut.field = shortened(field)
  return cut
}

function shortened(text: string): string {
  return text.length <= TEXT_LENGTH_MAX ? text : `${text.slice(0, TEXT_LENGTH_MAX)}…`
}
