import type { ConnectionState, ConnectionTimings, WorkerState } from '@sluice/machines/states'
import { isQueueName, type Labels, type Limits, labelsFault } from '@sluice/protocol'
import { SluiceError } from './errors.ts'
import type { Executor } from './executor.ts'
import type { ContractHandler } from './handler.ts'
import type { Handlers } from './handlers.ts'
import type { Logger } from './logger.ts'
import type { Platform } from './platform.ts'
import { noQueueName } from './queue-name.ts'
import { checkSignal } from './signal.ts'
import type { TokenSource } from './token-source.ts'

export interface WorkerOptions {
  /** `ws://` or `wss://`. */
  url: string
  /** For a broker with access control. A function is called again when a token expires. */
  token?: TokenSource
  /** A label for people, such as program name and host. */
  name?: string
  /**
   * What this worker has, such as `{ gpu: '', memoryGb: '64' }`; the broker lists it with the worker. At most 32 names
   * of up to 64 characters, values of up to 128, and 2,048 bytes together.
   */
  labels?: Labels
  /** Default: `globalThis.WebSocket`, its timers and its randomness. */
  platform?: Platform
  /**
   * Handlers by queue, or a list of results of `handle(contract, function)`, for at most `sessionQueuesMax` (64)
   * queues. With an `executor` only the names matter.
   */
  // biome-ignore lint/suspicious/noExplicitAny: a list of handlers with different inputs has no narrower type
  handlers: Handlers | readonly ContractHandler<any, any>[]
  /** The queues to serve. Default: those of `handlers`. */
  queues?: readonly string[]
  /** The maximum number of handlers that run at once, 1 or more. Default 8. */
  concurrency?: number
  /** Deliveries held ready in addition to the running ones, 0 or more. Default: `concurrency`. */
  prefetch?: number
  /** Runs the handlers elsewhere, for example in threads. */
  executor?: Executor
  /**
   * Called for each failed attempt, and (without a task) for the error that stopped the worker. If it throws, that is
   * logged.
   */
  onError?: (error: unknown, task: { id: string; queue: string; attempt: number } | undefined) => void
  /** Called whenever the state of the connection changes. If it throws, that is logged. */
  onConnectionChange?: (state: ConnectionState) => void
  timings?: Partial<ConnectionTimings>
  /**
   * Default: warnings and errors go to the console. Failed attempts are logged if a logger is given, or if there is no
   * `onError`.
   */
  logger?: Logger
  /** Closes the worker when it fires, like `close()`. */
  signal?: AbortSignal
}

export interface WorkerStats {
  /** Handlers that have not returned, including those whose lease is lost. */
  running: number
  /** Deliveries that wait for a handler. */
  queued: number
  /** Answers that the broker has not confirmed. */
  settling: number
  succeeded: number
  failed: number
  /** Tasks handed back unfinished. */
  released: number
  /** Attempts whose lease was lost before their answer was confirmed. */
  lost: number
}

/** Takes tasks from queues and runs their handlers. It reconnects by itself and keeps its leases across reconnects. */
export interface Worker {
  readonly state: WorkerState
  /** Resolves when the worker has left, for any reason. */
  readonly closed: Promise<void>
  /** Why there is no connection, for people. Undefined while there is one, and before the first attempt has failed. */
  readonly trouble: string | undefined
  /**
   * Resolves when the worker has connected for the first time.
   * @throws SluiceError if the broker refuses for good; ClosedError if the worker is closed first
   */
  start(): Promise<void>
  /**
   * Changes `concurrency` (0 or more) and `prefetch` (default: `concurrency`) while the worker lives. With a concurrency
   * of 0 the worker stays connected, hands back what has not started, and takes nothing. Running handlers always go on.
   * @throws Error if one of them is out of range
   */
  resize(size: { concurrency: number; prefetch?: number }): void
  /**
   * Takes no more tasks, hands back those that have not started, and lets running ones finish for up to `graceMs`
   * (default 30,000). Then it aborts and hands back the rest. Resolves when the worker has left.
   */
  drain(options?: { graceMs?: number }): Promise<void>
  /** Aborts running tasks and leaves at once. The broker takes the leases back. */
  close(): Promise<void>
  stats(): WorkerStats
}

/** @throws Error naming the option if it is out of range */
export function atLeast(name: string, value: number, min: number): number {
  if (Number.isInteger(value) && value >= min) return value
  throw new Error(`${name} has to be a whole number of at least ${min}, not ${String(value)}`)
}

/** @throws Error naming the option that cannot be used, or the label that a broker would refuse */
export function checkOptions({ signal, onError, labels }: WorkerOptions): void {
  checkSignal(signal)
  if (onError !== undefined && typeof onError !== 'function') throw new Error('onError has to be a function')
  const fault = labels === undefined ? undefined : labelsFault(labels)
  if (fault !== undefined) throw new Error(`${fault.field}: ${fault.message}`)
}

/** @throws Error naming the queue that cannot be served */
export function checkQueues(queues: string[], handlers: Handlers, executor: Executor | undefined): void {
  if (queues.length === 0) throw new Error('a worker needs a handler for at least one queue')
  for (const queue of queues) {
    if (!isQueueName(queue)) throw new Error(noQueueName(queue))
    if (executor === undefined && !Object.hasOwn(handlers, queue)) throw new Error(`queue ${queue} has no handler`)
  }
}

/** Why this broker would refuse these queues. It would close the connection of a worker that asks for them. */
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
