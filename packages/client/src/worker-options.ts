import type { ConnectionTimings, WorkerState } from '@sluice/machines/states'
import { isQueueName } from '@sluice/protocol'
import type { Executor } from './executor.ts'
import type { AnyHandler } from './handler.ts'
import type { Logger } from './logger.ts'
import type { Platform } from './platform.ts'

export interface WorkerOptions {
  /** `ws://` or `wss://`. */
  url: string
  /** Sent in the first message, never in the URL. */
  token?: string
  /** A label for people: program name, host. */
  name?: string
  /** Default: `globalThis.WebSocket`, its timers and its randomness. */
  platform?: Platform
  /** By queue; at most `sessionQueuesMax` (64). With an `executor` only the names matter. */
  handlers: Readonly<Record<string, AnyHandler>>
  /** The queues to serve. Default: those of `handlers`. */
  queues?: readonly string[]
  /** Handlers that run at once, 1 or more. Default 8. */
  concurrency?: number
  /** Deliveries held ready besides those that run, 0 or more. Default: `concurrency`. */
  prefetch?: number
  /** Runs the handlers elsewhere, such as in threads. */
  executor?: Executor
  /**
   * Hears of each failed attempt, and (without a task) of the error that stopped the worker. It must not throw.
   */
  onError?: (error: unknown, task: { id: string; queue: string; attempt: number } | undefined) => void
  timings?: Partial<ConnectionTimings>
  logger?: Logger
  /** Closes the worker when it fires, as `close()` does. */
  signal?: AbortSignal
}

export interface WorkerStats {
  /** Handlers that have not returned, those whose lease is gone included. */
  running: number
  /** Deliveries that wait for a handler. */
  queued: number
  /** Answers that the broker has not confirmed. */
  settling: number
  succeeded: number
  failed: number
  /** Handed back unfinished. */
  released: number
  /** Attempts whose lease was lost before their answer was confirmed. */
  lost: number
}

/** Takes tasks from queues and runs their handlers. Reconnects by itself and keeps its leases over that. */
export interface Worker {
  readonly state: WorkerState
  /** Resolves when the worker has left, for whatever reason. */
  readonly closed: Promise<void>
  /**
   * Resolves once connected for the first time.
   * @throws SluiceError where the broker refuses for good; ClosedError when closed first
   */
  start(): Promise<void>
  /**
   * Takes nothing more, hands back what was not started, lets what runs finish for up to `graceMs` (default 30,000),
   * then aborts and hands back the rest. Resolves when the worker has left.
   */
  drain(options?: { graceMs?: number }): Promise<void>
  /** Aborts what runs and leaves at once; the broker takes the leases back. */
  close(): Promise<void>
  stats(): WorkerStats
}

/** @throws Error naming the option where it is out of range */
export function atLeast(name: string, value: number, min: number): number {
  if (Number.isInteger(value) && value >= min) return value
  throw new Error(`${name} has to be a whole number of at least ${min}, not ${String(value)}`)
}

/** @throws Error naming the queue that cannot be served */
export function checkQueues(
  queues: string[],
  handlers: Record<string, AnyHandler>,
  executor: Executor | undefined,
): void {
  if (queues.length === 0) throw new Error('a worker needs a handler for at least one queue')
  for (const queue of queues) {
    if (!isQueueName(queue))
      throw new Error(`${JSON.stringify(queue)} is no queue name: use letters, digits, . _ : / -`)
    if (executor === undefined && !Object.hasOwn(handlers, queue)) throw new Error(`queue ${queue} has no handler`)
  }
}
