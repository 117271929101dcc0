import { hostname } from 'node:os'
import { basename } from 'node:path'
import { ClosedError, type Logger, safeLogger, type TokenSource, type Worker } from '@sluice/client'
import { DEFAULT_LIMITS } from '@sluice/protocol'
import { createWorker, GRACE_MS } from './create-worker.ts'
import { loadHandlers, moduleUrl } from './load-handlers.ts'
import { createNodePlatform } from './platform.ts'
import { threadCount } from './thread-pool.ts'

export interface WorkerProcessOptions {
  /** The URL of the broker, `ws://` or `wss://`. */
  url: string
  /** The module of handlers, a path or a file URL; see `loadHandlers`. */
  module: string | URL
  token?: TokenSource
  /** The name that the broker shows. Default: the names of module and host. */
  name?: string
  /** The number of tasks at once without threads, 1 or more. Default 8. With threads each runs one task. */
  concurrency?: number
  /**
   * The number of threads for the handlers, or `true` for one per processor. Default: none; handlers run in the
   * process.
   */
  threads?: number | boolean
  /** How long running handlers may continue after the first signal, in ms. Default 30,000. */
  graceMs?: number
  logger?: Logger
  /** Drains and exits on SIGTERM, SIGINT and SIGHUP. Default true. */
  signals?: boolean
}

export interface WorkerProcess {
  worker: Worker
  queues: string[]
  /** The number of tasks at once. */
  concurrency: number
  /** Whether handlers run in threads. */
  threaded: boolean
  /** Resolves when the worker has left by drain or close. Rejects with the SluiceError that stopped it. */
  ended: Promise<void>
}

/**
 * Loads a module of handlers and serves their queues, as `sluice worker ./tasks.ts` does. Resolves when the worker has
 * connected for the first time, however long the broker is away, or has been told to leave before that.
 * @throws HandlerModuleError if the module holds no usable handlers; SluiceError if the broker refuses for good
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
  // A caller that never stops the worker need not listen.
  ended.catch(() => {})
  const queues = Object.keys(handlers)
  logger?.info({ url, queues }, 'connecting')
  try {
    await worker.start()
    logger?.info({ url, queues, concurrency, threaded: size !== undefined }, 'working')
  } catch (error) {
    if (!(error instanceof ClosedError)) throw error
    // The worker was told to leave while the broker was away, which is an orderly end.
    await ended
  }
  return { worker, queues, concurrency, threaded: size !== undefined, ended }
}

const CONCURRENCY = 8
