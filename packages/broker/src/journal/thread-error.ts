import { JournalDamagedError, JournalLockedError, JournalPlaceError } from './journal.ts'

/** An error as data. A plain copy to another thread would lose the error's class and fields. */
export interface ErrorData {
  name: string
  message: string
  stack: string | undefined
  /** `code`, `errcode` and similar fields. */
  fields: Record<string, string | number>
  cause: ErrorData | undefined
}

const CLASSES = { JournalLockedError, JournalDamagedError, JournalPlaceError, TypeError, RangeError }

export function dataOf(thrown: unknown): ErrorData {
  const error = thrown instanceof Error ? thrown : new Error(String(thrown))
  const fields: ErrorData['fields'] = {}
  for (const [name, value] of Object.entries(error))
    if (typeof value === 'string' || typeof value === 'number') fields[name] = value
  const cause = error.cause === undefined ? undefined : dataOf(error.cause)
  return { name: error.name, message: error.message, stack: error.stack, fields, cause }
}

/** The error made from the data, with its original stack. */
export function errorOf({ name, message, stack, fields, cause }: ErrorData): Error {
  const Class = Object.hasOwn(CLASSES, name) ? CLASSES[name as keyof typeof CLASSES] : Error
  const error = new Class(message, cause === undefined ? undefined : { cause: errorOf(cause) })
  return Object.assign(error, fields, { stack })
}
