import { hasProtoKey, isContentType } from './body.ts'
import { utf8Length } from './json-scan.ts'
import type { Limits } from './limits.ts'
import type { TaskFailure, TaskName } from './messages.ts'
import { isQueueName, isTaskId } from './task-id.ts'
import { badMessage, counterAt, type Fields, listAt, optionalTextAt, text, textAt, tooLarge } from './validate.ts'

// Parts that messages of both directions share.

export function taskIdAt(fields: Fields, key: string): string {
  const id = fields[key]
  if (!isTaskId(id)) throw badMessage('A UUIDv7 in lower case is needed here.', key)
  return id
}

export function taskIdsAt(fields: Fields, limits: Limits): string[] {
  const ids = listAt(fields, 'ids', limits.batchItemsMax)
  for (let index = 0; index < ids.length; index++) {
    if (!isTaskId(ids[index])) throw badMessage('A UUIDv7 in lower case is needed here.', `ids[${index}]`)
  }
  return ids as string[]
}

/** How a broker names one task. */
export function taskNameOf(fields: Fields): TaskName {
  if (fields.id !== undefined) return { id: taskIdAt(fields, 'id') }
  return { ref: counterAt(fields, 'ref'), index: counterAt(fields, 'index') }
}

export function queueName(value: unknown, key: string, limits: Limits): string {
  const name = text(value, key, limits.nameLengthMax)
  if (!isQueueName(name)) {
    throw badMessage('A queue name is a letter or digit, then letters, digits and any of . _ : / -', key)
  }
  return name
}

/** The content type, or `undefined` for JSON, said or not: one body has one form. */
export function contentTypeOf(fields: Fields, limits: Limits): string | undefined {
  const contentType = fields.contentType
  if (contentType === undefined || contentType === 'application/json') return undefined
  const stated = text(contentType, 'contentType', limits.nameLengthMax)
  if (!isContentType(stated)) throw badMessage('Printable ASCII is needed here.', 'contentType')
  return stated
}

export function failureOf(fields: Fields, limits: Limits): TaskFailure {
  const failure: TaskFailure = { message: textAt(fields, 'message', limits.messageLengthMax) }
  const name = optionalTextAt(fields, 'name', limits.nameLengthMax)
  if (name !== undefined) failure.name = name
  const code = optionalTextAt(fields, 'code', limits.nameLengthMax)
  if (code !== undefined) failure.code = code
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
