import { type Body, bodyToJson, JSON_CONTENT_TYPE } from '@sluice/protocol'
import type { BrokerApi, TaskDetails } from '../core/broker-api.ts'

type DeadLetter = ReturnType<BrokerApi['dead']>['tasks'][number]

/** A task as JSON. When attempts ended is left out: those times are on the broker's own clock. */
export function taskView({ result, history, ...status }: TaskDetails): object {
  return { ...status, history: historyView(history), ...(result === undefined ? {} : resultView(result)) }
}

export function deadLetterView({ history, ...letter }: DeadLetter): object {
  return { ...letter, history: historyView(history) }
}

function historyView(history: TaskDetails['history']): object[] {
  return history.map(({ attempt, how, error }) => ({ attempt, how, ...(error === undefined ? {} : { error }) }))
}

/** JSON as it is; anything else, and what only claims to be JSON, as base64. */
function resultView(result: Body): object {
  const contentType = result.contentType ?? JSON_CONTENT_TYPE
  if (contentType === JSON_CONTENT_TYPE) {
    try {
      return { result: bodyToJson(result) }
    } catch {
      // Not JSON after all: the bytes are still worth having.
    }
  }
  return { resultBase64: base64(result.bytes), contentType }
}

/** Few enough that spreading them as arguments never overflows the stack. */
const CHUNK_BYTES = 8192

function base64(bytes: Uint8Array): string {
  let binary = ''
  for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
    binary += String.fromCharCode(...bytes.subarray(at, at + CHUNK_BYTES))
  }
  return btoa(binary)
}
