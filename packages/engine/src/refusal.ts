import type { ErrorCode } from '@sluice/protocol'
import type { EventOf } from './events.ts'

interface Details {
  ref?: number
  index?: number
  field?: string
  limit?: number
  retryAfterMs?: number
}

export function refusal(
  session: string | undefined,
  code: ErrorCode,
  message: string,
  details: Details = {},
): EventOf<'refused'> {
  const { ref, index, field, limit, retryAfterMs } = details
  return { type: 'refused', session, ref, index, code, message, field, limit, retryAfterMs }
}
