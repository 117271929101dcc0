import { decodeClientFrame, type Limits, type Submit, type WireError } from '@sluice/protocol'
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

/** A misspelt name would otherwise be dropped in silence, and the task run without what was asked for. */
function refuseUnknown(value: unknown, known: readonly string[], path: string): void {
  if (!isFields(value)) return
  const unknown = Object.keys(value).find((key) => !known.includes(key))
  if (unknown === undefined) return
  const field = path === '' ? unknown : `${path}.${unknown}`
  throw badMessage(`No such field; there are ${known.join(', ')}.`, field)
}

/**
 * One client message of the wire, checked by the wire's own decoder, so that both ways in have the same rules and
 * the same words. `path` turns the decoder's field paths into those of the request.
 */
export function decodeAsMessage(
  message: Fields,
  limits: Limits,
  path: (field: string) => string,
): ReturnType<typeof decodeClientFrame> & { ok: true } {
  // The request's size is bounded already, and spelling it anew (ids added) may lengthen it a little.
  const decoded = decodeClientFrame(JSON.stringify([message]), { ...limits, frameBytesMax: Number.MAX_SAFE_INTEGER })
  if (decoded.ok) return decoded
  const error: WireError = { ...decoded.error }
  if (error.field !== undefined) error.field = path(error.field.replace(/^messages\[0\]\.?/, ''))
  throw new HttpRefusal(error)
}

/**
 * The submission in a request: `{queue, body, id?, options?}` or `{queue, options?, tasks: [{id?, body}]}`; `base64` and
 * `contentType` in place of `body` for bytes that are not JSON. Ids that are left out come from `newId`.
 * @throws HttpRefusal naming the field, and the limit where one is passed
 */
export function decodeSubmission(request: unknown, limits: Limits, newId: () => string): Submit {
  if (!isFields(request)) throw badMessage('Send an object: {"queue": "resize", "body": …}.', 'body')
  const single = !('tasks' in request)
  refuseUnknown(request, single ? SINGLE_FIELDS : BATCH_FIELDS, '')
  if (!single && Array.isArray(request.tasks)) {
    for (const [index, task] of request.tasks.entries()) refuseUnknown(task, TASK_FIELDS, `tasks[${index}]`)
  }
  const { queue, options, ...rest } = request
  const stated: unknown = single ? [rest] : rest.tasks
  // Its length is checked before ids are minted for what will be refused.
  const within = Array.isArray(stated) && stated.length <= limits.batchItemsMax
  const tasks = within
    ? stated.map((task) => (isFields(task) && task.id === undefined ? { ...task, id: newId() } : task))
    : stated
  const message = { type: 'submit', ref: 0, queue, options, tasks }
  const { messages } = decodeAsMessage(message, limits, (field) =>
    single ? field.replace(/^tasks\[0\]\.?/, '') : field,
  )
  const submit = messages[0] as Submit
  if (submit.tasks.length === 0) throw badMessage('At least one task is needed here.', 'tasks')
  refuseDroppedOptions(options, submit.options)
  return submit
}

/** The decoder reads the options it knows; a name that it left behind is a misspelling. */
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
