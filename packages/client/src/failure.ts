import { DURATION_MS_MAX, type FailedLease, type Limits, type TaskFailure } from '@sluice/protocol'

/** The maximum number of causes and members of one failure that are kept. */
const ERRORS_MAX = 10

/** A handler's error as data that can cross to another thread or process. */
export interface Failure {
  error: TaskFailure
  /** False: no other attempt can succeed. */
  retryable?: boolean
  /** The delay in place of the task's retry policy, in ms. */
  retryAfterMs?: number
}

/**
 * Reads a handler's error by its fields and not by its class, because an error may come from another realm, or from
 * another copy of this package. Anything can be thrown, and this never throws.
 */
export function failureOf(thrown: unknown): Failure {
  try {
    return read(thrown)
  } catch {
    return { error: { message: 'what the handler threw cannot be read' } }
  }
}

/** The failure for the wire, cut to the limits, so that no error can make a frame invalid. */
export function failedLease(lease: number, thrown: unknown, limits: Limits): FailedLease {
  const { error, ...verdict } = failureOf(thrown)
  // An escaped UTF-16 unit has up to six bytes, and the whole must fit into the smallest frame.
  const unitsMax = limits.frameBytesMax >> 5
  const cutError: TaskFailure = { message: cut(error.message, Math.min(limits.messageLengthMax, unitsMax)) }
  if (error.name !== undefined) cutError.name = cut(error.name, Math.min(limits.nameLengthMax, unitsMax >> 1))
  if (error.code !== undefined) cutError.code = cut(error.code, Math.min(limits.nameLengthMax, unitsMax >> 1))
  if (error.stack !== undefined) cutError.stack = cut(error.stack, Math.min(limits.stackLengthMax, unitsMax * 2))
  return { lease, error: cutError, ...verdict }
}

function read(thrown: unknown): Failure {
  if (typeof thrown !== 'object' || thrown === null) return { error: { message: String(thrown) } }
  const { name, code, retryable, retryAfterMs } = thrown as Record<string, unknown>
  const failure: Failure = { error: { message: messageIn(thrown) } }
  if (typeof name === 'string') failure.error.name = name
  if (typeof code === 'string' || typeof code === 'number') failure.error.code = String(code)
  const stack = stackIn(thrown)
  if (stack !== '') failure.error.stack = stack
  if (typeof retryable === 'boolean') failure.retryable = retryable
  if (typeof retryAfterMs === 'number' && retryAfterMs >= 0) {
    failure.retryAfterMs = Math.min(Math.ceil(retryAfterMs), DURATION_MS_MAX)
  }
  return failure
}

function messageIn(thrown: object): string {
  const { message, errors } = thrown as { message?: unknown; errors?: unknown }
  if (message !== undefined && message !== '') return String(message)
  // An error with several members and no message of its own, for example for a host with several addresses.
  if (Array.isArray(errors) && errors.length > 0) return errors.slice(0, ERRORS_MAX).map(headOf).join('; ')
  if (message === '') return ''
  // A thrown value that is no error and has no message is shown as it is.
  const text = thrown.toString === Object.prototype.toString ? JSON.stringify(thrown) : String(thrown)
  return text ?? String(thrown)
}

/** The stack, followed by those of the causes and of the members of an AggregateError. */
function stackIn(thrown: object): string {
  const parts: string[] = []
  const seen = new Set<unknown>()
  const add = (label: string, error: unknown): void => {
    if (seen.has(error) || seen.size === ERRORS_MAX) return
    seen.add(error)
    try {
      addReadable(label, error)
    } catch {
      // The other errors are still shown.
    }
  }
  const addReadable = (label: string, error: unknown): void => {
    const fields = typeof error === 'object' && error !== null ? (error as Record<string, unknown>) : {}
    const { stack, cause, errors } = fields
    if (typeof stack === 'string' || label !== '')
      parts.push(`${label}${typeof stack === 'string' ? stack : headOf(error)}`)
    if (cause !== undefined && cause !== null) add('Caused by: ', cause)
    if (Array.isArray(errors)) for (const member of errors) add('Among them: ', member)
  }
  add('', thrown)
  return parts.join('\n')
}

/** One line for an error. */
function headOf(thrown: unknown): string {
  try {
    return typeof thrown === 'object' && thrown !== null ? messageIn(thrown) : String(thrown)
  } catch {
    return 'an error that cannot be read'
  }
}

function cut(text: string, lengthMax: number): string {
  if (text.length <= lengthMax) return text
  // Half a surrogate pair at the cut would not be valid text.
  const last = text.charCodeAt(lengthMax - 2)
  return `${text.slice(0, last >= 0xd800 && last <= 0xdbff ? lengthMax - 2 : lengthMax - 1)}…`
}
