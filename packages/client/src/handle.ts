import {
  type Body,
  bodyToJson,
  type SubmitOptions,
  type SubmittedTask,
  type TaskOutcome,
  type TaskStatus,
} from '@sluice/protocol'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { SluiceError, TaskCancelledError, TaskDeadError } from './errors.ts'
import { withSignal } from './signal.ts'
import { validate } from './task-contract.ts'

/** A submitted task, as its submitter sees it. Keep it or drop it: the task does not depend on it. */
export interface TaskHandle<O = unknown> extends AsyncIterable<unknown> {
  /** UUIDv7, lower case. */
  readonly id: string
  /** Undefined for a handle made from an id alone. */
  readonly queue: string | undefined
  /**
   * Asks the broker.
   * @throws ClosedError when the client is closed first
   */
  status(options?: { signal?: AbortSignal }): Promise<TaskStatus>
  /**
   * The task's result, however often and however late it is asked for while the broker keeps it (`resultTtlMs`).
   * @throws TaskDeadError, TaskCancelledError, SluiceError `unknown_task`, ClosedError, ValidationError (the result
   *   does not fit the contract), or the signal's reason; the signal ends the waiting, not the task
   */
  result(options?: { signal?: AbortSignal }): Promise<O>
  /**
   * Cancels the task, waiting or running. Resolves once that is durable.
   * @throws SluiceError `task_finished` or `unknown_task`
   */
  cancel(options?: { signal?: AbortSignal }): Promise<void>
  /**
   * What the handler reports, newest last; ends with the task. A reader that falls behind loses the oldest of 16.
   * Every call starts an iteration of its own.
   */
  progress(): AsyncIterable<unknown>
}

/** What a handle needs from its client. */
export interface HandleHost {
  query(id: string, signal?: AbortSignal): Promise<TaskStatus>
  cancel(id: string, signal?: AbortSignal): Promise<void>
  /** Makes sure that outcome and progress of this handle's task arrive. */
  watch(handle: Handle): void
}

type Outcome = { kind: 'succeeded'; body: Body } | { kind: 'failed'; error: Error }

/** Progress values that one iteration holds for a reader that is slower than the handler. */
const PROGRESS_VALUES_MAX = 16

/**
 * Handle and bookkeeping in one object, since there is one for every task in flight. `phase` is the submission's:
 * `queued` here, `sent` and unanswered, `accepted`, or `refused`.
 */
export class Handle implements TaskHandle<unknown> {
  readonly id: string
  readonly queue: string | undefined
  readonly #host: HandleHost
  readonly #output: StandardSchemaV1 | undefined
  phase: 'queued' | 'sent' | 'accepted' | 'refused' = 'queued'
  /** As it travels; dropped once the broker has answered for good. */
  task: SubmittedTask | undefined
  options: SubmitOptions | undefined
  /** Equal for submissions that may share a message. */
  group = ''
  watched = true
  /** Whether a `busy` refusal rejects `submit()` instead of being waited out. */
  throwsBusy = false
  /** Ends the wait of `submit()`; undefined once it has ended, or been given up. */
  accept: ((handle: Handle) => void) | undefined
  reject: ((error: unknown) => void) | undefined
  #outcome: Outcome | undefined
  #result: Promise<unknown> | undefined
  #resolve: ((value: unknown) => void) | undefined
  #reject: ((error: Error) => void) | undefined
  #readers: Set<ProgressReader> | undefined
  #twins: Handle[] | undefined

  constructor(host: HandleHost, id: string, queue: string | undefined, output: StandardSchemaV1 | undefined) {
    this.#host = host
    this.id = id
    this.queue = queue
    this.#output = output
  }

  /** Settles `submit()`, once. */
  settle(error?: unknown): void {
    const { accept, reject } = this
    this.accept = undefined
    this.reject = undefined
    if (error === undefined) accept?.(this)
    else reject?.(error)
  }

  /** Whether someone waits for the outcome. */
  get awaited(): boolean {
    return this.#resolve !== undefined || this.#readers !== undefined
  }

  status(options?: { signal?: AbortSignal }): Promise<TaskStatus> {
    return this.#host.query(this.id, options?.signal)
  }

  cancel(options?: { signal?: AbortSignal }): Promise<void> {
    return this.#host.cancel(this.id, options?.signal)
  }

  result(options?: { signal?: AbortSignal }): Promise<unknown> {
    this.#result ??= new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      if (this.#outcome !== undefined) this.#answer(this.#outcome)
      else this.#host.watch(this)
    })
    return options?.signal === undefined ? this.#result : withSignal(this.#result, options.signal)
  }

  progress(): AsyncIterable<unknown> {
    return { [Symbol.asyncIterator]: () => this[Symbol.asyncIterator]() }
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    const reader = new ProgressReader(() => this.#readers?.delete(reader))
    if (this.#outcome !== undefined) {
      reader.end()
    } else {
      this.#readers ??= new Set()
      this.#readers.add(reader)
      this.#host.watch(this)
    }
    return reader
  }

  /** Another handle of the same task shares what arrives for this one. */
  join(twin: Handle): void {
    this.#twins ??= []
    if (!this.#twins.includes(twin)) this.#twins.push(twin)
  }

  onProgress(value: unknown): void {
    if (this.#twins !== undefined) for (const twin of this.#twins) twin.onProgress(value)
    if (this.#readers !== undefined) for (const reader of this.#readers) reader.push(value)
  }

  onOutcome(outcome: TaskOutcome): void {
    if (this.#twins !== undefined) for (const twin of this.#twins) twin.onOutcome(outcome)
    if (this.#outcome !== undefined) return
    if (outcome.status === 'succeeded') {
      // The bytes view a frame: a result that nobody waits for yet must not keep the whole frame alive.
      const bytes = this.#resolve === undefined ? outcome.bytes.slice() : outcome.bytes
      this.#end({
        kind: 'succeeded',
        body: outcome.contentType === undefined ? { bytes } : { bytes, contentType: outcome.contentType },
      })
    } else if (outcome.status === 'cancelled') {
      this.fail(new TaskCancelledError(this.id))
    } else {
      this.fail(new TaskDeadError(this.id, outcome.reason ?? 'not_retryable', outcome.error, outcome.attempts))
    }
  }

  /** The outcome will never be known, or is an error. */
  fail(error: Error): void {
    if (this.#twins !== undefined) for (const twin of this.#twins) twin.fail(error)
    if (this.#outcome === undefined) this.#end({ kind: 'failed', error })
  }

  #end(outcome: Outcome): void {
    this.#outcome = outcome
    if (this.#resolve !== undefined) this.#answer(outcome)
    const readers = this.#readers
    this.#readers = undefined
    if (readers !== undefined) for (const reader of readers) reader.end()
  }

  #answer(outcome: Outcome): void {
    const resolve = this.#resolve!
    const reject = this.#reject!
    this.#resolve = undefined
    this.#reject = undefined
    if (outcome.kind === 'failed') {
      reject(outcome.error)
      return
    }
    try {
      resolve(validate(this.#output, decodeResult(this.id, outcome.body), 'the result'))
    } catch (error) {
      reject(error as Error)
    }
  }
}

/** JSON becomes its value; any other content type is handed over as its bytes. */
function decodeResult(id: string, body: Body): unknown {
  if (body.contentType !== undefined && body.contentType !== 'application/json') return body.bytes.slice()
  try {
    return bodyToJson(body)
  } catch (error) {
    throw new SluiceError({
      code: 'bad_message',
      message: `the result of task ${id} is not the JSON it claims to be: ${(error as Error).message}`,
    })
  }
}

class ProgressReader implements AsyncIterator<unknown> {
  readonly #values: unknown[] = []
  readonly #leave: () => void
  #wake: ((result: IteratorResult<unknown>) => void)[] = []
  #ended = false

  constructor(leave: () => void) {
    this.#leave = leave
  }

  push(value: unknown): void {
    const wake = this.#wake.shift()
    if (wake !== undefined) {
      wake({ done: false, value })
      return
    }
    if (this.#values.length === PROGRESS_VALUES_MAX) this.#values.shift()
    this.#values.push(value)
  }

  end(): void {
    this.#ended = true
    for (const wake of this.#wake.splice(0)) wake({ done: true, value: undefined })
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#values.length > 0) return Promise.resolve({ done: false, value: this.#values.shift() })
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve) => this.#wake.push(resolve))
  }

  return(): Promise<IteratorResult<unknown>> {
    this.#leave()
    this.#values.length = 0
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }
}
