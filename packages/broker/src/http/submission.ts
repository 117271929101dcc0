import { type Body, decodeClientFrame, type Limits, type Submit, type WireError } from '@sluice/protocol'
import { HttpRefusal } from './error-response.ts'

type Fields = Record<string, unknown>

const TASK_FIELDS = ['id', 'body', 'base64', 'contentType']
const SINGLE_FIELDS = ['queue', 'options', ...TASK_FIELDS]
const BATCH_FIELDS = ['queue', 'options', 'tasks']

function badMessage(message: string, field: string): HttpRefusal {
  return new HttpRefusal({ code: 'bad_message', message, field })
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/**
 * An object's fields. Without this check a misspelt name would be dropped silently, and the task would run without the
 * option.
 */
export function fieldsOf(value: unknown, known: readonly string[], path: string): Fields {
  if (!isFields(value)) throw badMessage('An object is needed here.', path === '' ? 'body' : path)
  const unknown = Object.keys(value).find((key) => !known.includes(key))
  if (unknown === undefined) return value
  const field = path === '' ? unknown : `${path}.${unknown}`
  throw badMessage(`No such field; there are ${known.join(', ')}.`, field)
}

/**
 * Client messages, checked by the wire decoder, so that HTTP and WebSocket have the same rules and error texts. `path`
 * turns the decoder's field paths into those of the request.
 */
export function decodeAsMessages(
  messages: readonly Fields[],
  limits: Limits,
  path: (field: string) => string,
): ReturnType<typeof decodeClientFrame> & { ok: true } {
  // The size of the request is bounded already. Re-encoding it with added ids may lengthen it a little.
  const decoded = decodeClientFrame(JSON.stringify(messages), {
    ...limits,
    frameBytesMax: Number.MAX_SAFE_INTEGER,
    frameMessagesMax: messages.length,
  })
  if (decoded.ok) return decoded
  const error: WireError = { ...decoded.error }
  // Too deep nesting is a fault of the whole body.
  if (error.field !== undefined) error.field = error.field === 'frame' ? 'body' : path(error.field)
  throw new HttpRefusal(error)
}

export interface Submission {
  queue: string
  options: Submit['options']
  tasks: (Body & { id: string })[]
}

/**
 * The submission in a request: `{queue, body, id?, options?}` or `{queue, options?, tasks: [{id?, body}]}`. `base64`
 * and `contentType` replace `body` for bytes that are not JSON. `newId` makes missing ids.
 * @throws HttpRefusal naming the field, and the limit if one is exceeded
 */
export function decodeSubmission(request: unknown, limits: Limits, newId: () => string): Submission {
  const single = !(isFields(request) && 'tasks' in request)
  const { queue, options, ...rest } = fieldsOf(request, single ? SINGLE_FIELDS : BATCH_FIELDS, '')
  const shared = decodeShared(queue, options, limits)
  const stated = tasksOf(single ? [rest] : rest.tasks, limits)
  // Each task is a message of its own, because each may have its own content type.
  for (const [index, task] of stated.entries()) {
    if (task.body !== undefined || task.base64 !== undefined) continue
    const message =
      'The input of the task is missing: body is any JSON value, null too; base64 is bytes of another contentType.'
    throw badMessage(message, single ? 'body' : `tasks[${index}].body`)
  }
  const messages = stated.map(({ id, body, base64, contentType }) => ({
    type: 'submit',
    ref: 0,
    queue,
    contentType,
    ids: [id === undefined ? newId() : id],
    ...(body === undefined ? {} : { bodies: [body] }),
    ...(base64 === undefined ? {} : { base64: [base64] }),
  }))
  const decoded = decodeAsMessages(messages, limits, (field) => {
    const [, index, name = ''] = /^messages\[(\d+)\]\.?(.*)$/.exec(field) ?? [undefined, '0', field]
    const own = name
      .replace(/^ids(\[0\])?$/, 'id')
      .replace(/^bodies(\[0\])?$/, 'body')
      .replace(/^base64\[0\]$/, 'base64')
    return single ? own : `tasks[${index}].${own}`
  })
  return {
    ...shared,
    tasks: (decoded.messages as Submit[]).map(({ ids, bodies, contentType }) => ({
      id: ids[0]!,
      bytes: bodies.at(0),
      ...(contentType === undefined ? {} : { contentType }),
    })),
  }
}

/**
 * The fields that all tasks of a request share. They are checked once, first: repeated for each task they could take a
 * thousand times the space.
 */
function decodeShared(queue: unknown, options: unknown, limits: Limits): Pick<Submission, 'queue' | 'options'> {
  const message = { type: 'submit', ref: 0, queue, options, ids: [], bodies: [] }
  const { messages } = decodeAsMessages([message], limits, (field) => field.replace(/^messages\[0\]\./, ''))
  const [submit] = messages as [Submit]
  if (submit.fault !== undefined) throw new HttpRefusal(submit.fault)
  refuseDroppedOptions(options, submit.options)
  return { queue: submit.queue, options: submit.options }
}

/** The tasks of a request as objects with known fields, up to the maximum number. */
function tasksOf(stated: unknown, { batchItemsMax }: Limits): Fields[] {
  if (!Array.isArray(stated)) throw badMessage('An array is needed here.', 'tasks')
  if (stated.length === 0) throw badMessage('At least one task is needed here.', 'tasks')
  if (stated.length > batchItemsMax) {
    const message = `At most ${batchItemsMax} items fit here.`
    throw new HttpRefusal({ code: 'too_large', message, field: 'tasks', limit: batchItemsMax })
  }
  return stated.map((task: unknown, index) => fieldsOf(task, TASK_FIELDS, `tasks[${index}]`))
}

/** The decoder reads only options that it knows. A name that it dropped is a misspelling. */
function refuseDroppedOptions(stated: unknown, known: Submit['options']): void {
  if (!isFields(stated)) return
  for (const key of Object.keys(stated)) {
    if (known === undefined || !Object.hasOwn(known, key)) throw badMessage('No such option.', `options.${key}`)
  }
  if (!isFields(stated.retry)) return
  for (const key of Object.keys(stated.retry)) {
    if (known?.retry === undefined || !Object.hasOwn(known.retry, key)) {
      throw badMessage('No such option.', `options.retry.${key}`)
    }
  }
}
