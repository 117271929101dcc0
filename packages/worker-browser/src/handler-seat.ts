import {
  type ExecutorHooks,
  type ExecutorTask,
  type Failure,
  HandBackError,
  LeaseLostError,
  TimeLimitExceeded,
} from '@sluice/client'
import type { Body } from '@sluice/protocol'
import type { AbortReason, HandlerReport, HandlerTask, Outcome } from './handler-messages.ts'
import { HandlerWorkerDiedError } from './handler-worker-error.ts'

/** What a seat needs from its pool. */
export interface SeatHost {
  setTimer(fn: () => void, ms: number): () => void
  awaitLock(name: string, onFree: () => void): () => void
  log(level: 'debug' | 'info' | 'warn' | 'error', fields: object, message: string): void
  /** @returns how long the Worker rests after a task, in ms */
  restAfter(workedMs: number): number
  /** The Worker can take tasks. */
  onReady(): void
  /** A handler has returned or thrown. */
  onFinished(): void
  /** The state has changed in a way that changes how many tasks can run. */
  onChange(): void
  /** The Worker has died by itself. */
  onDied(): void
  /** The handler ignored its signal for too long, so its Worker has to be terminated. */
  onUnheeding(): void
  /** `end` was called. */
  onEnded(): void
}

/** The task of a seat. */
interface Run {
  task: ExecutorTask
  hooks: ExecutorHooks
  /** Whether the handler was called. */
  hasBegun: boolean
  aborted: Error | undefined
  resolve: (body: Body) => void
  reject: (error: unknown) => void
  forget: () => void
}

type State =
  | { name: 'loading' }
  | { name: 'idle'; port: MessagePort }
  | { name: 'running'; port: MessagePort; run: Run }
  | { name: 'resting'; port: MessagePort }
  | { name: 'ended' }

/** One handler Worker as the connection Worker sees it, from its start to its end. */
export class HandlerSeat {
  readonly #abortGraceMs: number
  readonly #host: SeatHost
  #state: State = { name: 'loading' }
  #port: MessagePort | undefined
  #forgetLock: () => void = () => {}

  constructor(abortGraceMs: number, host: SeatHost) {
    this.#abortGraceMs = abortGraceMs
    this.#host = host
  }

  get state(): State['name'] {
    return this.#state.name
  }

  /** The Worker serves. It takes tasks once it holds its lock. */
  connect(port: MessagePort, lock: string): void {
    this.#port = port
    port.onmessage = ({ data }: MessageEvent<HandlerReport>) => this.#heard(data, port, lock)
  }

  run(task: ExecutorTask, hooks: ExecutorHooks): Promise<Body> {
    const state = this.#state
    if (state.name !== 'idle') throw new Error(`invariant broken: a handler Worker that is ${state.name} gets a task`)
    return new Promise<Body>((resolve, reject) => {
      const abort = () => this.#abort()
      const forget = () => hooks.signal.removeEventListener('abort', abort)
      const run: Run = { task, hooks, hasBegun: false, aborted: undefined, resolve, reject, forget }
      this.#state = { name: 'running', port: state.port, run }
      hooks.setRunning(false)
      const { queue, id, attempt, input } = task
      const message: HandlerTask = { ...input, type: 'run', queue, id, attempt }
      state.port.postMessage(message, [input.bytes.buffer as ArrayBuffer])
      if (hooks.signal.aborted) abort()
      else hooks.signal.addEventListener('abort', abort, { once: true })
    })
  }

  /** Nothing of it is wanted any more. */
  end(): void {
    if (this.#state.name === 'ended') return
    this.#finish(new HandBackError('the worker leaves'))
    this.#host.onEnded()
  }

  #heard(report: HandlerReport, port: MessagePort, lock: string): void {
    const state = this.#state
    switch (report.type) {
      case 'ready':
        if (state.name !== 'loading') return
        if (report.isLocked) this.#forgetLock = this.#host.awaitLock(lock, () => this.#died())
        this.#state = { name: 'idle', port }
        this.#host.onReady()
        this.#host.onChange()
        return
      case 'closing':
        this.#died()
        return
      case 'ended':
        if (state.name === 'running') this.#ended(state, report.outcome, report.workedMs)
        return
    }
    if (state.name !== 'running') return
    const { hooks, task } = state.run
    if (report.type === 'started') {
      state.run.hasBegun = true
      hooks.setRunning(true)
    } else if (report.type === 'progress') hooks.progress(report.value)
    else {
      const fields = { task: task.id, queue: task.queue, attempt: task.attempt, ...report.fields }
      this.#host.log(report.level, fields, report.message)
    }
  }

  #ended({ port, run }: { port: MessagePort; run: Run }, outcome: Outcome, workedMs: number): void {
    const restMs = this.#host.restAfter(workedMs)
    if (restMs === 0) this.#state = { name: 'idle', port }
    else {
      const resting = { name: 'resting', port } as const
      this.#state = resting
      this.#host.setTimer(() => {
        if (this.#state !== resting) return
        this.#state = { name: 'idle', port }
        this.#host.onChange()
      }, restMs)
    }
    run.forget()
    this.#host.onFinished()
    // Before the task ends: what this Worker cannot run now must not be asked for.
    if (restMs > 0) this.#host.onChange()
    // After an abort its reason is the failure, whatever the handler made of it.
    if (run.aborted !== undefined) run.reject(run.aborted)
    else if (outcome.ok) run.resolve(bodyOf(outcome))
    else run.reject(errorOf(outcome))
  }

  #abort(): void {
    const state = this.#state
    if (state.name !== 'running' || state.run.aborted !== undefined) return
    const { task, hooks } = state.run
    const { reason } = hooks.signal
    const error = reason instanceof Error ? reason : new Error(String(reason))
    state.run.aborted = error
    state.port.postMessage({ type: 'abort', id: task.id, reason: abortReasonOf(error, task.timeLimitMs) })
    this.#host.setTimer(() => {
      if (this.#state.name !== 'running' || this.#state.run !== state.run) return
      const fields = { task: task.id, queue: task.queue, attempt: task.attempt, graceMs: this.#abortGraceMs }
      this.#host.log('warn', fields, `the handler ignored its signal (${error.message}): its Worker is terminated`)
      this.#finish(error)
      this.#host.onUnheeding()
    }, this.#abortGraceMs)
  }

  #died(): void {
    if (this.#state.name === 'ended') return
    const hasBegun = this.#state.name === 'running' && this.#state.run.hasBegun
    const reason = new HandBackError('its handler Worker died before the handler began')
    this.#finish(hasBegun ? new HandlerWorkerDiedError() : reason)
    this.#host.onDied()
  }

  #finish(reason: Error): void {
    const state = this.#state
    this.#state = { name: 'ended' }
    this.#forgetLock()
    this.#port?.close()
    if (state.name !== 'running') return
    state.run.forget()
    state.run.reject(state.run.aborted ?? reason)
  }
}

function abortReasonOf(error: Error, timeLimitMs: number | undefined): AbortReason {
  if (error instanceof TimeLimitExceeded && timeLimitMs !== undefined) return { kind: 'timeLimit', timeLimitMs }
  if (error instanceof LeaseLostError) return { kind: 'leaseLost', reason: error.reason }
  return { kind: 'other', message: error.message }
}

function bodyOf({ bytes, contentType }: Body): Body {
  return contentType === undefined ? { bytes } : { bytes, contentType }
}

/** A stack from here would be of no use. */
function errorOf({ error, retryable, retryAfterMs }: Failure): Error {
  const verdict = { ...(retryable !== undefined && { retryable }), ...(retryAfterMs !== undefined && { retryAfterMs }) }
  return Object.assign(new Error(error.message), { stack: undefined }, error, verdict)
}
