import { ChartRunner, creditOf, WORKER, type WorkerContext, type WorkerEvent, type WorkerInput } from '@sluice/machines'
import type { ConnectionState, WorkerState } from '@sluice/machines/states'
import type { BrokerMessage, ClientMessage, Deliver, Welcome, WireError } from '@sluice/protocol'
import { retryOf } from '@sluice/protocol'
import type { Answer } from './answer.ts'
import { BegunLeases } from './begun-leases.ts'
import { bytesPast } from './bytes-past.ts'
import { chartPlatform } from './chart-platform.ts'
import { Connection } from './connection.ts'
import { Delivery } from './delivery.ts'
import type { Encoded } from './encode-value.ts'
import { LeaseLostError, PermanentError, SluiceError } from './errors.ts'
import { failedLease } from './failure.ts'
import { type Handlers, handlersByQueue } from './handlers.ts'
import { Heartbeats } from './heartbeats.ts'
import { HeldLeases } from './held-leases.ts'
import { type Logger, messageOf, safeLogger, tell } from './logger.ts'
import { defaultPlatform, type Platform } from './platform.ts'
import { ProgressReports } from './progress-reports.ts'
import { Runner, type RunnerHost } from './runner.ts'
import type { SessionOwner } from './session-owner.ts'
import { Settlements } from './settlements.ts'
import { onAbort } from './signal.ts'
import { Slot, type SlotHost } from './slot.ts'
import {
  atLeast,
  checkOptions,
  checkQueues,
  queuesRefusal,
  type Worker,
  type WorkerOptions,
  type WorkerStats,
} from './worker-options.ts'

const CONCURRENCY = 8
const DRAIN_GRACE_MS = 30_000
/** How long the worker waits for the confirmation of handed-back tasks before it leaves anyway. */
const SETTLE_MS = 5000

/**
 * Connects with `start()`.
 * @throws Error naming the option that cannot be used, such as a handler that is no function
 */
export function createWorker(options: WorkerOptions): Worker {
  return new WorkerSession(options)
}

/** A worker on a connection that it shares. The maker of the connection starts it. */
export const createWorkerOn = (connection: Connection, options: WorkerOptions): Worker =>
  new WorkerSession(options, connection)

/**
 * The working half of a session. A delivery waits and runs in `#runner`. Its lease is in `#held` while work on it may
 * still be of use, and in `#settlements` until the broker has confirmed the answer.
 */
class WorkerSession implements Worker, SessionOwner, SlotHost, RunnerHost {
  readonly role = 'worker'
  readonly platform: Platform
  readonly logger: Logger
  readonly closed: Promise<void>
  readonly #connection: Connection
  readonly #chart: ChartRunner<WorkerContext, WorkerInput, WorkerEvent>
  readonly #queues: string[]
  #creditMax: number
  readonly #onError: WorkerOptions['onError']
  readonly #onConnectionChange: WorkerOptions['onConnectionChange']
  readonly #logsFailures: boolean
  readonly #held = new HeldLeases()
  readonly #settlements: Settlements
  readonly #begun: BegunLeases
  readonly #runner: Runner
  readonly #reports: ProgressReports
  readonly #heartbeats: Heartbeats
  readonly #started: Promise<void>
  #resolveStarted: () => void = () => {}
  #rejectStarted: (error: Error) => void = () => {}
  #resolveClosed: () => void = () => {}
  /** Cancels the wait until the credit may be announced again. */
  #cancelCredit: () => void = () => {}
  #state: WorkerState = 'starting'
  readonly #counts = { succeeded: 0, failed: 0, released: 0, lost: 0 }

  constructor(options: WorkerOptions, connection?: Connection) {
    const { executor, platform = defaultPlatform, onError, onConnectionChange } = options
    // With an executor only the names matter.
    const isNamed = executor !== undefined && !Array.isArray(options.handlers)
    const handlers = isNamed ? (options.handlers as Handlers) : handlersByQueue(options.handlers)
    checkOptions(options)
    const concurrency = atLeast('concurrency', options.concurrency ?? CONCURRENCY, 1)
    this.#queues = options.queues === undefined ? Object.keys(handlers) : [...options.queues]
    this.#creditMax = concurrency + atLeast('prefetch', options.prefetch ?? concurrency, 0)
    this.platform = platform
    this.#onError = onError
    this.#onConnectionChange = onConnectionChange
    this.logger = safeLogger(options.logger, platform.warn)
    this.#logsFailures = options.logger !== undefined || onError === undefined
    checkQueues(this.#queues, handlers, executor)
    this.#connection = connection ?? new Connection({ ...options, platform, logger: this.logger })
    this.#connection.join(this)
    this.#begun = new BegunLeases(this.#connection, platform, () => this.#runner.pump())
    this.#runner = new Runner(this, this.#begun, { handlers, executor, concurrency, platform })
    this.#settlements = new Settlements(platform, this.#connection.requestFlush)
    this.#reports = new ProgressReports(platform, this.logger, this.#connection.requestFlush)
    this.#heartbeats = new Heartbeats(this.#connection, this.#held, this.#settlements, platform)
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#started = new Promise((resolve, reject) => {
      this.#resolveStarted = resolve
      this.#rejectStarted = reject
    })
    // A caller that does not await the start learns of a failure through `onError` and `closed`.
    this.#started.catch(() => {})
    const input = { creditMax: this.#creditMax, settleMs: SETTLE_MS }
    this.#chart = new ChartRunner(WORKER, input, {
      ...chartPlatform(platform, 'worker'),
      effects: {},
      onChange: (state) => this.#changed(state as WorkerState),
    })
    this.#chart.start()
    const forget = onAbort(options.signal, () => void this.close())
    void this.closed.then(forget)
  }

  get state(): WorkerState {
    return this.#state
  }

  get trouble(): string | undefined {
    return this.#connection.trouble
  }

  start(): Promise<void> {
    if (this.#connection.state === 'idle' && this.#state === 'starting') this.#connection.start()
    return this.#started
  }

  resize({ concurrency, prefetch = concurrency }: { concurrency: number; prefetch?: number }): void {
    const held = atLeast('concurrency', concurrency, 0) + atLeast('prefetch', prefetch, 0)
    this.#creditMax = concurrency === 0 ? 0 : held
    this.#runner.resize(concurrency)
    if (concurrency === 0) this.#releaseQueued()
    this.#announceCredit()
    this.#runner.pump()
    this.#afterAnswers()
  }

  drain(options?: { graceMs?: number }): Promise<void> {
    this.#tell({ type: 'drain', graceMs: options?.graceMs ?? DRAIN_GRACE_MS })
    return this.closed
  }

  close(): Promise<void> {
    this.#tell({ type: 'close' })
    return this.closed
  }

  stats(): WorkerStats {
    let queued = 0
    let settling = 0
    for (const slot of this.#held) {
      if (slot.answer !== undefined) settling += 1
      else if (slot.state === 'queued') queued += 1
    }
    return { running: this.#runner.active, queued, settling, ...this.#counts }
  }

  // ─── the session ─────────────────────────────────────────────────────────────────────────────────────────────────

  heldLeases(): number[] {
    return Array.from(this.#held, (slot) => slot.lease)
  }

  begunLease(): number {
    return this.#begun.resume()
  }

  onWelcome(welcome: Welcome): void {
    const refusal = queuesRefusal(this.#queues, welcome.limits)
    if (refusal !== undefined) {
      this.onFailed(refusal)
      return
    }
    this.#lose(welcome.resumed ? this.#held.of(welcome.lostLeases) : [...this.#held], 'session_lost')
    if (!welcome.resumed) this.#begun.reset()
    this.#settlements.resend(this.#held)
    this.#heartbeats.welcomed()
    this.#tell({ type: 'connected' })
    this.#announceCredit()
    this.#resolveStarted()
    this.#runner.pump()
    this.#connection.flush()
    this.#afterAnswers()
  }

  onDisconnected(): void {}

  onDrain(): void {
    this.#releaseQueued()
    this.#afterAnswers()
  }

  onFailed(error: Error): void {
    this.#rejectStarted(error)
    this.logger.error(error instanceof SluiceError ? { code: error.code } : {}, `the worker stops: ${error.message}`)
    tell(this.logger, 'onError', () => this.#onError?.(error, undefined))
    this.#tell({ type: 'fail' })
  }

  onStateChange(state: ConnectionState): void {
    tell(this.logger, 'onConnectionChange', () => this.#onConnectionChange?.(state))
  }

  onHeartbeat(out: ClientMessage[]): void {
    this.#heartbeats.push(out, this.#held)
  }

  waiting(): number {
    return this.#settlements.waiting + this.#reports.waiting
  }

  collect(out: ClientMessage[]): void {
    this.#reports.collect(out, this.#connection.limits)
    this.#settlements.collect(out, this.#connection.limits, () => this.#connection.nextRef())
    // Answers go first, so that a task that ended does not count as running when the next one begins.
    this.#begun.collect(out)
  }

  onMessage(message: BrokerMessage): boolean {
    switch (message.type) {
      case 'deliver':
        this.#deliver(message)
        return true
      case 'settled':
        this.#settled(this.#settlements.answered(message.ref) ?? [], message.refused)
        return true
      case 'renewed':
        // The broker may list an answered lease as lost because of that answer, before the confirmation arrives.
        this.#lose(this.#settlements.notUnderWay(this.#held.of(message.lost)), 'expired')
        this.#runner.pump()
        this.#afterAnswers()
        return true
      case 'revoke':
        this.#lose(this.#held.of(message.leases), message.reason)
        this.#runner.pump()
        this.#afterAnswers()
        return true
      case 'error':
        if (message.ref !== undefined) return this.#refused(message.ref, message)
        this.#creditRefused(message)
        return true
      default:
        return false
    }
  }

  // ─── deliveries ──────────────────────────────────────────────────────────────────────────────────────────────────

  #deliver({ bodies, ...message }: Deliver): void {
    const takes = this.#mayTake() && this.#queues.includes(message.queue)
    const delivery = new Delivery<Slot>(message)
    for (let place = 0; place < bodies.count; place++) {
      const slot = new Slot(this, delivery, place, bodies)
      this.#held.add(slot)
      if (takes) this.#runner.add(slot)
      // The broker sent it before it learned that the worker wants no more.
      else this.#release(slot)
    }
    this.#heartbeats.held(message.leaseMs)
    this.#runner.pump()
  }

  #mayTake(): boolean {
    const wantsTasks = this.#creditMax > 0 && !this.#runner.isBlocked
    return this.#state === 'working' && this.#connection.state === 'ready' && wantsTasks
  }

  onUnsaidBegin(): void {
    this.#connection.requestFlush()
  }

  onBlockedChange(): void {
    if (this.#runner.isBlocked) {
      this.logger.warn(
        { running: this.#runner.active },
        'no handler heeds its signal: nothing is taken until one returns',
      )
      this.#releaseQueued()
    }
    this.#announceCredit()
  }

  #lose(slots: readonly Slot[], reason: LeaseLostError['reason']): void {
    for (const slot of slots) {
      this.#reports.drop(slot.lease)
      this.#held.delete(slot)
      slot.answer = undefined
      if (slot.state === 'running') this.#runner.abort(slot, new LeaseLostError(reason))
      // The handler was told already, and the lease answered. The handler may even have returned since.
      else if (slot.state === 'aborting' || slot.state === 'idle') continue
      else slot.move('lose')
      this.#counts.lost += 1
      const fields = { task: slot.id, queue: slot.queue, attempt: slot.attempt, reason }
      // A cancellation is no fault.
      if (reason === 'cancelled') this.logger.info(fields, 'the task was cancelled')
      else this.logger.warn(fields, 'lease lost')
    }
  }

  // ─── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────

  report(slot: Slot, value: unknown): void {
    if (slot.state === 'running') this.#reports.report(slot.lease, value)
  }

  onOutput(slot: Slot, output: Encoded): void {
    const { bodyBytesMax } = this.#connection.limits
    const bytes = bytesPast(output, bodyBytesMax)
    if (bytes > 0) {
      const message = `the output has ${bytes} bytes, at most ${bodyBytesMax} are allowed`
      this.onFailure(slot, new PermanentError(message))
      return
    }
    this.#reports.end(slot.lease)
    this.#counts.succeeded += 1
    this.#settle(slot, { kind: 'complete', output })
  }

  onFailure(slot: Slot, thrown: unknown): void {
    this.#reports.end(slot.lease)
    this.#counts.failed += 1
    this.#settle(slot, { kind: 'fail', failure: failedLease(slot.lease, thrown, this.#connection.limits) })
    const { id, queue, attempt } = slot
    if (this.#logsFailures) {
      this.logger.warn({ task: id, queue, attempt, err: thrown }, `attempt ${attempt} failed: ${messageOf(thrown)}`)
    }
    tell(this.logger, 'onError', () => this.#onError?.(thrown, { id, queue, attempt }))
  }

  onHandBack(slot: Slot, reason: Error): void {
    this.#reports.drop(slot.lease)
    this.#counts.released += 1
    const { id, queue, attempt } = slot
    this.logger.warn({ task: id, queue, attempt }, `handed back: ${reason.message}`)
    this.#settle(slot, { kind: 'release' })
  }

  #settle(slot: Slot, answer: Answer): void {
    slot.answer = answer
    this.#settlements.add(slot)
  }

  #settled(slots: readonly Slot[], refused: readonly { index: number; error: WireError }[]): void {
    const later = new Set<Slot>()
    let delayMs = 0
    for (const { index, error } of refused) {
      const slot = slots[index]
      if (slot?.answer === undefined) continue
      this.logger.warn({ lease: slot.lease, code: error.code }, `settlement refused: ${error.message}`)
      if (retryOf(error.code) === 'no') {
        this.#counts.lost += 1
      } else {
        later.add(slot)
        delayMs = Math.max(delayMs, error.retryAfterMs ?? SETTLE_MS)
      }
    }
    for (const slot of slots) if (!later.has(slot)) this.#forget(slot)
    if (later.size > 0) this.#settlements.addLater([...later], delayMs)
    this.#afterAnswers()
  }

  /** The answer is confirmed, or refused for good. */
  #forget(slot: Slot): void {
    if (slot.answer === undefined) return
    slot.answer = undefined
    this.#held.delete(slot)
    if (slot.state === 'settling') slot.move('settle')
  }

  /**
   * A whole message was refused. Its settlements count as refused one by one.
   * @returns whether it was a message with settlements; nothing else needs an answer
   */
  #refused(ref: number, error: WireError): boolean {
    const slots = this.#settlements.answered(ref)
    if (slots === undefined) return false
    this.#settled(
      slots,
      Array.from(slots, (_, index) => ({ index, error })),
    )
    return true
  }

  // ─── leaving ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #tell(event: WorkerEvent): void {
    if (this.#state !== 'stopped') this.#chart.send(event)
  }

  #changed(state: WorkerState): void {
    if (state === this.#state) return
    this.#state = state
    switch (state) {
      case 'draining':
        this.#announceCredit()
        this.#releaseQueued()
        this.#afterAnswers()
        return
      case 'aborting':
        for (const slot of this.#held) if (slot.state === 'running') this.#handBack(slot)
        this.#afterAnswers()
        return
      case 'stopped':
        void this.#leave()
    }
  }

  #announceCredit(): void {
    this.#cancelCredit()
    if (!this.#connection.open) return
    const { creditMax } = this.#connection.limits
    const credit = this.#runner.isBlocked ? 0 : Math.min(creditOf(this.#state, this.#creditMax), creditMax)
    this.#connection.send({ type: 'credit', credit, queues: this.#queues })
  }

  /**
   * Of the messages without a `ref` only the credit can be refused. Otherwise the broker is about to close the
   * connection.
   */
  #creditRefused(error: WireError): void {
    this.logger.warn({ code: error.code, queues: this.#queues }, `refused: ${error.message}`)
    if (retryOf(error.code) === 'no') return
    this.#cancelCredit()
    this.#cancelCredit = this.platform.setTimer(() => this.#announceCredit(), error.retryAfterMs ?? SETTLE_MS)
  }

  #releaseQueued(): void {
    for (const slot of this.#runner.drain()) {
      if (slot.state !== 'queued') continue
      this.#counts.released += 1
      this.#release(slot)
    }
  }

  /** Hands back a task that has not started. */
  #release(slot: Slot): void {
    slot.bodies = undefined
    slot.move('release')
    this.#settle(slot, { kind: 'release' })
  }

  /** Hands back a running task. */
  #handBack(slot: Slot): void {
    this.#reports.drop(slot.lease)
    this.#runner.abort(slot, new LeaseLostError('handed_back'))
    this.#counts.released += 1
    this.#settle(slot, { kind: 'release' })
  }

  #afterAnswers(): void {
    if (!this.#held.isEmpty) return
    if (this.#state === 'draining' || this.#state === 'aborting') this.#tell({ type: 'emptied' })
    else if (this.#connection.state === 'draining') this.#connection.drained(this)
  }

  /** The session goes on without this worker, so that its end does not give the leases back. */
  #handBackAll(): void {
    this.#connection.send({ type: 'credit', credit: 0, queues: this.#queues })
    const leases = this.heldLeases()
    for (const { listedMax } = this.#connection; leases.length > 0; ) {
      const ref = this.#connection.nextRef()
      this.#connection.send({ type: 'release', ref, leases: leases.splice(0, listedMax) })
    }
  }

  async #leave(): Promise<void> {
    for (const slot of this.#held)
      if (slot.state === 'running') this.#runner.abort(slot, new LeaseLostError('handed_back'))
    const closed = this.#connection.closedError('the worker was closed before it was connected')
    if (this.#connection.isShared && this.#connection.open) this.#handBackAll()
    this.#connection.stop(this)
    this.#cancelCredit()
    this.#heartbeats.stop()
    this.#begun.stop()
    this.#reports.stop()
    this.#settlements.stop()
    this.#rejectStarted(closed)
    try {
      await this.#runner.close()
    } catch (error) {
      this.logger.error({ err: error }, 'the executor did not close')
    }
    this.#resolveClosed()
  }
}
