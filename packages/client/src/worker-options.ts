import type { ConnectionTimings, WorkerState } from '@sluice/machines/states'
import { isQueueName, type Limits } from '@sluice/protocol'
import { SluiceError } from './errors.ts'
import type { Executor } from './executor.ts'
import type { ContractHandler } from './handler.ts'
import type { Handlers } from './handlers.ts'
import type { Logger } from './logger.ts'
import type { Platform } from './platform.ts'
import { noQueueName } from './queue-name.ts'
import type { TokenSource } from './token-source.ts'

export interface WorkerOptions {
  /** `ws://` or `wss://`. */
  url: string
  /** For a broker with access control. A function is asked again when a token expires. */
  token?: TokenSource
  /** A label for people: program name, host. */
  name?: string
  /** Default: `globalThis.WebSocket`, its timers and its randomness. */
  platform?: Platform
  /**
   * By queue, or a list of what `handle(contract, function)` makes; at most `sessionQueuesMax` (64). With an `executor` only the names
   * matter.
   */
  // biome-ignore lint/suspicious/noExplicitAny: a list of handlers with different inputs has no narrower type
  handlers: Handlers | readonly ContractHandler<any, any>[]
  /** The queues to serve. Default: those of `handlers`. */
  queues?: readonly string[]
  /** Handlers that run at once, 1 or more. Default 8. */
  concurrency?: number
  /** Deliveries held ready besides those that run, 0 or more. Default: `concurrency`. */
  prefetch?: number
  /** Runs the handlers elsewhere, such as in threads. */
  executor?: Executor
  /**
   * Hears of each failed attempt, and (without a task) of the error that stopped the worker. What it throws is logged.
   */
  onError?: (error: unknown, task: { id: string; queue: string; attempt: number } | undefined) => void
  timings?: Partial<ConnectionTimings>
  /** Default: warnings and errors go to the console. A failed attempt is logged where a logger is given, or no `onError`. */
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
export function checkQueues(queues: string[], handlers: Handlers, executor: Executor | undefined): void {
  if (queues.length === 0) throw new Error('a worker needs a handler for at least one queue')
  for (const queue of queues) {
    if (!isQueueName(queue)) throw new Error(noQueueName(queue))
    if (executor === undefined && !Object.hasOwn(handlers, queue)) throw new Error(`queue ${queue} has no handler`)
  }
}

/** Why this broker would refuse these queues; it closes the connection of a worker that asks for them. */
export function queuesRefusal(queues: readonly string[], limits: Limits): SluiceError | undefined {
  const { sessionQueuesMax, nameLengthMax } = limits
  const long = queues.find(({ length }) => length > nameLengthMax)
  const isTooMany = queues.length > sessionQueuesMax
  if (!isTooMany && long === undefined) return undefined
  const [limit, message] = isTooMany
    ? [sessionQueuesMax, `${queues.length} queues are too many for one worker (sessionQueuesMax): divide its handlers`]
    : [nameLengthMax, `the queue name ${long} is too long (nameLengthMax)`]
  return new SluiceError({
    code: 'too_large',
    message: `${message}; the broker allows ${limit}`,
    field: 'queues',
    limit,
  })
}
