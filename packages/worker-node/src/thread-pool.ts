import { availableParallelism } from 'node:os'
import { MessageChannel, type MessagePort, receiveMessageOnPort } from 'node:worker_threads'
import {
  type Executor,
  type ExecutorHooks,
  type ExecutorTask,
  type Failure,
  HandBackError,
  LeaseLostError,
  type Logger,
  safeLogger,
  TimeLimitExceeded,
} from '@sluice/client'
import type { Body } from '@sluice/protocol'
import { Piscina } from 'piscina'
import { moduleUrl } from './load-handlers.ts'
import { LOAD_MS_MAX, ModuleLoads } from './module-loads.ts'
import { threadFile } from './thread-file.ts'
import type { ThreadAbort, ThreadOutcome, ThreadReport, ThreadTask } from './thread-messages.ts'

export interface ThreadPoolOptions {
  /** The module of handlers, a path or a file URL. Every thread loads its own copy. See `loadHandlers`. */
  module: string | URL
  /**
   * The number of threads, each with one task at a time, 1 – 256. Default: the processors that this process may use.
   */
  size?: number
  /**
   * How long a task may continue after its signal was aborted, in ms. Then its thread is terminated. A handler that
   * blocks its thread cannot see the signal, so only this ends it. Default 1,000.
   */
  abortGraceMs?: number
  logger?: Logger
}

const SIZE_MAX = 256
const ABORT_GRACE_MS = 1_000

/**
 * Runs handlers in worker threads, so that none of them can delay the heartbeats of the others.
 *
 * The pool is Piscina's. It replaces a thread that was terminated, ran out of memory or called `process.exit()`. A
 * thread that cannot load the module ends too, and its task is handed back after a wait that grows. An error that a
 * handler did not catch, for example in a timer, ends the thread. If that handler still runs, its attempt fails. If
 * another task runs in the thread, that task is handed back.
 *
 * A task that arrives while all threads are busy waits here. The worker's concurrency bounds the number of such tasks.
 * @throws RangeError for a size outside 1 – 256; Error if a bundle lacks the program of the threads
 */
export function createThreadPool(options: ThreadPoolOptions): Executor {
  const size = threadCount(options.size)
  const logger = safeLogger(options.logger)
  const graceMs = options.abortGraceMs ?? ABORT_GRACE_MS
  const pool = new Piscina({
    filename: threadFile().href,
    workerData: { module: moduleUrl(options.module).href },
    minThreads: size,
    maxThreads: size,
    concurrentTasksPerWorker: 1,
    // Otherwise an idle thread sleeps in Atomics.wait, and everything that a handler left running there stops.
    atomics: 'disabled',
    recordTiming: false,
  })
  pool.on('error', (error: unknown) => logger.error({ err: error }, 'a thread without a task failed'))
  const loads = new ModuleLoads()
  return {
    run: (task, hooks) => new ThreadRun(task, hooks, graceMs, logger).on(pool, loads),
    close: () => pool.destroy(),
  }
}

/** The number of threads asked for, or one per processor that this process may use. */
export function threadCount(size = Math.min(availableParallelism(), SIZE_MAX)): number {
  if (!Number.isInteger(size) || size < 1 || size > SIZE_MAX) {
    throw new RangeError(`threads.size is ${size}; it has to be a whole number from 1 to ${SIZE_MAX}`)
  }
  return size
}

/** One task in the pool, from the wait for a thread to its outcome. */
class ThreadRun {
  readonly #task: ExecutorTask
  readonly #hooks: ExecutorHooks
  readonly #graceMs: number
  readonly #logger: Logger
  readonly #port: MessagePort
  readonly #threadPort: MessagePort
  readonly #kill = new AbortController()
  #phase: 'waiting' | 'loading' | 'running' = 'waiting'
  #loadTimer: NodeJS.Timeout | undefined
  /** Why the thread ended, as it reported itself. */
  #end: Extract<ThreadReport, { type: 'notLoaded' | 'stray' }> | undefined
  #aborted: Error | undefined
  #killTimer: NodeJS.Timeout | undefined

  constructor(task: ExecutorTask, hooks: ExecutorHooks, graceMs: number, logger: Logger) {
    this.#task = task
    this.#hooks = hooks
    this.#graceMs = graceMs
    this.#logger = logger
    const channel = new MessageChannel()
    this.#port = channel.port1
    this.#threadPort = channel.port2
    this.#port.on('message', (report: ThreadReport) => this.#heard(report))
  }

  async on(pool: Piscina, loads: ModuleLoads): Promise<Body> {
    const { signal } = this.#hooks
    const abort = () => this.#abort(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)))
    this.#hooks.setRunning(false)
    try {
      signal.throwIfAborted()
      signal.addEventListener('abort', abort, { once: true })
      const { queue, id, attempt, input } = this.#task
      const message: ThreadTask = { ...input, queue, id, attempt, port: this.#threadPort }
      const outcome: ThreadOutcome = await pool.run(message, {
        // Piscina takes a list, though with Node's newer types its declaration says otherwise.
        transferList: [this.#threadPort, input.bytes.buffer as ArrayBuffer] as object,
        signal: this.#kill.signal,
      })
      this.#hearTheRest()
      loads.succeeded()
      return bodyOf(outcome)
    } catch (error) {
      this.#hearTheRest()
      const reason = await this.#reasonOf(error, loads)
      // After an abort the abort's reason is the failure, whether the handler threw it, threw another error, or lost
      // its thread.
      throw this.#aborted ?? reason
    } finally {
      clearTimeout(this.#killTimer)
      clearTimeout(this.#loadTimer)
      signal.removeEventListener('abort', abort)
      this.#port.close()
    }
  }

  /** The error of the attempt, or the reason for handing the task back if its thread has ended. */
  async #reasonOf(error: unknown, loads: ModuleLoads): Promise<unknown> {
    if (this.#aborted !== undefined) return this.#aborted
    const end = this.#end
    if (end?.type === 'stray') {
      if (end.owner?.isThis) return errorOf(end.failure)
      const owner =
        end.owner === undefined
          ? 'code outside any handler'
          : `task ${end.owner.id} (${end.owner.queue}), which had ended,`
      const reason = `its thread was ended by an error that ${owner} left to nobody: ${end.failure.error.message}`
      this.#log('error', { err: end.failure.error }, reason)
      return new HandBackError(reason)
    }
    if (this.#phase !== 'loading') return error
    const why = end?.failure.error.message ?? (error instanceof Error ? error.message : String(error))
    const reason = this.#kill.signal.aborted ? `the module did not load within ${LOAD_MS_MAX} ms` : why
    this.#log('error', {}, `a thread could not load the handlers and is replaced: ${reason}`)
    await loads.failed(this.#hooks.signal)
    return new HandBackError(`a thread could not load the handlers: ${reason}`)
  }

  /** The outcome takes a different path than reports do, and may overtake reports that were sent before it. */
  #hearTheRest(): void {
    for (let left = receiveMessageOnPort(this.#port); left; left = receiveMessageOnPort(this.#port))
      this.#heard(left.message as ThreadReport)
  }

  #heard(report: ThreadReport): void {
    switch (report.type) {
      case 'progress':
        this.#hooks.progress(report.value)
        return
      case 'log':
        this.#log(report.level, report.fields, report.message)
        return
      case 'loading':
        this.#phase = 'loading'
        this.#loadTimer = setTimeout(() => this.#kill.abort(), LOAD_MS_MAX)
        return
      case 'started':
        this.#phase = 'running'
        clearTimeout(this.#loadTimer)
        this.#hooks.setRunning(true)
        return
      default:
        this.#end = report
    }
  }

  #log(level: keyof Logger, fields: object, message: string): void {
    const { id, queue, attempt } = this.#task
    this.#logger[level]({ task: id, queue, attempt, ...fields }, message)
  }

  #abort(reason: Error): void {
    if (this.#aborted !== undefined) {
      return
    }
    this.#aborted = reason
    if (this.#phase !== 'running') {
      this.#kill.abort()
      return
    }
    this.#port.postMessage(abortMessage(reason, this.#task.timeLimitMs))
    this.#killTimer = setTimeout(() => {
      this.#log(
        'warn',
        { graceMs: this.#graceMs, reason: reason.message },
        'the handler ignored its signal: ending its thread',
      )
      this.#kill.abort()
    }, this.#graceMs)
  }
}

function abortMessage(reason: Error, timeLimitMs: number | undefined): ThreadAbort {
  if (reason instanceof TimeLimitExceeded && timeLimitMs !== undefined) {
    return { reason: { kind: 'time_limit', timeLimitMs } }
  }
  return reason instanceof LeaseLostError
    ? { reason: { kind: 'lease_lost', reason: reason.reason } }
    : { reason: { kind: 'other', message: reason.message } }
}

function bodyOf(outcome: ThreadOutcome): Body {
  if (outcome.ok) {
    const { ok: _, ...body } = outcome
    return body
  }
  throw errorOf(outcome)
}

/** A stack from here would be of no use. */
function errorOf({ error, retryable, retryAfterMs }: Failure): Error {
  const verdict = { ...(retryable !== undefined && { retryable }), ...(retryAfterMs !== undefined && { retryAfterMs }) }
  return Object.assign(new Error(error.message), { stack: undefined }, error, verdict)
}
