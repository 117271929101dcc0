import { type DeadReason, type ErrorCode, retryOf, type TaskFailure, type WireError } from '@sluice/protocol'
import type { StandardSchemaV1 } from '@standard-schema/spec'

/** The broker refused something. `code` is one of the protocol's table and tells whether to try again. */
export class SluiceError extends Error {
  override readonly name = 'SluiceError'
  readonly code: ErrorCode
  /** The path of the field at fault. */
  readonly field: string | undefined
  /** The exceeded limit, in the field's unit. */
  readonly limit: number | undefined
  /** The minimum wait before a retry, in ms. */
  readonly retryAfterMs: number | undefined

  constructor(error: WireError) {
    super(error.message)
    this.code = error.code
    this.field = error.field
    this.limit = error.limit
    this.retryAfterMs = error.retryAfterMs
  }

  /** False if the same request would be refused again. */
  get retryable(): boolean {
    return retryOf(this.code) !== 'no'
  }
}

/** An error for something that the broker would refuse, thrown before it is sent. */
export function badMessage(message: string, field: string): SluiceError {
  return new SluiceError({ code: 'bad_message', message, field })
}

/** The task ended as a dead letter. */
export class TaskDeadError extends Error {
  override readonly name = 'TaskDeadError'
  readonly id: string
  readonly reason: DeadReason
  /** The failure of the last attempt, if an attempt failed. */
  readonly error: TaskFailure | undefined
  readonly attempts: number

  constructor(id: string, reason: DeadReason, error: TaskFailure | undefined, attempts: number) {
    super(`task ${id} is dead (${reason}) after ${attempts} attempts${error ? `: ${error.message}` : ''}`)
    this.id = id
    this.reason = reason
    this.error = error
    this.attempts = attempts
  }
}

/** The task was cancelled before it had a result. */
export class TaskCancelledError extends Error {
  override readonly name = 'TaskCancelledError'
  readonly id: string

  constructor(id: string) {
    super(`task ${id} was cancelled`)
    this.id = id
  }
}

/** The client or worker was closed before the answer arrived. The task itself is not affected. */
export class ClosedError extends Error {
  override readonly name = 'ClosedError'
}

/** A value does not fit its contract's schema. */
export class ValidationError extends Error {
  override readonly name = 'ValidationError'
  readonly issues: readonly StandardSchemaV1.Issue[]
  /** The same value will fail again. */
  readonly retryable = false

  constructor(what: string, issues: readonly StandardSchemaV1.Issue[]) {
    super(`${what} is invalid: ${issues.map(issueText).join('; ')}`)
    this.issues = issues
  }
}

function issueText(issue: StandardSchemaV1.Issue): string {
  const path = (issue.path ?? []).map((step) => String(typeof step === 'object' ? step.key : step)).join('.')
  return path === '' ? issue.message : `${path}: ${issue.message}`
}

/** Thrown by a handler: this attempt failed, and another may succeed. Any other error means the same. */
export class RetryableError extends Error {
  override readonly name: string = 'RetryableError'
  readonly retryable = true
  /** The delay in place of the task's retry policy, in ms. */
  readonly retryAfterMs: number | undefined

  constructor(message: string, options: ErrorOptions & { retryAfterMs?: number } = {}) {
    super(message, options)
    this.retryAfterMs = options.retryAfterMs
  }
}

/** Thrown by a handler: no other attempt can succeed, so the task becomes a dead letter at once. */
export class PermanentError extends Error {
  override readonly name: string = 'PermanentError'
  readonly retryable = false
}

/** Use `throw retryAfter(5000)` in a handler: this attempt fails, and the next one starts after `delayMs`. */
export function retryAfter(delayMs: number, message = `try again after ${delayMs} ms`): RetryableError {
  return new RetryableError(message, { retryAfterMs: delayMs })
}

/** The attempt ran longer than the task's `timeLimitMs`. It is the reason of `ctx.signal`. */
export class TimeLimitExceeded extends Error {
  override readonly name = 'TimeLimitExceeded'

  constructor(timeLimitMs: number) {
    super(`the handler did not finish within its time limit of ${timeLimitMs} ms`)
  }
}

/**
 * The lease of the attempt is lost or handed back. It is the reason of `ctx.signal`. The handler's result is not used.
 */
export class LeaseLostError extends Error {
  override readonly name = 'LeaseLostError'
  readonly reason: 'cancelled' | 'expired' | 'session_lost' | 'handed_back'

  constructor(reason: LeaseLostError['reason']) {
    super(`the lease of this attempt is gone (${reason})`)
    this.reason = reason
  }
}

/**
 * An Executor rejects with it if the attempt had no fair chance, for example in a thread that could not load its code.
 * The task is handed back, and no attempt is counted, up to the broker's `releasesMax`.
 */
export class HandBackError extends Error {
  override readonly name = 'HandBackError'
}
