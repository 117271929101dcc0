import {
  failureOf,
  type Handlers,
  LeaseLostError,
  runHandler,
  type TaskContext,
  TimeLimitExceeded,
  taskLogger,
} from '@sluice/client'
import type { AbortReason, HandlerReport, HandlerTask, Outcome, TaskMessage } from './handler-messages.ts'
import { HandlerProgress } from './handler-progress.ts'
import { plainFields } from './plain-fields.ts'

/** What the server needs from its Worker. */
export interface HandlerScope {
  now(): number
  setTimer(fn: () => void, ms: number): () => void
  post(report: HandlerReport, transfer: Transferable[]): void
}

/** Runs the tasks of one handler Worker, one at a time. */
export class HandlerServer {
  readonly #handlers: Handlers
  readonly #scope: HandlerScope
  #running: { id: string; queue: string; abort: AbortController } | undefined

  constructor(handlers: Handlers, scope: HandlerScope) {
    this.#handlers = handlers
    this.#scope = scope
  }

  receive(message: TaskMessage): void {
    if (message.type === 'run') void this.#run(message)
    else if (message.id === this.#running?.id) this.#running.abort.abort(reasonOf(message.reason))
  }

  /** An error that no handler caught. It ends no Worker, and nobody can tell which task it belongs to. */
  stray(thrown: unknown): void {
    const { error } = failureOf(thrown)
    const during = this.#running === undefined ? {} : { task: this.#running.id, queue: this.#running.queue }
    const message = `an error that no handler caught: ${error.message}`
    this.#post({ type: 'log', level: 'error', fields: { ...during, err: error }, message })
  }

  async #run(task: HandlerTask): Promise<void> {
    const abort = new AbortController()
    this.#running = { id: task.id, queue: task.queue, abort }
    this.#post({ type: 'started' })
    const startedMs = this.#scope.now()
    const outcome = await this.#outcomeOf(task, abort.signal)
    this.#running = undefined
    const workedMs = this.#scope.now() - startedMs
    // The bytes may be a part of a larger buffer, which must stay here, so a copy is transferred.
    const sent = outcome.ok ? { ...outcome, bytes: new Uint8Array(outcome.bytes) } : outcome
    this.#post({ type: 'ended', outcome: sent, workedMs }, sent.ok ? [sent.bytes.buffer as ArrayBuffer] : [])
  }

  async #outcomeOf(task: HandlerTask, signal: AbortSignal): Promise<Outcome> {
    const progress = new HandlerProgress({
      now: () => this.#scope.now(),
      setTimer: (fn, ms) => this.#scope.setTimer(fn, ms),
      onProgress: (value) => this.#post({ type: 'progress', value }),
      onUnsendable: (message) => this.#post({ type: 'log', level: 'warn', fields: {}, message }),
    })
    try {
      const handler = Object.hasOwn(this.#handlers, task.queue) ? this.#handlers[task.queue] : undefined
      if (handler === undefined) throw new Error(`serveHandlers has no handler for the queue '${task.queue}'`)
      return { ok: true, ...(await runHandler(handler, bodyOf(task), this.#contextOf(task, signal, progress))) }
    } catch (error) {
      return { ok: false, ...failureOf(error) }
    } finally {
      progress.end()
    }
  }

  #contextOf({ id, queue, attempt }: HandlerTask, signal: AbortSignal, progress: HandlerProgress): TaskContext {
    return {
      id,
      queue,
      attempt,
      signal,
      progress: (value) => progress.report(value),
      log: taskLogger((level, fields, message) =>
        this.#post({ type: 'log', level, fields: plainFields(fields), message }),
      ),
    }
  }

  #post(report: HandlerReport, transfer: Transferable[] = []): void {
    this.#scope.post(report, transfer)
  }
}

function bodyOf({ bytes, contentType }: HandlerTask) {
  return contentType === undefined ? { bytes } : { bytes, contentType }
}

/** The same class as outside the Worker, so that a handler can tell a time limit from a lost lease. */
function reasonOf(reason: AbortReason): Error {
  switch (reason.kind) {
    case 'timeLimit':
      return new TimeLimitExceeded(reason.timeLimitMs)
    case 'leaseLost':
      return new LeaseLostError(reason.reason)
    case 'other':
      return new Error(reason.message)
  }
}
