/** The program of each thread of the pool: one task at a time, on the thread's own copy of the handlers. */
import { AsyncLocalStorage } from 'node:async_hooks'
import { type MessagePort, workerData } from 'node:worker_threads'
import {
  failureOf,
  type Handlers,
  LeaseLostError,
  runHandler,
  type TaskContext,
  TimeLimitExceeded,
  taskLogger,
} from '@sluice/client'
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { loadHandlers } from './load-handlers.ts'
import type { ThreadAbort, ThreadOutcome, ThreadReport, ThreadTask } from './thread-messages.ts'
import { ThreadProgress } from './thread-progress.ts'

// The module is loaded with the first task, so that a module that does not load hands tasks back, each with its reason.
let loading: Promise<Handlers> | undefined

/** The task whose handler started an asynchronous operation, however long ago. */
const origin = new AsyncLocalStorage<ThreadTask>()

export default async function runInThread(task: ThreadTask): Promise<unknown> {
  const report = (message: ThreadReport) => task.port.postMessage(message)
  report({ type: 'loading' })
  loading ??= loadHandlers((workerData as { module: string }).module)
  let handlers: Handlers
  try {
    handlers = await loading
  } catch (error) {
    // The thread's own copy of the module stays broken, so another thread must replace this one.
    report({ type: 'notLoaded', failure: failureOf(error) })
    process.exit(1)
  }
  report({ type: 'started' })
  const forgetStrays = onStray(task, report)
  try {
    const outcome = await origin.run(task, () => run(handlers, task, report))
    return outcome.ok ? transferred(outcome) : outcome
  } finally {
    forgetStrays()
    task.port.close()
  }
}

/** An uncaught error ends the thread. The running task is charged only for an error of its own. */
function onStray(task: ThreadTask, report: (message: ThreadReport) => void): () => void {
  const stray = (error: unknown) => {
    // The program handles uncaught errors itself.
    if (process.listenerCount('uncaughtException') > 1) return
    const owner = origin.getStore()
    report({
      type: 'stray',
      failure: failureOf(error),
      owner: owner && { id: owner.id, queue: owner.queue, isThis: owner === task },
    })
    process.exit(1)
  }
  process.on('uncaughtException', stray)
  return () => process.off('uncaughtException', stray)
}

async function run(
  handlers: Handlers,
  task: ThreadTask,
  report: (message: ThreadReport) => void,
): Promise<ThreadOutcome> {
  const progress = new ThreadProgress(report)
  try {
    const handler = Object.hasOwn(handlers, task.queue) ? handlers[task.queue] : undefined
    if (handler === undefined) {
      throw new Error(`the module of handlers has none for the queue '${task.queue}'`)
    }
    return { ok: true, ...(await runHandler(handler, task, contextOf(task, progress, report))) }
  } catch (error) {
    return { ok: false, ...failureOf(error) }
  } finally {
    progress.end()
  }
}

function contextOf(task: ThreadTask, progress: ThreadProgress, report: (message: ThreadReport) => void): TaskContext {
  return {
    id: task.id,
    queue: task.queue,
    attempt: task.attempt,
    signal: abortSignal(task.port),
    progress: (value) => progress.report(value),
    log: taskLogger((level, fields, message) => report({ type: 'log', level, fields: plain(fields), message })),
  }
}

function abortSignal(port: MessagePort): AbortSignal {
  const controller = new AbortController()
  port.on('message', (message: ThreadAbort) => controller.abort(reasonOf(message)))
  return controller.signal
}

/** The same class as outside the thread, so that a handler can tell a time limit from a lost lease. */
function reasonOf(abort: ThreadAbort): Error {
  if (abort.reason.kind === 'time_limit') {
    return new TimeLimitExceeded(abort.reason.timeLimitMs)
  }
  return abort.reason.kind === 'lease_lost' ? new LeaseLostError(abort.reason.reason) : new Error(abort.reason.message)
}

/** Fields of a log line in a form that can cross to another thread: errors as data, everything else as JSON. */
function plain(fields: object): object {
  const asData = (_key: string, value: unknown) => {
    if (value instanceof Error) {
      return { name: value.name, message: value.message, stack: value.stack }
    }
    return typeof value === 'bigint' ? String(value) : value
  }
  try {
    return JSON.parse(JSON.stringify(fields, asData)) as object
  } catch (error) {
    return { unloggable: String(error) }
  }
}

/**
 * Transfers the result's bytes out of the thread. They may be part of a pooled buffer, or of one that cannot be
 * transferred, so a copy is sent.
 */
function transferred(outcome: ThreadOutcome & { ok: true }): unknown {
  const bytes = new Uint8Array(outcome.bytes)
  return move({
    get [transferableSymbol]() {
      return [bytes.buffer]
    },
    get [valueSymbol]() {
      return { ...outcome, bytes }
    },
  })
}
