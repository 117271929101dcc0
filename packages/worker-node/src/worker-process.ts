import { hostname } from 'node:os'
import { basename } from 'node:path'
import { ClosedError, type Logger, safeLogger, type TokenSource, type Worker } from '@sluice/client'
import { DEFAULT_LIMITS } from '@sluice/protocol'
import { createWorker, GRACE_MS } from './create-worker.ts'
import { loadHandlers, moduleUrl } from './load-handlers.ts'
import { createNodePlatform } from './platform.ts'
import { threadCount } from './thread-pool.ts'

export interface WorkerProcessOptions {
  /** The broker, `ws://` or `wss://`. */
  url: string
  /** The module of handlers, a path or a file URL; see `loadHandlers`. */
  module: string | URL
  token?: TokenSource
  /** Shown by the broker. Default: the module's name and the host's. */
  name?: string
  /** Tasks at once without threads, 1 or more. Default 8. With threads each runs one task. */
  concurrency?: number
  /** Threads for the handlers: their number, or `true` for one per processor. Default: none, handlers run in the process. */
  threads?: number | boolean
  /** How long running handlers may go on after the first signal, in ms. Default 30,000. */
  graceMs?: number
  logger?: Logger
  /** Drain and exit on SIGTERM and SIGINT. Default true. */
  signals?: boolean
}

export interface WorkerProcess {
  worker: Worker
  queues: string[]
  /** Tasks at once. */
  concurrency: number
  /** Whether handlers run in threads. */
  threaded: boolean
  /** Resolves when the worker has left by drain or close; rejects with the SluiceError that stopped it. */
  ended: Promise<void>
}

/**
 * Loads a module of handlers and serves their queues: what `sluice worker ./tasks.ts` does. Resolves when the worker is
 * connected for the first time, however long the broker is away, or has been told to leave before that.
 *
 * @throws HandlerModuleError when the module holds no usable handlers; SluiceError when the broker refuses for good
 */
export async function startWorkerProcess(options: WorkerProcessOptions): Promise<WorkerProcess> {
  const { url, module, token, threads = false } = options
  const logger = options.logger && safeLogger(options.logger)
  const handlers = await loadHandlers(module)
  const size = threads === false || threads === 0 ? undefined : threadCount(threads === true ? undefined : threads)
  const concurrency = size ?? options.concurrency ?? CONCURRENCY
  let stopped: unknown
  const worker = createWorker({
    url,
    handlers,
    concurrency,
    name:
      options.name ?? `${basename(moduleUrl(module).pathname)}@${hostname()}`.slice(0, DEFAULT_LIMITS.nameLengthMax),
    platform: createNodePlatform(),
    ...(token !== undefined && { token }),
    ...(logger && { logger }),
    ...(size !== undefined && { threads: { module, size } }),
    signals: (options.signals ?? true) && { graceMs: options.graceMs ?? GRACE_MS },
    onError: (error, task) => {
      if (task === undefined) stopped = error
    },
  })
  const ended = worker.closed.then(() => {
    if (stopped !== undefined) throw stopped
  })
  // Who started the worker for good need not listen.
  ended.catch(() => {})
  const queues = Object.keys(handlers)
  logger?.info({ url, queues }, 'connecting')
  try {
    await worker.start()
    logger?.info({ url, queues, concurrency, threaded: size !== undefined }, 'working')
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error
    // Told to leave while the broker was away: that is an orderly end.
    await ended
  }
  return { worker, queues, concurrency, threaded: size !== undefined, ended }
}

const CONCURRENCY = 8
