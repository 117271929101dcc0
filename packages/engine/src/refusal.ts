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

/** Also what a principal is told of a task that is not its own. */
export function unknownTask(
  session: string | undefined,
  id: string,
  details: Pick<Details, 'ref' | 'index'>,
): EventOf<'refused'> {
  const message = `there is no task ${id}: it was never accepted, or its record has expired`
  return refusal(session, 'unknown_task', message, details)
}
