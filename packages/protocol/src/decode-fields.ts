import { hasProtoKey } from './body.ts'
import { utf8Length } from './json-scan.ts'
import type { Limits } from './limits.ts'
import type { TaskFailure } from './messages.ts'
import { isQueueName, isTaskId } from './task-id.ts'
import { badMessage, type Fields, itemsAt, optionalTextAt, text, textAt, tooLarge } from './validate.ts'

// Parts that messages of both directions share.

export function taskIdAt(fields: Fields, key: string): string {
  const id = fields[key]
  if (!isTaskId(id)) throw badMessage('A UUIDv7 in lower case is needed here.', key)
  return id
}

export function taskIdsAt(fields: Fields, key: string, limits: Limits): string[] {
  return itemsAt(fields, key, limits.batchItemsMax, taskId)
}

function taskId(id: unknown): string {
  if (!isTaskId(id)) throw badMessage('A UUIDv7 in lower case is needed here.', '')
  return id
}

export function queueName(value: unknown, key: string, limits: Limits): string {
  const name = text(value, key, limits.nameLengthMax)
  if (!isQueueName(name)) {
    throw badMessage('A queue name is a letter or digit, then letters, digits and any of . _ : / -', key)
  }
  return name
}

const CONTENT_TYPE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/** The content type, or `undefined` for JSON, said or not: one body has one form. */
export function contentTypeOf(fields: Fields, limits: Limits): string | undefined {
  const contentType = fields.contentType
  if (contentType === undefined || contentType === 'application/json') return undefined
  const stated = text(contentType, 'contentType', limits.nameLengthMax)
  if (!CONTENT_TYPE.test(stated)) throw badMessage('Printable ASCII is needed here.', 'contentType')
  return stated
}

export function failureOf(fields: Fields, limits: Limits): TaskFailure {
  const failure: TaskFailure = { message: textAt(fields, 'message', limits.messageLengthMax) }
  const name = optionalTextAt(fields, 'name', limits.nameLengthMax)
  if (name !== undefined) failure.name = name
  const stack = optionalTextAt(fields, 'stack', limits.stackLengthMax)
  if (stack !== undefined) failure.stack = stack
  return failure
}

/** A progress value: any JSON of at most `progressBytesMax` bytes. */
export function progressAt(fields: Fields, limits: Limits): unknown {
  const progress = fields.progress
  if (progress === undefined) throw badMessage('A JSON value is needed here.', 'progress')
  if (typeof progress === 'number' || typeof progress === 'boolean' || progress === null) return progress
  if (utf8Length(JSON.stringify(progress)) > limits.progressBytesMax) {
    throw tooLarge(`At most ${limits.progressBytesMax} bytes of JSON fit here.`, 'progress', limits.progressBytesMax)
  }
  if (hasProtoKey(progress)) throw badMessage('The key __proto__ is refused.', 'progress')
  return progress
}
