import type { MessagePort } from 'node:worker_threads'
import type { Failure, LeaseLostError } from '@sluice/client'
import type { Body } from '@sluice/protocol'

/** The message from the pool that gives a task to a thread. `bytes` and `port` are transferred. */
export interface ThreadTask extends Body {
  queue: string
  id: string
  attempt: number
  port: MessagePort
}

/** Messages from the thread while it has a task. */
export type ThreadReport =
  /** The thread loads the module of handlers, or waits for it. */
  | { type: 'loading' }
  /** The module does not load here, and the thread ends. */
  | { type: 'notLoaded'; failure: Failure }
  /** The handler is called. */
  | { type: 'started' }
  /** There was an uncaught error, and the thread ends. `owner` is the task whose handler caused it, if known. */
  | { type: 'stray'; failure: Failure; owner: { id: string; queue: string; isThis: boolean } | undefined }
  | { type: 'progress'; value: unknown }
  | { type: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; fields: object; message: string }

/** The message to the thread that its result is not wanted any more, with the reason. */
export interface ThreadAbort {
  reason:
    | { kind: 'time_limit'; timeLimitMs: number }
    | { kind: 'lease_lost'; reason: LeaseLostError['reason'] }
    | { kind: 'other'; message: string }
}

/**
 * The outcome of a task. Errors are sent as data, because a structured clone loses the class of an error and its
 * fields.
 */
export type ThreadOutcome = ({ ok: true } & Body) | ({ ok: false } & Failure)
