import { hasProtoKey, isContentType } from './body.ts'
import { utf8Length } from './json-scan.ts'
import type { Limits } from './limits.ts'
import type { TaskFailure, TaskName } from './messages.ts'
import { isQueueName, isTaskId } from './task-id.ts'
import { badMessage, counterAt, type Fields, listAt, optionalTextAt, text, textAt, tooLarge } from './validate.ts'

// Fields that messages of both directions share.

export function taskIdAt(fields: Fields, key: string): string {
  const id = fields[key]
  if (!isTaskId(id)) throw badMessage('A UUIDv7 in lower case is needed here.', key)
  return id
}

export function taskIdsAt(fields: Fields, limits: Limits): string[] {
  const ids = listAt(fields, 'ids', limits.batchItemsMax, 'batchItemsMax')
  for (let index = 0; index < ids.length; index++) {
    if (!isTaskId(ids[index])) throw badMessage('A UUIDv7 in lower case is needed here.', `ids[${index}]`)
  }
  return ids as string[]
}

/** How a broker refers to one task. */
export function taskNameOf(fields: Fields): TaskName {
  if (fields.id !== undefined) return { id: taskIdAt(fields, 'id') }
  return { ref: counterAt(fields, 'ref'), index: counterAt(fields, 'index') }
}

export function queueName(value: unknown, key: string, { nameLengthMax }: Limits): string {
  if (typeof value !== 'string') throw badMessage('The name of a queue is needed here, as a string.', key)
  if (value.length > nameLengthMax) {
    const message = `A queue name has at most ${nameLengthMax} characters (nameLengthMax), and this one has ${value.length}.`
    throw tooLarge(message, key, nameLengthMax)
  }
  if (!isQueueName(value)) throw badMessage(`${faultOfName(value)} ${NAME_RULE}`, key)
  return value
}

const NAME_RULE = 'It begins with a letter or digit (a-z, A-Z, 0-9); letters, digits and any of . _ : / - may follow.'

function faultOfName(name: string): string {
  if (name === '') return 'A queue name is not empty.'
  const [fault] = /[^A-Za-z0-9._:/-]/u.exec(name) ?? [name[0]]
  return `A queue name cannot ${fault === name[0] ? 'begin with' : 'hold'} ${JSON.stringify(fault)}.`
}

/** The content type, or `undefined` for JSON, whether it was given or not. So one body has one form. */
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
  if (hasProtoKey(progress)) throw badMessage('The key __proto__ is not allowed.', 'progress')
  return progress
}
