import { DURATION_MS_MAX, type FailedLease, type Limits, type TaskFailure } from '@sluice/protocol'

/** What a handler threw, as it travels: cut to the limits, so that no error can make a frame invalid. */
export function failedLease(lease: number, thrown: unknown, limits: Limits): FailedLease {
  const failed: FailedLease = { lease, error: taskFailure(thrown, limits) }
  if (typeof thrown !== 'object' || thrown === null) return failed
  if ('retryable' in thrown && typeof thrown.retryable === 'boolean') failed.retryable = thrown.retryable
  if ('retryAfterMs' in thrown && typeof thrown.retryAfterMs === 'number' && thrown.retryAfterMs >= 0) {
    failed.retryAfterMs = Math.min(Math.ceil(thrown.retryAfterMs), DURATION_MS_MAX)
  }
  return failed
}

function taskFailure(thrown: unknown, limits: Limits): TaskFailure {
  if (!(thrown instanceof Error) && !isErrorLike(thrown))
    return { message: cut(String(thrown), limits.messageLengthMax) }
  const failure: TaskFailure = { message: cut(String(thrown.message), limits.messageLengthMax) }
  if (typeof thrown.name === 'string') failure.name = cut(thrown.name, limits.nameLengthMax)
  if (typeof thrown.stack === 'string') failure.stack = cut(thrown.stack, limits.stackLengthMax)
  return failure
}

/** Errors lose their class on their way from a thread. */
function isErrorLike(thrown: unknown): thrown is { message: unknown; name?: unknown; stack?: unknown } {
  return typeof thrown === 'object' && thrown !== null && 'message' in thrown
}

function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  // Half a surrogate pair at the cut would not be text any more.
  const last = text.charCodeAt(lengthMax - 2)
  return `${text.slice(0, last >= 0xd800 && last <= 0xdbff ? lengthMax - 2 : lengthMax - 1)}…`
}
