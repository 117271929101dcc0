import type { Encoded, OutboxItem } from '@sluice/client/outbox'

/** An item with its input. */
export interface Sendable {
  item: OutboxItem
  body: Encoded
}

/** Bounds on one request: tasks, and the size of their inputs in bytes as estimated before encoding. */
const TASKS_MAX = 100
const BYTES_MAX = 256 * 1024

/** Parts that can be one request each: the same queue, the same options, and not too much. */
export function requestsOf(sendables: readonly Sendable[]): Sendable[][] {
  const open = new Map<string, { chunk: Sendable[]; bytes: number }>()
  const requests: Sendable[][] = []
  for (const sendable of sendables) {
    const { queue, options, bodyBytes } = sendable.item
    const terms = JSON.stringify([queue, options])
    let part = open.get(terms)
    if (part === undefined || part.chunk.length >= TASKS_MAX || part.bytes + bodyBytes > BYTES_MAX) {
      part = { chunk: [], bytes: 0 }
      open.set(terms, part)
      requests.push(part.chunk)
    }
    part.chunk.push(sendable)
    part.bytes += bodyBytes
  }
  return requests
}

/** The text of a request for tasks of one queue with the same options. JSON inputs go digit for digit. */
export function requestText(chunk: readonly Sendable[]): string {
  const { queue, options } = chunk[0]!.item
  const tasks = chunk.map(({ item, body }) => `{"id":${JSON.stringify(item.id)},${inputText(body)}}`)
  const terms = options === undefined ? '' : `"options":${JSON.stringify(options)},`
  return `{"queue":${JSON.stringify(queue)},${terms}"tasks":[${tasks.join(',')}]}`
}

function inputText(body: Encoded): string {
  if (typeof body === 'string') return `"body":${body}`
  if (body.contentType === undefined) return `"body":${new TextDecoder().decode(body.bytes)}`
  return `"base64":"${base64(body.bytes)}","contentType":${JSON.stringify(body.contentType)}`
}

/** The number of bytes that are turned into text at once: more arguments than this overflow a stack. */
const PIECE = 0x8000

function base64(bytes: Uint8Array): string {
  let text = ''
  for (let start = 0; start < bytes.length; start += PIECE)
    text += String.fromCharCode(...bytes.subarray(start, start + PIECE))
  return btoa(text)
}
