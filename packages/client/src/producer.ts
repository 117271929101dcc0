import { ChartRunner, PRODUCER, type ProducerEvent, type ProducerState } from '@sluice/machines'
import type { ConnectionState } from '@sluice/machines/states'
import type { BrokerMessage, ClientMessage, TaskName, TaskStatus, Welcome, WireError } from '@sluice/protocol'
import { chartPlatform } from './chart-platform.ts'
import type { Connection, ConnectionOptions } from './connection.ts'
import { ClosedError } from './errors.ts'
import type { Handle, HandleHost } from './handle.ts'
import type { Logger } from './logger.ts'

import { Requests } from './requests.ts'
import type { SessionOwner } from './session-owner.ts'
import { checkSignal, withSignal } from './signal.ts'
import { Submissions } from './submissions.ts'
import { SubmitQueue } from './submit-queue.ts'
import { Watches } from './watches.ts'

/**
 * The producing half of a session. Submissions wait in `#queue` until the credit permits sending them, then in
 * `#submissions` until they are answered and have their outcome. When a connection is lost, the unanswered ones go back
 * to the queue, with their ids, and the others to `#watches`.
 */
export class Producer implements SessionOwner, HandleHost {
  readonly role = 'producer'
  readonly connection: Connection
  readonly #chart: ChartRunner<{ drainMs: number }, undefined, ProducerEvent>
  readonly #onState: (state: ConnectionState) => void
  readonly #logger: Logger
  readonly #submissions = new Submissions()
  readonly #requests = new Requests()
  readonly #watches: Watches
  readonly #queue: SubmitQueue
  readonly #watchedMax: number
  readonly #closed: Promise<void>
  #resolveClosed: () => void = () => {}
  #state: ProducerState = 'offline'
  #failure: Error | undefined

  constructor(
    options: ConnectionOptions & { watchedMax: number; connection: Connection },
    onState: (state: ConnectionState) => void,
  ) {
    this.#onState = onState
    this.#logger = options.logger
    this.connection = options.connection
    this.connection.join(this)
    this.#watches = new Watches(this.connection)
    this.#queue = new SubmitQueue({
      platform: options.platform,
      connection: this.connection,
      submissions: this.#submissions,
      watches: this.#watches,
      logger: options.logger,
      onGivenUp: () => this.#afterAnswers(),
    })
    this.#watchedMax = options.watchedMax
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#chart = new ChartRunner(PRODUCER, undefined, {
      ...chartPlatform(options.platform, 'producer'),
      effects: {},
      onChange: (state) => this.#changed(state as ProducerState),
    })
    this.#chart.start()
  }

  /** Why the connection failed for good. */
  get failure(): Error | undefined {
    return this.#failure
  }

  /** Resolves with the handle when its task is durable. `signal` ends the wait. */
  submit(handle: Handle, signal: AbortSignal | undefined): Promise<Handle> {
    return new Promise((resolve, reject) => {
      if (this.#state === 'closing' || this.#state === 'closed') {
        reject(this.#failure ?? new ClosedError('the client is closed'))
        return
      }
      handle.accept = resolve
      handle.reject = reject
      this.#queue.add(handle, signal)
    })
  }

  async query(id: string, signal?: AbortSignal): Promise<TaskStatus> {
    return (await this.#ask({ type: 'query', ref: this.connection.nextRef(), ids: [id] }, signal)) as TaskStatus
  }

  async cancel(id: string, signal?: AbortSignal): Promise<void> {
    await this.#ask({ type: 'cancel', ref: this.connection.nextRef(), ids: [id] }, signal)
  }

  readonly reasonOf = (signal: AbortSignal): unknown => this.connection.reasonOf(signal)

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

  /** Accepts nothing new, waits up to `drainMs` for unanswered submissions, and closes. */
  close(drainMs: number): Promise<void> {
    if (this.#state !== 'closed') {
      this.#chart.send({ type: 'close', drainMs })
      this.#afterAnswers()
    }
    return this.#closed
  }

  // ─── the session ─────────────────────────────────────────────────────────────────────────────────────────────────

  heldLeases(): number[] {
    return []
  }

  onWelcome(welcome: Welcome): void {
    const unanswered: Handle[] = []
    for (const handle of this.#submissions.drain()) {
      if (handle.phase === 'accepted') this.#watches.add(handle, false)
      else unanswered.push(handle)
    }
    this.#queue.resend(unanswered, welcome.submitCredit)
    // Outcomes are not acknowledged. One may have been lost with the old socket even if the session resumes.
    this.#watches.renew()
    for (const message of this.#requests.messages()) this.connection.send(message)
    this.#chart.send({ type: 'connected' })
    this.connection.flush()
    this.#afterAnswers()
  }

  onDisconnected(): void {
    this.#watches.disconnected()
    if (this.#state !== 'closed') this.#chart.send({ type: 'disconnected' })
  }

  onDrain(): void {
    this.#chart.send({ type: 'drain' })
    this.#afterAnswers()
  }

  onFailed(error: Error): void {
    this.#failure = error
    this.#logger.error({}, `the client stops: ${error.message}`)
    if (this.#state !== 'closed') this.#chart.send({ type: 'fail' })
  }

  onStateChange(state: ConnectionState): void {
    this.#onState(state)
  }

  onHeartbeat(): void {}

  waiting(): number {
    return (this.#maySubmit() ? this.#queue.waiting : 0) + this.#watches.waiting
  }

  collect(out: ClientMessage[]): void {
    this.#watches.collect(out)
    if (!this.#maySubmit()) return
    this.#queue.collect(out)
    this.#letGo()
  }

  onMessage(message: BrokerMessage): boolean {
    switch (message.type) {
      case 'submitted':
        this.#queue.answered(message.ref, message.refused)
        this.#afterAnswers()
        return true
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
        return true
      }
      case 'ended':
        for (const task of message.tasks) {
          if ('id' in task) for (const handle of this.#watches.take(task.id)) handle.onEnded(task)
          else this.#submissions.ended(task)
        }
        this.#afterAnswers()
        return true
      case 'progress':
        for (const task of message.tasks) for (const handle of this.#handlesOf(task)) handle.onProgress(task.progress)
        return true
      case 'watched':
        this.#watches.answered(message.ref, message.unknown)
        return true
      case 'status':
        this.#requests.answer(message.ref, message.tasks[0])
        return true
      case 'cancelled':
        this.#requests.answer(message.ref, undefined, message.refused[0]?.error)
        return true
      case 'error':
        return message.ref !== undefined && this.#refused(message.ref, message)
      default:
        return false
    }
  }

  #maySubmit(): boolean {
    if (this.#queue.isFull) return false
    return this.#state === 'online' || (this.#state === 'closing' && this.connection.state === 'ready')
  }

  // ─── outcomes ────────────────────────────────────────────────────────────────────────────────────────────────────

  #handlesOf(name: TaskName): readonly Handle[] {
    if ('id' in name) return this.#watches.get(name.id)
    const handle = this.#submissions.handle(name.ref, name.index)
    return handle === undefined ? [] : [handle]
  }

  /** Past `watchedMax` drops the oldest task that nobody waits for. Its `result()` asks the broker again. */
  #letGo(): void {
    const ids: string[] = []
    while (this.#submissions.size + this.#watches.size > this.#watchedMax) {
      const handle = this.#watches.firstUnawaited() ?? this.#submissions.firstUnawaited()
      if (handle === undefined) break
      this.#queue.leave(handle)
      // Other handles may wait for the same task.
      if (!this.#watches.has(handle.id)) ids.push(handle.id)
    }
    if (!this.connection.open) return
    for (const { listedMax } = this.connection; ids.length > 0; )
      this.connection.send({ type: 'unwatch', ids: ids.splice(0, listedMax) })
  }

  // ─── requests ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** @returns whether the message that was refused as a whole is one of this half */
  #refused(ref: number, error: WireError): boolean {
    const submission = this.#submissions.get(ref)
    if (submission !== undefined) {
      const refused = Array.from({ length: submission.count }, (_, index) => ({ index, error }))
      this.#queue.answered(ref, refused)
      this.#afterAnswers()
      return true
    }
    return this.#watches.refused(ref, error) || this.#requests.answer(ref, undefined, error)
  }

  async #ask(message: Parameters<Requests['add']>[0], signal: AbortSignal | undefined) {
    if (this.#state === 'closed') throw this.#failure ?? new ClosedError('the client is closed')
    checkSignal(signal)
    if (signal?.aborted) throw this.reasonOf(signal)
    const answer = this.#requests.add(message)
    if (this.connection.open) this.connection.send(message)
    if (signal === undefined) return answer
    return withSignal(answer, signal, this.reasonOf).finally(() => this.#requests.forget(message.ref))
  }

  #afterAnswers(): void {
    if (this.#state === 'closing' && this.#queue.isIdle) this.#chart.send({ type: 'flushed' })
    // Outcomes still come over the old connection, so it closes only when none is awaited.
    const waits = this.#submissions.size + this.#watches.size > 0
    if (this.#state === 'paused' && this.#queue.isAnswered && !waits) this.connection.drained(this)
  }

  #changed(state: ProducerState): void {
    this.#state = state
    if (state !== 'closed') return
    const error = this.#failure ?? this.connection.closedError('the client was closed before the answer came')
    const submitted = this.#submissions.drain()
    const waiting = this.#queue.drain()
    this.connection.stop(this)
    for (const handle of [...waiting, ...submitted]) handle.settle(error)
    for (const handle of submitted) handle.fail(error)
    this.#watches.failAll(error)
    this.#requests.failAll(error)
    this.#resolveClosed()
  }
}
