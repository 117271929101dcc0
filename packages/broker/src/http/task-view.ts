import { type Body, bodyToJson, JSON_CONTENT_TYPE } from '@sluice/protocol'
import type { BrokerApi, TaskDetails } from '../core/broker-api.ts'
import { isDeeperThan } from './request-json.ts'

/**
 * A task as JSON text. A JSON result is included as the worker wrote it. Bytes that are not JSON, only claim to be
 * JSON, or nest deeper than `depthMax` are included as base64. The end times of attempts are left out, because they are
 * on the broker's own clock.
 */
export function taskJson({ result, history, ...status }: TaskDetails, depthMax: number): string {
  const view = { ...status, history: historyView(history) }
  if (result === undefined) return JSON.stringify(view)
  const text = jsonOf(result, depthMax)
  if (text !== undefined) return `${JSON.stringify(view).slice(0, -1)},"result":${text}}`
  return JSON.stringify({
    ...view,
    resultBase64: base64(result.bytes),
    contentType: result.contentType ?? JSON_CONTENT_TYPE,
  })
}

/** A page of dead letters as JSON text; see `pageJson`. Each may hold twenty stacks. */
export function deadPageJson({ tasks, next }: ReturnType<BrokerApi['dead']>, charactersMax: number): string {
  const views = tasks.map(({ history, ...letter }) => ({ ...letter, history: historyView(history) }))
  return pageJson(views, next, charactersMax)
}

/** A page as JSON text. If it would exceed `charactersMax`, it holds fewer items than asked for, but at least one. */
export function pageJson(
  items: readonly (object & { id: string })[],
  next: string | undefined,
  charactersMax: number,
): string {
  const texts: string[] = []
  let characters = 0
  let after = next
  for (const [index, item] of items.entries()) {
    const text = JSON.stringify(item)
    characters += text.length
    if (index > 0 && characters > charactersMax) {
      after = items[index - 1]!.id
      break
    }
    texts.push(text)
  }
  return `{"tasks":[${texts.join()}]${after === undefined ? '' : `,"next":${JSON.stringify(after)}`}}`
}

function historyView(history: TaskDetails['history']): object[] {
  return history.map(({ endedAtMs: _, ...view }) => view)
}

function jsonOf(result: Body, depthMax: number): string | undefined {
  if (result.contentType !== undefined && result.contentType !== JSON_CONTENT_TYPE) return undefined
  try {
    // The task around the result is one level.
    return isDeeperThan(bodyToJson(result), depthMax - 1) ? undefined : new TextDecoder().decode(result.bytes)
  } catch {
    return undefined
  }
}

/** Few enough bytes that spreading them as arguments never overflows the stack. */
const CHUNK_BYTES = 8192

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES))
  }
  return btoa(binary)
}
