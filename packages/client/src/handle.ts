import { Bodies, type EndedTask, type TaskStatus } from '@sluice/protocol'
import type { Encoded } from './encode-value.ts'
import { SluiceError, TaskCancelledError, TaskDeadError } from './errors.ts'
import { checkSignal, onAbort, withSignal } from './signal.ts'
import { validate } from './task-contract.ts'
import type { Terms } from './terms.ts'

/** A submitted task, as its submitter sees it. The task does not depend on the handle, which may be dropped. */
export interface TaskHandle<O = unknown> extends AsyncIterable<unknown> {
  /** A UUIDv7 in lower case. */
  readonly id: string
  /** Undefined for a handle made from an id alone. */
  readonly queue: string | undefined
  /**
   * Asks the broker.
   * @throws ClosedError if the client is closed first
   */
  status(options?: { signal?: AbortSignal }): Promise<TaskStatus>
  /**
   * The task's result. It can be read repeatedly while the broker keeps it (`resultTtlMs`). A call after a rejection
   * asks the broker again, because a dead task may have been redriven.
   * @throws TaskDeadError, TaskCancelledError, SluiceError `unknown_task`, ClosedError, ValidationError (the result
   * does not fit the contract), or the signal's reason; the signal ends the wait, not the task
   */
  result(options?: { signal?: AbortSignal }): Promise<O>
  /**
   * Cancels the task, waiting or running. Resolves when the cancellation is durable.
   * @throws SluiceError `task_finished` or `unknown_task`
   */
  cancel(options?: { signal?: AbortSignal }): Promise<void>
  /**
   * The values that the handler reports, newest last. It ends with the task. A slow reader keeps the newest 16 values
   * and loses older ones. Every call starts a separate iteration. If the signal fires, it ends with the signal's
   * reason.
   */
  progress(options?: { signal?: AbortSignal }): AsyncIterable<unknown>
}

/** What a handle needs from its client. */
export interface HandleHost {
  query(id: string, signal?: AbortSignal): Promise<TaskStatus>
  cancel(id: string, signal?: AbortSignal): Promise<void>
  /** Makes sure that the outcome and progress of this handle's task arrive. */
  watch(handle: Handle): void
  /** The error of a wait that a signal ended. */
  reasonOf(signal: AbortSignal): unknown
  /** The outcome is known and need not be told by id any more. */
  forget(handle: Handle): void
}

/** What a handle needs from the submission that it is part of. */
interface Membership {
  /** Nothing more is expected for the task at `place`. */
  leave(place: number): void
}

/** The maximum number of progress values that one iteration buffers for a slow reader. */
const PROGRESS_VALUES_MAX = 16

/**
 * Handle and bookkeeping in one object, because there is one for every task in flight. `phase` is that of the
 * submission: `queued` here, `sent` but unanswered, `accepted`, or `refused`.
 */
export class Handle implements TaskHandle<unknown> {
  readonly id: string
  readonly terms: Terms
  readonly #host: HandleHost
  phase: 'queued' | 'sent' | 'accepted' | 'refused' = 'queued'
  /** The encoded input. It is dropped once the broker has given its final answer. */
  input: Encoded | undefined
  /**
   * The submission through which the answer and the outcome arrive, and the place in it. Undefined while none is
   * expected by place.
   */
  submission: Membership | undefined
  place = 0
  /** Whether the broker may have held the task before this submission. It may then tell the outcome by id. */
  mayBeHeld = false
  /** Ends the wait of `submit()`. Undefined once the wait has ended or was given up. */
  accept: ((handle: Handle) => void) | undefined
  reject: ((error: unknown) => void) | undefined
  #ended = false
  /** A result that nobody has asked for yet, or the reason why there is none. */
  #kept: { bodies: Bodies; contentType: string | undefined } | Error | undefined
  #result: Promise<unknown> | undefined
  #resolve: ((value: unknown) => void) | undefined
  #reject: ((error: Error) => void) | undefined
  #readers: Set<ProgressReader> | undefined

  constructor(host: HandleHost, id: string, terms: Terms) {
    this.#host = host
    this.id = id
    this.terms = terms
  }

  get queue(): string | undefined {
    return this.terms.queue
  }

  accepted(): void {
    this.phase = 'accepted'
    this.input = undefined
    this.settle()
  }

  /** Settles `submit()`, once. */
  settle(error?: unknown): void {
    const { accept, reject } = this
    this.accept = undefined
    this.reject = undefined
    if (error === undefined) accept?.(this)
    else reject?.(error)
  }

  /** Whether somebody waits for the outcome. */
  get awaited(): boolean {
    return this.#resolve !== undefined || (this.#readers !== undefined && this.#readers.size > 0)
  }

  status(options?: { signal?: AbortSignal }): Promise<TaskStatus> {
    return this.#host.query(this.id, options?.signal)
  }

  cancel(options?: { signal?: AbortSignal }): Promise<void> {
    return this.#host.cancel(this.id, options?.signal)
  }

  result(options?: { signal?: AbortSignal }): Promise<unknown> {
    let signal: AbortSignal | undefined
    try {
      signal = signalOf(options)
    } catch (error) {
      return Promise.reject(error)
    }
    const result = this.#result ?? this.#ask()
    return signal === undefined ? result : withSignal(result, signal, this.#host.reasonOf)
  }

  /**
   * A rejection is not kept: a dead task may be redriven, and a submission that was refused for now may be accepted
   * later.
   */
  #ask(): Promise<unknown> {
    const kept = this.#kept
    this.#kept = undefined
    const result = new Promise<unknown>((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
    })
    this.#result = result
    if (kept === undefined) {
      this.#ended = false
      this.#host.watch(this)
    } else if (kept instanceof Error) {
      this.#rejectWith(kept)
    } else {
      this.#resolveWith(kept.bodies, 0, kept.contentType)
    }
    return result
  }

  progress(options?: { signal?: AbortSignal }): AsyncIterable<unknown> {
    const signal = signalOf(options)
    return { [Symbol.asyncIterator]: () => this.#read(signal) }
  }

  [Symbol.asyncIterator](): AsyncIterator<unknown> {
    return this.#read(undefined)
  }

  #read(signal: AbortSignal | undefined): AsyncIterator<unknown> {
    const reader = new ProgressReader(signal, () => this.#readers?.delete(reader))
    if (this.#ended) {
      reader.end()
    } else if (!signal?.aborted) {
      this.#readers ??= new Set()
      this.#readers.add(reader)
      this.#host.watch(this)
    }
    return reader
  }

  onProgress(value: unknown): void {
    if (this.#readers !== undefined) for (const reader of this.#readers) reader.push(value)
  }

  /** The task has a result: the body at `index`. */
  onResult(bodies: Bodies, index: number, contentType: string | undefined): void {
    if (!this.#end()) return
    if (this.#resolve === undefined) {
      // The bodies are views of a frame. A result that nobody waits for yet must not keep the whole frame alive.
      const bytes = bodies.at(index).slice()
      this.#kept = { bodies: Bodies.ofPieces([bytes], [bytes.length]), contentType }
    } else this.#resolveWith(bodies, index, contentType)
  }

  onEnded({ status, reason, error, attempts }: EndedTask): void {
    switch (status) {
      case 'cancelled':
        this.fail(new TaskCancelledError(this.id))
        return
      case 'dead':
        this.fail(new TaskDeadError(this.id, reason ?? 'not_retryable', error, attempts))
        return
      case 'forgotten':
        this.fail(
          new SluiceError({
            code: 'unknown_task',
            message: `the broker forgot task ${this.id} before its outcome could be told: keep results for longer`,
          }),
        )
    }
  }

  /** The outcome will never be known, or is an error. */
  fail(error: Error): void {
    if (!this.#end()) return
    if (this.#reject === undefined) this.#kept = error
    else this.#rejectWith(error)
  }

  #rejectWith(error: Error): void {
    const reject = this.#reject!
    this.#result = undefined
    this.#resolve = undefined
    this.#reject = undefined
    reject(error)
  }

  /**
   * The task has its outcome. So it was accepted, even if the broker's answer is still under way.
   * @returns false if the outcome was known before; a submission that was sent again ends then as well
   */
  #end(): boolean {
    const isFirst = !this.#ended
    this.#ended = true
    if (this.phase === 'sent') this.accepted()
    this.submission?.leave(this.place)
    if (this.mayBeHeld) this.#host.forget(this)
    const readers = this.#readers
    this.#readers = undefined
    if (readers !== undefined) for (const reader of readers) reader.end()
    return isFirst
  }

  #resolveWith(bodies: Bodies, index: number, contentType: string | undefined): void {
    const resolve = this.#resolve!
    try {
      resolve(validate(this.terms.output, decodeResult(this.id, bodies, index, contentType), 'the result'))
    } catch (error) {
      this.#rejectWith(error as Error)
      return
    }
    this.#resolve = undefined
    this.#reject = undefined
  }
}

/** @throws SluiceError `bad_message` if `signal` is no AbortSignal */
function signalOf(options: { signal?: AbortSignal } | undefined): AbortSignal | undefined {
  checkSignal(options?.signal)
  return options?.signal
}

/** Decodes JSON. A body of any other content type is returned as its bytes. */
function decodeResult(id: string, bodies: Bodies, index: number, contentType: string | undefined): unknown {
  if (contentType !== undefined) return bodies.at(index).slice()
  try {
    return bodies.json(index)
  } catch (error) {
    throw new SluiceError({
      code: 'bad_message',
      message: `the result of task ${id} is not the JSON it claims to be: ${(error as Error).message}`,
    })
  }
}

interface Waiting {
  resolve: (result: IteratorResult<unknown>) => void
  reject: (reason: unknown) => void
}

/** One iteration over the progress of a task. */
export class ProgressReader implements AsyncIterator<unknown> {
  readonly #values: unknown[] = []
  readonly #signal: AbortSignal | undefined
  readonly #leave: () => void
  readonly #forgetSignal: () => void
  #waiting: Waiting[] = []
  #ended = false

  constructor(signal: AbortSignal | undefined, leave: () => void) {
    this.#signal = signal
    this.#leave = leave
    // If it has fired already nobody waits yet, and `next` rejects.
    this.#forgetSignal = onAbort(signal?.aborted ? undefined : signal, () => {
      this.#leave()
      for (const { reject } of this.#waiting.splice(0)) reject(signal!.reason)
    })
  }

  push(value: unknown): void {
    const waiting = this.#waiting.shift()
    if (waiting !== undefined) {
      waiting.resolve({ done: false, value })
      return
    }
    if (this.#values.length === PROGRESS_VALUES_MAX) this.#values.shift()
    this.#values.push(value)
  }

  end(): void {
    this.#ended = true
    this.#forgetSignal()
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined })
  }

  next(): Promise<IteratorResult<unknown>> {
    if (this.#signal?.aborted && !this.#ended) return Promise.reject(this.#signal.reason)
    if (this.#values.length > 0) return Promise.resolve({ done: false, value: this.#values.shift() })
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  return(): Promise<IteratorResult<unknown>> {
    this.#leave()
    this.#values.length = 0
    this.end()
    return Promise.resolve({ done: true, value: undefined })
  }
}
