import { ERRORS, type ErrorCode } from '@sluice/protocol'
import { SluiceError, TaskDeadError } from '../errors.ts'
import { messageOf } from '../logger.ts'
import type { ItemError } from './item.ts'
import { OutboxError, type OutboxErrorCode } from './outbox-error.ts'

/** An error as plain data. */
export function itemErrorOf(thrown: unknown): ItemError {
  if (thrown instanceof TaskDeadError) {
    const { reason, message, error, attempts } = thrown
    return { code: reason, message, attempts, ...(error === undefined ? {} : { failure: error }) }
  }
  if (thrown instanceof SluiceError) {
    const { code, message, field, limit } = thrown
    return { code, message, ...(field === undefined ? {} : { field }), ...(limit === undefined ? {} : { limit }) }
  }
  if (thrown instanceof OutboxError) return { code: thrown.code, message: thrown.message }
  return { code: 'bad_message', message: messageOf(thrown) }
}

/** The error that a caller gets for a parked item. */
export function refusalOf({ code, message, field, limit }: ItemError): Error {
  if (!Object.hasOwn(ERRORS, code)) return new OutboxError(code as OutboxErrorCode, message)
  return new SluiceError({
    code: code as ErrorCode,
    message,
    ...(field === undefined ? {} : { field }),
    ...(limit === undefined ? {} : { limit }),
  })
}

/** The error that a caller gets for a failed task. */
export function failureOf(id: string, error: ItemError): Error {
  if (error.attempts === undefined) return refusalOf(error)
  return new TaskDeadError(id, error.code as TaskDeadError['reason'], error.failure, error.attempts)
}
