import type { MessagePort } from 'node:worker_threads'
import type { Failure, LeaseLostError } from '@sluice/client'
import type { Body } from '@sluice/protocol'

/** What the pool hands to a thread. `bytes` and `port` are transferred. */
export interface ThreadTask extends Body {
  queue: string
  id: string
  attempt: number
  port: MessagePort
}

/** From the thread while it has a task. */
export type ThreadReport =
  /** It loads the module of handlers, or waits until it has. */
  | { type: 'loading' }
  /** The module does not load here, and the thread ends. */
  | { type: 'notLoaded'; failure: Failure }
  /** The handler is called. */
  | { type: 'started' }
  /** An error was left to nobody, and the thread ends. `owner` is the task whose handler made it, where that is known. */
  | { type: 'stray'; failure: Failure; owner: { id: string; queue: string; isThis: boolean } | undefined }
  | { type: 'progress'; value: unknown }
  | { type: 'log'; level: 'debug' | 'info' | 'warn' | 'error'; fields: object; message: string }

/** To the thread: the work is not wanted any more, and why. */
export interface ThreadAbort {
  reason:
    | { kind: 'time_limit'; timeLimitMs: number }
    | { kind: 'lease_lost'; reason: LeaseLostError['reason'] }
    | { kind: 'other'; message: string }
}

/** How a task ended. Errors cross as data: a structured clone loses the class of an error and its own fields. */
export type ThreadOutcome = ({ ok: true } & Body) | ({ ok: false } & Failure)
