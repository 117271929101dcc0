import { toBase64 } from './base64.ts'
import type { Bodies } from './bodies.ts'
import { JSON_CONTENT_TYPE } from './body.ts'
import type { WireError } from './errors.ts'
import { BODY_DEPTH, isShallow, utf8Length } from './json-scan.ts'
import type { Limits } from './limits.ts'
import type { Message, TaskFailure, WithBodies } from './messages.ts'

/** Receives the bodies of the messages that are being encoded. */
export interface MessageSink {
  /** Keeps bodies and returns the JSON fields that describe them, with a comma before each. */
  put(message: WithBodies): string
  /** A list of leases or indices. */
  counters(list: readonly number[]): string
}

/** Collects the bodies that follow the header of a binary frame. */
export class BinarySink implements MessageSink {
  readonly bodies: Bodies[] = []
  length = 0
  /** Whether texts are assumed to be ASCII, so that their bytes need no counting. */
  readonly assumesAscii: boolean

  constructor(assumesAscii: boolean) {
    this.assumesAscii = assumesAscii
  }

  put({ bodies, contentType }: WithBodies): string {
    const { texts } = bodies
    const lengths = texts !== undefined && this.assumesAscii ? texts.map((text) => text.length) : bodies.lengths
    let areEqual = lengths.length > 0
    let bytes = 0
    for (let i = 0; i < lengths.length; i++) {
      const length = lengths[i]!
      bytes += length
      if (length !== lengths[0]) areEqual = false
    }
    this.length += bytes
    this.bodies.push(bodies)
    return `,"bytes":${areEqual ? lengths[0] : JSON.stringify(lengths)}${contentTypeField(contentType)}`
  }

  counters(list: readonly number[]): string {
    let json = '['
    let before = ''
    for (let first = 0; first < list.length; ) {
      let end = first + 1
      while (end < list.length && list[end] === list[end - 1]! + 1) end++
      json += end - first === 1 ? `${before}${list[first]}` : `${before}[${list[first]},${end - first}]`
      before = ','
      first = end
    }
    return `${json}]`
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * Writes bodies inline in a text frame: JSON as it is; base64 for everything else and for JSON that would break the
 * frame.
 */
export class TextSink implements MessageSink {
  readonly #depthMax: number

  constructor(limits: Limits) {
    this.#depthMax = limits.depthMax - BODY_DEPTH
  }

  put({ bodies, contentType }: WithBodies): string {
    const all = Array.from({ length: bodies.count }, (_, index) => bodies.at(index))
    if (contentType === undefined) {
      const texts = all.map((bytes) => this.#json(bytes))
      if (!texts.includes(null)) return `,"bodies":[${texts.join(',')}]`
    }
    return `${contentTypeField(contentType)},"base64":${JSON.stringify(all.map(toBase64))}`
  }

  /** Plain numbers, which every reader accepts. */
  counters(list: readonly number[]): string {
    return JSON.stringify(list)
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

function contentTypeField(contentType: string | undefined): string {
  return contentType === undefined || contentType === JSON_CONTENT_TYPE
    ? ''
    : `,"contentType":${JSON.stringify(contentType)}`
}

/**
 * The JSON of one message. The messages of the hot path are written by hand, which is faster than `JSON.stringify` on
 * objects made for it.
 */
export function encodeMessage(message: Message, limits: Limits, sink: MessageSink): string {
  switch (message.type) {
    case 'submit': {
      let json = `{"type":"submit","ref":${message.ref},"queue":${JSON.stringify(message.queue)}`
      if (message.options !== undefined) json += `,"options":${JSON.stringify(message.options)}`
      if (message.watch !== undefined) json += `,"watch":${message.watch}`
      return `${json},"ids":${JSON.stringify(message.ids)}${sink.put(message)}}`
    }
    case 'deliver': {
      let json = `{"type":"deliver","queue":${JSON.stringify(message.queue)},"leaseMs":${message.leaseMs}`
      if (message.timeLimitMs !== undefined) json += `,"timeLimitMs":${message.timeLimitMs}`
      if (message.start !== undefined) json += `,"start":"${message.start}"`
      json += `,"ids":${JSON.stringify(message.ids)},"leases":${sink.counters(message.leases)}`
      if (message.attempts !== undefined) json += `,"attempts":${JSON.stringify(message.attempts)}`
      return `${json}${sink.put(message)}}`
    }
    case 'complete':
      return `{"type":"complete","ref":${message.ref},"leases":${sink.counters(message.leases)}${sink.put(message)}}`
    case 'succeeded': {
      const tasks =
        'ids' in message
          ? `"ids":${JSON.stringify(message.ids)}`
          : `"ref":${message.ref},"indexes":${sink.counters(message.indexes)}`
      return `{"type":"succeeded",${tasks}${sink.put(message)}}`
    }
    case 'ended':
      return JSON.stringify({
        type: message.type,
        tasks: message.tasks.map((task) =>
          task.error === undefined ? task : { ...task, error: clippedFailure(task.error, limits) },
        ),
      })
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
        tasks: message.tasks.map((task) => ({ ...task, progress: task.progress ?? null })),
      })
    default:
      return JSON.stringify(message)
  }
}

/**
 * One failure may use this much of a frame's bytes. The message around it, and progress beside it, may use the rest.
 */
const FAILURE_SHARE = 4
/** The most bytes that a UTF-16 unit takes, as an escape. */
const ESCAPE_BYTES = 6

/** Cuts texts for people to what fits, so that a long stack does not cost the whole frame. */
function clippedFailure(failure: TaskFailure, limits: Limits): TaskFailure {
  const clipped = cutFailure(failure, limits.messageLengthMax, limits.nameLengthMax, limits.stackLengthMax)
  const bytesMax = limits.frameBytesMax / FAILURE_SHARE
  if (unitsOf(clipped) * ESCAPE_BYTES <= bytesMax || utf8Length(JSON.stringify(clipped)) <= bytesMax) return clipped
  const unitsMax = Math.floor(bytesMax / ESCAPE_BYTES / 6)
  return cutFailure(clipped, unitsMax, unitsMax, 2 * unitsMax)
}

function cutFailure(failure: TaskFailure, messageMax: number, nameMax: number, stackMax: number): TaskFailure {
  const cut: TaskFailure = { message: failure.message.slice(0, messageMax) }
  if (failure.name !== undefined) cut.name = failure.name.slice(0, nameMax)
  if (failure.code !== undefined) cut.code = failure.code.slice(0, nameMax)
  if (failure.stack !== undefined) cut.stack = failure.stack.slice(0, stackMax)
  return cut
}

function unitsOf({ message, name = '', code = '', stack = '' }: TaskFailure): number {
  return message.length + name.length + code.length + stack.length
}

function clippedError<E extends WireError>(error: E, { messageLengthMax }: Limits): E {
  const { message, field = '' } = error
  if (message.length <= messageLengthMax && field.length <= messageLengthMax) return error
  const clipped = { ...error, message: message.slice(0, messageLengthMax) }
  if (field !== '') clipped.field = field.slice(0, messageLengthMax)
  return clipped
}
