/** What runs inside each thread of the pool: one task at a time, on the thread's own copy of the handlers. */
import { type MessagePort, workerData } from 'node:worker_threads'
import { LeaseLostError, type Logger, runHandler, type TaskContext, TimeLimitExceeded } from '@sluice/client'
import type { TaskFailure } from '@sluice/protocol'
import { move, transferableSymbol, valueSymbol } from 'piscina'
import { type Handlers, loadHandlers } from './load-handlers.ts'
import type { ThreadAbort, ThreadOutcome, ThreadReport, ThreadTask } from './thread-messages.ts'

// Loaded with the first task and not before: a module that does not load then fails tasks, each with its reason.
let loading: Promise<Handlers> | undefined

export default async function runInThread(task: ThreadTask): Promise<unknown> {
  const report = (message: ThreadReport) => task.port.postMessage(message)
  report({ type: 'started' })
  try {
    const outcome = await run(task, report)
    return outcome.ok ? transferred(outcome) : outcome
  } finally {
    task.port.close()
  }
}

async function run(task: ThreadTask, report: (message: ThreadReport) => void): Promise<ThreadOutcome> {
  try {
    loading ??= loadHandlers((workerData as { module: string }).module)
    const handlers = await loading
    const handler = Object.hasOwn(handlers, task.queue) ? handlers[task.queue] : undefined
    if (handler === undefined) {
      throw new Error(`the module of handlers has none for the queue '${task.queue}'`)
    }
    return { ok: true, ...(await runHandler(handler, task, contextOf(task, report))) }
  } catch (error) {
    return failed(error)
  }
}

function contextOf(task: ThreadTask, report: (message: ThreadReport) => void): TaskContext {
  const log = (level: keyof Logger) => (fields: object, message: string) =>
    report({ type: 'log', level, fields: plain(fields), message })
  return {
    id: task.id,
    queue: task.queue,
    attempt: task.attempt,
    signal: abortSignal(task.port),
    progress: (value) => report({ type: 'progress', value }),
    log: { debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') },
  }
}

function abortSignal(port: MessagePort): AbortSignal {
  const controller = new AbortController()
  port.on('message', (message: ThreadAbort) => controller.abort(reasonOf(message)))
  return controller.signal
}

/** The same class as outside the thread, so that a handler may tell a time limit from a lost lease. */
function reasonOf(abort: ThreadAbort): Error {
  if (abort.reason.kind === 'time_limit') {
    return new TimeLimitExceeded(abort.reason.timeLimitMs)
  }
  return abort.reason.kind === 'lease_lost' ? new LeaseLostError(abort.reason.reason) : new Error(abort.reason.message)
}

/** Fields of a log line that can cross to another thread: errors as data, the rest as JSON has it. */
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

function failed(thrown: unknown): ThreadOutcome {
  if (!(thrown instanceof Error)) {
    return { ok: false, error: { message: String(thrown) }, retryable: true }
  }
  const error: TaskFailure = { name: thrown.name, message: thrown.message }
  if (thrown.stack !== undefined) {
    error.stack = thrown.stack
  }
  // By field and not by class: a handler's module may have its own copy of the client package.
  const { retryable, retryAfterMs } = thrown as { retryable?: unknown; retryAfterMs?: unknown }
  const outcome: ThreadOutcome = { ok: false, error, retryable: retryable !== false }
  if (typeof retryAfterMs === 'number') {
    outcome.retryAfterMs = retryAfterMs
  }
  return outcome
}

/** Moves the result's bytes out of the thread instead of copying them. */
function transferred(outcome: ThreadOutcome & { ok: true }): unknown {
  const { bytes } = outcome
  const own = bytes.byteLength === bytes.buffer.byteLength ? bytes : bytes.slice()
  return move({
    get [transferableSymbol]() {
      return [own.buffer]
    },
    get [valueSymbol]() {
      return { ...outcome, bytes: own }
    },
  })
}
