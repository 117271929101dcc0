import {
  type WorkerOptions as ClientWorkerOptions,
  createWorker as createClientWorker,
  type Worker,
} from '@sluice/client'
import { nodePlatform } from './platform.ts'
import { drainOnSignals } from './signals.ts'
import { createThreadPool, type ThreadPoolOptions, threadCount } from './thread-pool.ts'

export interface WorkerOptions extends ClientWorkerOptions {
  /**
   * Runs the handlers in worker threads, for work that would block the process. Heartbeats continue whatever a handler
   * does. `threads.module` must hold the handlers named in `handlers`; load both with `loadHandlers(module)`. Each
   * thread runs one task, so `concurrency` is `threads.size` here and may be left out.
   */
  threads?: Omit<ThreadPoolOptions, 'logger'>
  /** Drains and exits on SIGTERM, SIGINT and SIGHUP; see `drainOnSignals`. Default false. */
  signals?: boolean | { graceMs?: number }
}

/** How long running handlers may continue after a signal, in ms, unless the caller sets another time. */
export const GRACE_MS = 30_000

/**
 * A worker on Node's own socket, with its handlers in this process or in threads. It connects with `start()`.
 * @throws RangeError or Error naming the option that is out of range
 */
export function createWorker(options: WorkerOptions): Worker {
  const { threads, signals = false, ...rest } = options
  const workerOptions: ClientWorkerOptions = { platform: nodePlatform, ...rest }
  if (threads !== undefined) {
    if (options.executor !== undefined) {
      throw new Error('threads and executor exclude each other: give one of them')
    }
    const size = threadCount(threads.size ?? options.concurrency)
    if (options.concurrency !== undefined && options.concurrency !== size) {
      throw new RangeError(
        `concurrency is ${options.concurrency} and threads.size ${size}: a thread runs one task, so give one`,
      )
    }
    workerOptions.concurrency = size
    workerOptions.executor = createThreadPool({ ...threads, size, ...(rest.logger && { logger: rest.logger }) })
  }
  let worker: Worker
  try {
    worker = createClientWorker(workerOptions)
  } catch (error) {
    // Another option was refused. End the threads that were made already.
    if (threads !== undefined) void workerOptions.executor?.close()
    throw error
  }
  if (signals !== false) {
    const graceMs = (signals === true ? undefined : signals.graceMs) ?? GRACE_MS
    const forget = drainOnSignals(worker, { graceMs, ...(rest.logger && { logger: rest.logger }) })
    void worker.closed.then(forget)
  }
  return worker
}
