import { type ConnectionState, type ProducerState, producerMachine } from '@sluice/machines'
import {
  Bodies,
  type BrokerMessage,
  type ClientMessage,
  type Limits,
  retryOf,
  type Submit,
  type TaskName,
  type TaskStatus,
  utf8Length,
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
import { type Submission, Submissions } from './submissions.ts'
import { Watches } from './watches.ts'

/** Tasks in one submit message: large enough that its own cost vanishes, small enough to be answered soon. */
const SUBMIT_TASKS_MAX = 500
/**
 * The inputs of unanswered submissions have this many characters at most, and one input more: a socket takes whatever it is given, and
 * what is said later (a cancellation, a heartbeat) leaves behind it.
 */
const UNANSWERED_CHARS_MAX = 16 * 1024 * 1024
/** The span of the jitter on top of a refusal's `retryAfterMs`, and the wait of those the budget holds back, in ms. */
const BUSY_JITTER_MS = 500
const BUDGET_WAIT_MS = 1000
/** What a task adds to a message besides its body, generously. */
const TASK_OVERHEAD_BYTES = 64

/** A submit message in the making. */
interface Group {
  message: Submit
  inputs: string[]
  submission: Submission
  bytes: number
}

/**
 * The producing half of a session. Submissions wait in `#queue` until the credit lets them leave, then in `#submissions`
 * until they are answered and have their outcome. A lost connection moves the unanswered ones back to the front of the queue,
 * with their ids, and the others to `#watches`.
 */
export class Producer implements SessionOwner, HandleHost {
  readonly role = 'producer'
  readonly connection: Connection
  readonly #platform: Platform
  readonly #actor: ActorRefFrom<typeof producerMachine>
  readonly #onState: (state: ConnectionState) => void
  readonly #queue = new Deque<Handle>()
  readonly #submissions = new Submissions()
  readonly #parked = new Map<Handle[], () => void>()
  readonly #requests = new Requests()
  readonly #watches: Watches
  readonly #watchedMax: number
  readonly #budget: RetryBudget
  readonly #closed: Promise<void>
  #resolveClosed: () => void = () => {}
  #state: ProducerState = 'offline'
  #credit = 0
  #unanswered = 0
  #unansweredChars = 0
  /** Those in `#queue` whose callers have given them up. */
  #givenUp = 0
  #failure: Error | undefined

  constructor(options: ConnectionOptions & { watchedMax: number }, onState: (state: ConnectionState) => void) {
    this.#platform = options.platform
    this.#onState = onState
    this.#budget = new RetryBudget(options.platform.now())
    this.connection = new Connection(options, this)
    this.#watches = new Watches(this.connection)
    this.#watchedMax = options.watchedMax
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
    else if (handle.submission === undefined) {
      this.#watches.add(handle, handle.phase === 'accepted')
      this.#letGo()
    }
  }

  forget(handle: Handle): void {
    this.#watches.forget(handle)
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
    this.#unanswered = 0
    this.#unansweredChars = 0
    const unanswered: Handle[] = []
    for (const handle of this.#submissions.drain()) {
      if (handle.phase === 'accepted') {
        this.#watches.add(handle, false)
      } else {
        handle.phase = 'queued'
        handle.mayBeHeld = true
        unanswered.push(handle)
      }
    }
    this.#queue.unshiftAll(this.#stillWanted(unanswered))
    // Outcomes are not acknowledged, so one may have been lost with the old socket even when the session resumes.
    this.#watches.renew()
    for (const message of this.#requests.messages()) this.connection.send(message)
    this.#actor.send({ type: 'connected' })
    this.connection.flush()
    this.#afterAnswers()
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
    this.#watches.collect(out)
    if (this.#maySubmit()) this.#collectSubmissions(out)
  }

  onMessage(message: BrokerMessage): void {
    switch (message.type) {
      case 'submitted':
        this.#answered(message.ref, message.refused)
        return
      case 'succeeded': {
        const { bodies, contentType } = message
        if ('ids' in message) {
          for (const [index, id] of message.ids.entries()) {
            for (const handle of this.#watches.take(id)) handle.onResult(bodies, index, contentType)
          }
        } else {
          this.#submissions.succeeded(message.ref, message.indexes, bodies, contentType)
        }
        this.#afterAnswers()
        return
      }
      case 'ended':
        for (const task of message.tasks) {
          if ('id' in task) for (const handle of this.#watches.take(task.id)) handle.onEnded(task)
          else this.#submissions.ended(task)
        }
        this.#afterAnswers()
        return
      case 'progress':
        for (const task of message.tasks) for (const handle of this.#handlesOf(task)) handle.onProgress(task.progress)
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
    if (this.#unansweredChars >= UNANSWERED_CHARS_MAX) return false
    return this.#state === 'online' || (this.#state === 'closing' && this.connection.state === 'ready')
  }

  #collectSubmissions(out: ClientMessage[]): void {
    const { limits } = this.connection
    const tasksMax = Math.min(SUBMIT_TASKS_MAX, limits.batchItemsMax)
    const bytesMax = limits.frameBytesMax >> 1
    const open = new Map<string, Group>()
    let group: Group | undefined
    let groupKey = ''
    while (this.#unanswered < this.#credit) {
      const handle = this.#queue.shift()
      if (handle === undefined) break
      if (handle.accept === undefined) {
        this.#givenUp -= 1
        this.#leave(handle)
        continue
      }
      const input = handle.input!
      const bytes = bytesWithin(input, limits)
      if (bytes === undefined) {
        this.#reject(handle, {
          code: 'too_large',
          message: `the input has ${utf8Length(input)} bytes, at most ${limits.bodyBytesMax} are allowed`,
          field: 'bodies',
          limit: limits.bodyBytesMax,
        })
        continue
      }
      if (group === undefined || groupKey !== handle.terms.key) {
        groupKey = handle.terms.key
        group = open.get(groupKey)
      }
      if (
        group === undefined ||
        group.inputs.length === tasksMax ||
        group.bytes + bytes + TASK_OVERHEAD_BYTES > bytesMax
      ) {
        group = this.#openGroup(out, handle)
        open.set(groupKey, group)
      }
      group.message.ids.push(handle.id)
      group.inputs.push(input)
      group.submission.add(handle)
      group.bytes += bytes + TASK_OVERHEAD_BYTES
      group.submission.chars += input.length
      this.#unanswered += 1
      this.#unansweredChars += input.length
      handle.phase = 'sent'
      if (handle.mayBeHeld && handle.terms.watched) this.#watches.add(handle, false)
      if (this.#unansweredChars >= UNANSWERED_CHARS_MAX) break
    }
    this.#letGo()
  }

  #openGroup(out: ClientMessage[], { terms }: Handle): Group {
    const ref = this.connection.nextRef()
    const inputs: string[] = []
    const message: Submit = { type: 'submit', ref, queue: terms.queue!, ids: [], bodies: Bodies.ofTexts(inputs) }
    if (terms.options !== undefined) message.options = terms.options
    if (!terms.watched) message.watch = false
    out.push(message)
    return { message, inputs, submission: this.#submissions.open(ref), bytes: 0 }
  }

  #answered(ref: number, refused: readonly { index: number; error: WireError }[]): void {
    const submission = this.#submissions.get(ref)
    if (submission === undefined || submission.answered) return
    submission.answered = true
    const { count } = submission
    this.#unanswered -= count
    this.#unansweredChars -= submission.chars
    const retried: Handle[] = []
    let retryAfterMs = 0
    for (const { index, error } of refused) {
      const handle = submission.at(index)
      if (handle === undefined) continue
      if (retryOf(error.code) === 'no' || handle.accept === undefined || handle.terms.throwsBusy) {
        this.#reject(handle, error)
      } else {
        submission.leave(index)
        handle.phase = 'refused'
        retried.push(handle)
        retryAfterMs = Math.max(retryAfterMs, error.retryAfterMs ?? 0)
      }
    }
    for (let place = 0; place < count; place++) {
      const handle = submission.at(place)
      if (handle?.phase === 'sent') this.#accept(handle)
    }
    if (submission.isOver) this.#submissions.close(submission)
    this.#budget.earn(count - refused.length)
    if (retried.length > 0) this.#park(retried, retryAfterMs)
    this.#afterAnswers()
  }

  #accept(handle: Handle): void {
    // Nobody has the handle of a submission that was given up, or waits for what is not watched.
    if (handle.accept === undefined || !handle.terms.watched) this.#leave(handle)
    handle.accepted()
  }

  #reject(handle: Handle, error: WireError): void {
    handle.phase = 'refused'
    handle.input = undefined
    this.#leave(handle)
    handle.settle(new SluiceError(error))
  }

  #leave(handle: Handle): void {
    handle.submission?.leave(handle.place)
    this.#watches.forget(handle)
  }

  // ─── outcomes ────────────────────────────────────────────────────────────────────────────────────────────────────

  #handlesOf(name: TaskName): readonly Handle[] {
    if ('id' in name) return this.#watches.get(name.id)
    const handle = this.#submissions.handle(name.ref, name.index)
    return handle === undefined ? [] : [handle]
  }

  /** Past `watchedMax` the oldest task for which nobody waits is let go; its `result()` asks the broker again. */
  #letGo(): void {
    const ids: string[] = []
    while (this.#submissions.size + this.#watches.size > this.#watchedMax) {
      const handle = this.#watches.firstUnawaited() ?? this.#submissions.firstUnawaited()
      if (handle === undefined) break
      this.#leave(handle)
      // Others may wait for the same task.
      if (!this.#watches.has(handle.id)) ids.push(handle.id)
    }
    if (!this.connection.open) return
    for (const { listedMax } = this.connection; ids.length > 0; )
      this.connection.send({ type: 'unwatch', ids: ids.splice(0, listedMax) })
  }

  // ─── refusals ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Tries refused submissions again after the broker's wish and a full jitter, and within the retry budget. */
  #park(handles: Handle[], retryAfterMs: number): void {
    const delayMs = retryAfterMs + this.#platform.random() * BUSY_JITTER_MS
    const cancel = this.#platform.setTimer(() => {
      this.#parked.delete(handles)
      const wanted = this.#stillWanted(handles)
      const granted = this.#budget.spend(wanted.length, this.#platform.now())
      for (const handle of wanted.slice(0, granted)) handle.phase = 'queued'
      this.#queue.unshiftAll(wanted.slice(0, granted))
      if (granted < wanted.length) this.#park(wanted.slice(granted), BUDGET_WAIT_MS)
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
    const abort = (): void => this.#giveUp(handle, signal.reason)
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

  /** Its caller waits no longer. What has not left yet never will, and is swept out before it can outnumber the others. */
  #giveUp(handle: Handle, reason: unknown): void {
    handle.settle(reason)
    handle.input = undefined
    if (handle.phase === 'queued') {
      this.#givenUp += 1
      if (this.#givenUp * 2 > this.#queue.size) {
        this.#givenUp = 0
        this.#queue.unshiftAll(this.#stillWanted(this.#queue.drain()))
      }
    }
    this.#afterAnswers()
  }

  #stillWanted(handles: readonly Handle[]): Handle[] {
    return handles.filter((handle) => {
      if (handle.accept === undefined) this.#leave(handle)
      return handle.accept !== undefined
    })
  }

  /** A whole message was refused. */
  #refused(ref: number, error: WireError): void {
    const submission = this.#submissions.get(ref)
    if (submission !== undefined) {
      const refused = Array.from({ length: submission.count }, (_, index) => ({ index, error }))
      this.#answered(ref, refused)
    } else if (!this.#watches.refused(ref, error)) this.#requests.answer(ref, undefined, error)
  }

  async #ask(message: Parameters<Requests['add']>[0], signal: AbortSignal | undefined) {
    if (this.#state === 'closed') throw this.#failure ?? new ClosedError('the client is closed')
    signal?.throwIfAborted()
    const answer = this.#requests.add(message)
    if (this.connection.open) this.connection.send(message)
    if (signal === undefined) return answer
    return withSignal(answer, signal).finally(() => this.#requests.forget(message.ref))
  }

  #afterAnswers(): void {
    if (this.#state === 'closing' && this.#isIdle()) this.#actor.send({ type: 'flushed' })
    // Outcomes still come over the old connection, so it is left only when none is waited for.
    const waits = this.#submissions.size + this.#watches.size > 0
    if (this.#state === 'paused' && this.#unanswered === 0 && !waits) this.connection.drained()
  }

  #isIdle(): boolean {
    if (this.#unanswered > 0 || this.#queue.size > 0) return false
    for (const handles of this.#parked.keys()) if (handles.some(({ accept }) => accept !== undefined)) return false
    return true
  }

  #changed(state: ProducerState): void {
    this.#state = state
    if (state !== 'closed') return
    const error = this.#failure ?? new ClosedError('the client was closed before the answer came')
    const submitted = this.#submissions.drain()
    const waiting = [...this.#queue.drain(), ...submitted, ...[...this.#parked.keys()].flat()]
    for (const cancel of this.#parked.values()) cancel()
    this.#parked.clear()
    this.connection.stop()
    for (const handle of waiting) handle.settle(error)
    for (const handle of submitted) handle.fail(error)
    this.#watches.failAll(error)
    this.#requests.failAll(error)
    this.#resolveClosed()
  }
}

/** The bytes of a JSON text, at most three times too many; undefined where a body may not have that many. */
function bytesWithin(json: string, { bodyBytesMax }: Limits): number | undefined {
  // Three bytes is the most that UTF-8 takes for a UTF-16 unit.
  if (json.length * 3 <= bodyBytesMax) return json.length * 3
  const bytes = utf8Length(json)
  return bytes > bodyBytesMax ? undefined : bytes
}
