import { toBase64 } from './base64.ts'
import type { WireError } from './errors.ts'
import { ITEM_DEPTH, isShallow } from './json-scan.ts'
import type { Limits } from './limits.ts'
import { type Body, JSON_CONTENT_TYPE, type Message, type TaskFailure } from './messages.ts'
import { isTaskId } from './task-id.ts'

/** Where the bodies of the messages being encoded go. */
export interface BodySink {
  /** Keeps `body` and gives the JSON fields that state it, with a comma in front of each. */
  put(body: Body): string
}

/** Bodies for behind the header of a binary frame. */
export class BinarySink implements BodySink {
  readonly bodies: Uint8Array[] = []
  length = 0

  put(body: Body): string {
    const bytes = body.bytes
    this.bodies.push(bytes)
    this.length += bytes.length
    return body.contentType === undefined
      ? `,"bytes":${bytes.length}`
      : `,"bytes":${bytes.length},"contentType":${JSON.stringify(body.contentType)}`
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Bodies inline in a text frame: JSON as it is; anything else, and JSON that would break the frame, in base64. */
export class TextSink implements BodySink {
  readonly #depthMax: number

  constructor(limits: Limits) {
    this.#depthMax = limits.depthMax - ITEM_DEPTH
  }

  put(body: Body): string {
    if (body.contentType === undefined || body.contentType === JSON_CONTENT_TYPE) {
      const source = this.#json(body.bytes)
      return source === null ? `,"base64":"${toBase64(body.bytes)}"` : `,"body":${source}`
    }
    return `,"contentType":${JSON.stringify(body.contentType)},"base64":"${toBase64(body.bytes)}"`
  }

  #json(bytes: Uint8Array): string | null {
    if (!isShallow(bytes, 0, bytes.length, this.#depthMax)) return null
    try {
      const source = decoder.decode(bytes)
      JSON.parse(source)
      return source.trim()
    } catch {
      return null
    }
  }
}

/**
 * The JSON of one message. The messages of the hot path are put together by hand, which is several times as fast as
 * `JSON.stringify` on objects made for it; their strings are ids, which are checked, or go through `JSON.stringify`.
 */
export function encodeMessage(message: Message, limits: Limits, sink: BodySink): string {
  switch (message.type) {
    case 'submit': {
      let json = `{"type":"submit","ref":${message.ref},"queue":${JSON.stringify(message.queue)}`
      if (message.options !== undefined) json += `,"options":${JSON.stringify(message.options)}`
      if (message.watch !== undefined) json += `,"watch":${message.watch}`
      let before = ',"tasks":[{"id":"'
      for (const task of message.tasks) {
        json += `${before + checkedId(task.id)}"${sink.put(task)}}`
        before = ',{"id":"'
      }
      return message.tasks.length === 0 ? `${json},"tasks":[]}` : `${json}]}`
    }
    case 'deliver': {
      let json = `{"type":"deliver","queue":${JSON.stringify(message.queue)},"leaseMs":${message.leaseMs}`
      if (message.timeLimitMs !== undefined) json += `,"timeLimitMs":${message.timeLimitMs}`
      let before = ',"tasks":[{"id":"'
      for (const task of message.tasks) {
        json += `${before + checkedId(task.id)}","lease":${task.lease},"attempt":${task.attempt}${sink.put(task)}}`
        before = ',{"id":"'
      }
      return message.tasks.length === 0 ? `${json},"tasks":[]}` : `${json}]}`
    }
    case 'complete': {
      let json = `{"type":"complete","ref":${message.ref},"results":[`
      let before = '{"lease":'
      for (const result of message.results) {
        json += `${before + result.lease + sink.put(result)}}`
        before = ',{"lease":'
      }
      return `${json}]}`
    }
    case 'outcome': {
      let json = '{"type":"outcome","tasks":['
      let before = '{"id":"'
      for (const task of message.tasks) {
        json += `${before + checkedId(task.id)}","status":"${task.status}","attempts":${task.attempts}`
        if (task.reason !== undefined) json += `,"reason":"${task.reason}"`
        if (task.error !== undefined) json += `,"error":${JSON.stringify(clippedFailure(task.error, limits))}`
        if (task.status === 'succeeded' || task.bytes.length > 0) json += sink.put(task)
        json += '}'
        before = ',{"id":"'
      }
      return `${json}]}`
    }
    case 'submitted':
    case 'settled':
    case 'cancelled':
      return message.refused.length === 0
        ? `{"type":"${message.type}","ref":${message.ref},"refused":[]}`
        : JSON.stringify({
            ...message,
            refused: message.refused.map(({ index, error }) => ({ index, error: clippedError(error, limits) })),
          })
    case 'fail':
      return JSON.stringify({
        ...message,
        failures: message.failures.map((failed) => ({ ...failed, error: clippedFailure(failed.error, limits) })),
      })
    case 'status':
      return JSON.stringify({
        ...message,
        tasks: message.tasks.map((task) =>
          task.error === undefined ? task : { ...task, error: clippedFailure(task.error, limits) },
        ),
      })
    case 'error':
      return JSON.stringify(clippedError(message, limits))
    case 'reportProgress':
      return JSON.stringify({
        type: message.type,
        updates: message.updates.map(({ lease, progress }) => ({ lease, progress: progress ?? null })),
      })
    case 'progress':
      return JSON.stringify({
        type: message.type,
        tasks: message.tasks.map(({ id, progress }) => ({ id, progress: progress ?? null })),
      })
    default:
      return JSON.stringify(message)
  }
}

/** An id goes into the frame unescaped, so one that is none must not get there. */
function checkedId(id: string): string {
  if (!isTaskId(id)) throw new RangeError(`A task id has to be a UUIDv7 in lower case, not ${JSON.stringify(id)}`)
  return id
}

/** What people read is cut to what fits: a long stack must not cost the whole frame. */
function clippedFailure(failure: TaskFailure, limits: Limits): TaskFailure {
  const clipped: TaskFailure = { message: failure.message.slice(0, limits.messageLengthMax) }
  if (failure.name !== undefined) clipped.name = failure.name.slice(0, limits.nameLengthMax)
  if (failure.stack !== undefined) clipped.stack = failure.stack.slice(0, limits.stackLengthMax)
  return clipped
}

function clippedError<E extends WireError>(error: E, limits: Limits): E {
  return error.message.length <= limits.messageLengthMax
    ? error
    : { ...error, message: error.message.slice(0, limits.messageLengthMax) }
}
