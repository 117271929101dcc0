import { type ConnectionState, type ProducerState, producerMachine } from '@sluice/machines'
import {
  type BrokerMessage,
  type ClientMessage,
  retryOf,
  type Submit,
  type TaskStatus,
  type Welcome,
  type WireError,
} from '@sluice/protocol'
import { type ActorRefFrom, createActor } from 'xstate'
import { Connection, type ConnectionOptions, type SessionOwner } from './connection.ts'
import { Deque } from './deque.ts'
import { ClosedError, SluiceError } from './errors.ts'
import type { Handle, HandleHost } from './handle.ts'
import { machineClock, type Platform } from './platform.ts'
import { Requests } from './requests.ts'
import { RetryBudget } from './retry-budget.ts'
import { withSignal } from './signal.ts'
import { Watches } from './watches.ts'

/** Tasks in one submit message: large enough that its own cost vanishes, small enough to be answered soon. */
const SUBMIT_TASKS_MAX = 500
/** The span of the jitter on top of a refusal's `retryAfterMs`, and the wait of those the budget holds back, in ms. */
const BUSY_JITTER_MS = 500
const BUDGET_WAIT_MS = 1000
/** What a task adds to a message besides its body, generously. */
const TASK_OVERHEAD_BYTES = 256

/**
 * The producing half of a session. Submissions wait in `#queue` until the credit lets them leave, then in `#sent`
 * until they are answered; a lost connection moves the unanswered ones back to the front of the queue, with their ids.
 */
export class Producer implements SessionOwner, HandleHost {
  readonly role = 'producer'
  readonly connection: Connection
  readonly #platform: Platform
  readonly #actor: ActorRefFrom<typeof producerMachine>
  readonly #onState: (state: ConnectionState) => void
  readonly #queue = new Deque<Handle>()
  readonly #sent = new Map<number, Handle[]>()
  readonly #parked = new Map<Handle[], () => void>()
  readonly #requests = new Requests()
  readonly #watches: Watches
  readonly #budget: RetryBudget
  readonly #closed: Promise<void>
  #resolveClosed: () => void = () => {}
  #state: ProducerState = 'offline'
  #credit = 0
  #unanswered = 0
  #failure: Error | undefined

  constructor(options: ConnectionOptions & { watchedMax: number }, onState: (state: ConnectionState) => void) {
    this.#platform = options.platform
    this.#onState = onState
    this.#budget = new RetryBudget(options.platform.now())
    this.connection = new Connection(options, this)
    this.#watches = new Watches(this.connection, options.watchedMax)
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#actor = createActor(producerMachine, { id: 'producer', clock: machineClock(options.platform) })
    this.#actor.subscribe((snapshot) => this.#changed(snapshot.value as ProducerState))
    this.#actor.start()
  }

  /** Resolves with the handle once its task is durable; `signal` gives up waiting. */
  submit(handle: Handle, signal: AbortSignal | undefined): Promise<Handle> {
    return new Promise((resolve, reject) => {
      if (this.#state === 'closing' || this.#state === 'closed') {
        reject(this.#failure ?? new ClosedError('the client is closed'))
        return
      }
      handle.accept = resolve
      handle.reject = reject
      if (signal !== undefined && !this.#leaveOn(signal, handle)) return
      this.#queue.push(handle)
      this.connection.requestFlush()
    })
  }

  async query(id: string, signal?: AbortSignal): Promise<TaskStatus> {
    return (await this.#ask({ type: 'query', ref: this.connection.nextRef(), ids: [id] }, signal)) as TaskStatus
  }

  async cancel(id: string, signal?: AbortSignal): Promise<void> {
    await this.#ask({ type: 'cancel', ref: this.connection.nextRef(), ids: [id] }, signal)
  }

  watch(handle: Handle): void {
    if (this.#state === 'closed') handle.fail(this.#failure ?? new ClosedError('the client is closed'))
    else this.#watches.add(handle, handle.phase === 'accepted')
  }

  /** The handle that gets this task's outcome, where there is one. */
  watchedHandle(id: string): Handle | undefined {
    return this.#watches.get(id)
  }

  /** Takes nothing in any more, waits up to `drainMs` for the unanswered submissions, and leaves. */
  close(drainMs: number): Promise<void> {
    if (this.#state !== 'closed') {
      this.#actor.send({ type: 'close', drainMs })
      this.#afterAnswers()
    }
    return this.#closed
  }

  // ─── the session ─────────────────────────────────────────────────────────────────────────────────────────────────

  heldLeases(): number[] {
    return []
  }

  onWelcome(welcome: Welcome): void {
    this.#credit = welcome.submitCredit
    const unanswered = [...this.#sent.values()].flat()
    this.#sent.clear()
    this.#unanswered = 0
    this.#queue.unshiftAll(unanswered)
    // Outcomes are not acknowledged, so one may have been lost with the old socket even when the session resumes.
    this.#watches.renew()
    for (const message of this.#requests.messages()) this.connection.send(message)
    this.#actor.send({ type: 'connected' })
    this.connection.flush()
  }

  onDisconnected(): void {
    this.#watches.disconnected()
    if (this.#state !== 'closed') this.#actor.send({ type: 'disconnected' })
  }

  onDrain(): void {
    this.#actor.send({ type: 'drain' })
    this.#afterAnswers()
  }

  onFailed(error: WireError): void {
    this.#failure = new SluiceError(error)
    if (this.#state !== 'closed') this.#actor.send({ type: 'fail' })
  }

  onStateChange(state: ConnectionState): void {
    this.#onState(state)
  }

  onHeartbeat(): void {}

  waiting(): number {
    const sendable = this.#maySubmit() ? Math.min(this.#queue.size, this.#credit - this.#unanswered) : 0
    return sendable + this.#watches.waiting
  }

  collect(out: ClientMessage[]): void {
    this.#watches.collect(out, this.connection.limits.batchItemsMax)
    if (this.#maySubmit()) this.#collectSubmissions(out)
  }

  onMessage(message: BrokerMessage): void {
    switch (message.type) {
      case 'submitted':
        this.#answered(message.ref, message.refused)
        return
      case 'outcome':
        for (const outcome of message.tasks) this.#watches.outcome(outcome)
        this.#afterAnswers()
        return
      case 'progress':
        for (const { id, progress } of message.tasks) this.#watches.get(id)?.onProgress(progress)
        return
      case 'submitCredit':
        this.#credit = message.credit
        return
      case 'watched':
        this.#watches.answered(message.ref, message.unknown)
        return
      case 'status':
        this.#requests.answer(message.ref, message.tasks[0])
        return
      case 'cancelled':
        this.#requests.answer(message.ref, undefined, message.refused[0]?.error)
        return
      case 'error':
        this.#refused(message.ref!, message)
        return
    }
  }

  // ─── submissions ─────────────────────────────────────────────────────────────────────────────────────────────────

  #maySubmit(): boolean {
    return this.#state === 'online' || (this.#state === 'closing' && this.connection.state === 'ready')
  }

  #collectSubmissions(out: ClientMessage[]): void {
    const { bodyBytesMax, batchItemsMax, frameBytesMax } = this.connection.limits
    const tasksMax = Math.min(SUBMIT_TASKS_MAX, batchItemsMax)
    const bytesMax = frameBytesMax >> 1
    const open = new Map<string, { message: Submit; handles: Handle[]; bytes: number }>()
    let group: { message: Submit; handles: Handle[]; bytes: number } | undefined
    let groupKey = ''
    while (this.#unanswered < this.#credit) {
      const handle = this.#queue.shift()
      if (handle === undefined) break
      // Given up by its caller while it waited.
      if (handle.accept === undefined) continue
      const task = handle.task!
      if (task.bytes.length > bodyBytesMax) {
        this.#reject(handle, {
          code: 'too_large',
          message: `the input has ${task.bytes.length} bytes, at most ${bodyBytesMax} are allowed`,
          field: 'body',
          limit: bodyBytesMax,
        })
        continue
      }
      if (group === undefined || groupKey !== handle.group) {
        groupKey = handle.group
        group = open.get(groupKey)
      }
      const bytes = task.bytes.length + TASK_OVERHEAD_BYTES
      if (group === undefined || group.handles.length === tasksMax || group.bytes + bytes > bytesMax) {
        group = this.#openGroup(out, handle)
        open.set(groupKey, group)
      }
      group.message.tasks.push(task)
      group.handles.push(handle)
      group.bytes += bytes
      this.#unanswered += 1
      handle.phase = 'sent'
      // The outcome may overtake the answer to the submission.
      if (handle.watched) this.#watches.add(handle, false)
    }
  }

  #openGroup(out: ClientMessage[], { queue, options, watched }: Handle) {
    const ref = this.connection.nextRef()
    const message: Submit = { type: 'submit', ref, queue: queue!, tasks: [] }
    if (options !== undefined) message.options = options
    if (!watched) message.watch = false
    const handles: Handle[] = []
    this.#sent.set(ref, handles)
    out.push(message)
    return { message, handles, bytes: 0 }
  }

  #answered(ref: number, refused: readonly { index: number; error: WireError }[]): void {
    const handles = this.#sent.get(ref)
    if (handles === undefined) return
    this.#sent.delete(ref)
    this.#unanswered -= handles.length
    const retried: Handle[] = []
    let retryAfterMs = 0
    for (const { index, error } of refused) {
      const handle = handles[index]
      if (handle === undefined) continue
      handle.phase = 'refused'
      if (retryOf(error.code) === 'no' || handle.accept === undefined || handle.throwsBusy) {
        this.#reject(handle, error)
      } else {
        retried.push(handle)
        retryAfterMs = Math.max(retryAfterMs, error.retryAfterMs ?? 0)
      }
    }
    for (const handle of handles) if (handle.phase === 'sent') this.#accept(handle)
    this.#budget.earn(handles.length - refused.length)
    if (retried.length > 0) this.#park(retried, retryAfterMs)
    this.#afterAnswers()
  }

  #accept(handle: Handle): void {
    handle.phase = 'accepted'
    handle.task = undefined
    if (handle.accept === undefined) this.#watches.forget(handle)
    else handle.settle()
  }

  #reject(handle: Handle, error: WireError): void {
    handle.phase = 'refused'
    handle.task = undefined
    this.#watches.forget(handle)
    handle.settle(new SluiceError(error))
  }

  /** Tries refused submissions again after the broker's wish and a full jitter, and within the retry budget. */
  #park(handles: Handle[], retryAfterMs: number): void {
    const delayMs = retryAfterMs + this.#platform.random() * BUSY_JITTER_MS
    const cancel = this.#platform.setTimer(() => {
      this.#parked.delete(handles)
      const granted = this.#budget.spend(handles.length, this.#platform.now())
      this.#queue.unshiftAll(handles.slice(0, granted))
      if (granted < handles.length) this.#park(handles.slice(granted), BUDGET_WAIT_MS)
      this.connection.requestFlush()
    }, delayMs)
    this.#parked.set(handles, cancel)
  }

  /** @returns false where the signal has fired already */
  #leaveOn(signal: AbortSignal, handle: Handle): boolean {
    if (signal.aborted) {
      handle.settle(signal.reason)
      return false
    }
    const abort = (): void => handle.settle(signal.reason)
    const accept = handle.accept!
    const reject = handle.reject!
    handle.accept = (accepted) => {
      signal.removeEventListener('abort', abort)
      accept(accepted)
    }
    handle.reject = (error) => {
      signal.removeEventListener('abort', abort)
      reject(error)
    }
    signal.addEventListener('abort', abort, { once: true })
    return true
  }

  /** A whole message was refused. */
  #refused(ref: number, error: WireError): void {
    const handles = this.#sent.get(ref)
    if (handles !== undefined)
      this.#answered(
        ref,
        handles.map((_, index) => ({ index, error })),
      )
    else if (!this.#watches.refused(ref, error)) this.#requests.answer(ref, undefined, error)
  }

  async #ask(message: Parameters<Requests['add']>[0], signal: AbortSignal | undefined) {
    if (this.#state === 'closed') throw this.#failure ?? new ClosedError('the client is closed')
    const answer = this.#requests.add(message)
    if (this.connection.open) this.connection.send(message)
    if (signal === undefined) return answer
    signal.addEventListener('abort', () => this.#requests.forget(message.ref), { once: true })
    return withSignal(answer, signal)
  }

  #afterAnswers(): void {
    const idle = this.#unanswered === 0 && this.#queue.size === 0 && this.#parked.size === 0
    if (this.#state === 'closing' && idle) this.#actor.send({ type: 'flushed' })
    // Outcomes still come over the old connection, so it is left only when none is waited for.
    if (this.#state === 'paused' && this.#unanswered === 0 && this.#watches.size === 0) this.connection.drained()
  }

  #changed(state: ProducerState): void {
    this.#state = state
    if (state !== 'closed') return
    const error = this.#failure ?? new ClosedError('the client was closed before the answer came')
    const waiting = [...this.#queue.drain(), ...[...this.#sent.values()].flat(), ...[...this.#parked.keys()].flat()]
    for (const cancel of this.#parked.values()) cancel()
    this.#parked.clear()
    this.#sent.clear()
    this.connection.stop()
    for (const handle of waiting) handle.settle(error)
    this.#watches.failAll(error)
    this.#requests.failAll(error)
    this.#resolveClosed()
  }
}
