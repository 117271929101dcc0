import type { Failure, LeaseLostError } from '@sluice/client'
import type { Body } from '@sluice/protocol'

/** The first message of a handler Worker to its page: its script has called `serveHandlers`. */
export interface ServingMessage {
  sluice: 'serving'
  queues: string[]
}

/** The page's answer. The port to the connection Worker comes with it. */
export interface ConnectMessage {
  sluice: 'connect'
  /** The name of the Web Lock to hold for as long as the Worker lives. */
  lock: string
}

/** A task for a handler Worker. The buffer of `bytes` is transferred. */
export interface HandlerTask extends Body {
  type: 'run'
  queue: string
  id: string
  attempt: number
}

/** Why the result of the running task is not wanted any more. */
export type AbortReason =
  | { kind: 'timeLimit'; timeLimitMs: number }
  | { kind: 'leaseLost'; reason: LeaseLostError['reason'] }
  | { kind: 'other'; message: string }

/** The messages to a handler Worker on its port. */
export type TaskMessage = HandlerTask | { type: 'abort'; id: string; reason: AbortReason }

/**
 * The outcome of a task. Errors are sent as data, because a structured clone loses the class of an error and its
 * fields.
 */
export type Outcome = ({ ok: true } & Body) | ({ ok: false } & Failure)

/** The messages from a handler Worker on its port. */
export type HandlerReport =
  /** It can take tasks. `isLocked`: it holds its Web Lock. */
  | { type: 'ready'; isLocked: boolean }
  /** The handler is called. */
  | { type: 'started' }
  | { type: 'progress'; value: unknown }
  | { type: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; fields: object; message: string }
  /** It calls `close()`. Told only where there is no lock that would tell. */
  | { type: 'closing' }
  | { type: 'ended'; outcome: Outcome; workedMs: number }

/** Whether a message of a handler Worker is its first one. The app's own messages pass by. */
export function isServing(data: unknown): data is ServingMessage {
  return typeof data === 'object' && data !== null && (data as ServingMessage).sluice === 'serving'
}

export function isConnect(data: unknown): data is ConnectMessage {
  return typeof data === 'object' && data !== null && (data as ConnectMessage).sluice === 'connect'
}
