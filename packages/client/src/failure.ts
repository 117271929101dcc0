import { DURATION_MS_MAX, type FailedLease, type Limits, type TaskFailure } from '@sluice/protocol'

/** What a handler threw, as data that can cross to another thread or process. */
export interface Failure {
  error: TaskFailure
  /** False: no other attempt can succeed. */
  retryable?: boolean
  /** In place of the task's retry policy, in ms. */
  retryAfterMs?: number
}

/**
 * Reads what a handler threw, by its fields and not by its class: an error may come from another realm, or from another copy of
 * this package. Anything can be thrown, and this never throws.
 */
export function failureOf(thrown: unknown): Failure {
  try {
    return read(thrown)
  } catch {
    return { error: { message: 'what the handler threw cannot be read' } }
  }
}

/** The same for the wire: cut to the limits, so that no error can make a frame invalid. */
export function failedLease(lease: number, thrown: unknown, limits: Limits): FailedLease {
  const { error, ...verdict } = failureOf(thrown)
  // Escaped, a unit has up to six bytes, and all of it has to fit the smallest of frames.
  const unitsMax = limits.frameBytesMax >> 5
  const cutError: TaskFailure = { message: cut(error.message, Math.min(limits.messageLengthMax, unitsMax)) }
  if (error.name !== undefined) cutError.name = cut(error.name, Math.min(limits.nameLengthMax, unitsMax))
  if (error.stack !== undefined) cutError.stack = cut(error.stack, Math.min(limits.stackLengthMax, unitsMax * 2))
  return { lease, error: cutError, ...verdict }
}

function read(thrown: unknown): Failure {
  if (typeof thrown !== 'object' || thrown === null) return { error: { message: String(thrown) } }
  const { message, name, stack, retryable, retryAfterMs } = thrown as Record<string, unknown>
  const failure: Failure = { error: { message: message === undefined ? String(thrown) : String(message) } }
  if (typeof name === 'string') failure.error.name = name
  if (typeof stack === 'string') failure.error.stack = stack
  if (typeof retryable === 'boolean') failure.retryable = retryable
  if (typeof retryAfterMs === 'number' && retryAfterMs >= 0) {
    failure.retryAfterMs = Math.min(Math.ceil(retryAfterMs), DURATION_MS_MAX)
  }
  return failure
}

function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  // Half a surrogate pair at the cut would not be text any more.
  const last = text.charCodeAt(lengthMax - 2)
  return `${text.slice(0, last >= 0xd800 && last <= 0xdbff ? lengthMax - 2 : lengthMax - 1)}…`
}
