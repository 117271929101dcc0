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

/** From the thread while a task runs. */
export type ThreadReport =
  | { type: 'started' }
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
