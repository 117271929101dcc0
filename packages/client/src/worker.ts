import { type ConnectionState, creditOf, type WorkerEvent, type WorkerState, workerMachine } from '@sluice/machines'
import {
  type Body,
  type BrokerMessage,
  type ClientMessage,
  type Deliver,
  retryOf,
  utf8Length,
  type Welcome,
  type WireError,
} from '@sluice/protocol'
import { type ActorRefFrom, createActor } from 'xstate'
import { Connection, type SessionOwner } from './connection.ts'
import { Delivery, HeldLeases } from './delivery.ts'
import { Deque } from './deque.ts'
import { ClosedError, LeaseLostError, PermanentError, SluiceError, TimeLimitExceeded } from './errors.ts'
import type { Executor } from './executor.ts'
import { failedLease } from './failure.ts'
import { type AnyHandler, noInput, type Output, runAttempt } from './handler.ts'
import { Heartbeats } from './heartbeats.ts'
import { type Logger, silentLogger } from './logger.ts'
import { defaultPlatform, machineClock, type Platform } from './platform.ts'
import { ProgressReports } from './progress-reports.ts'
import { type Answer, Settlements } from './settlements.ts'
import { Slot, type SlotHost } from './slot.ts'
import { atLeast, checkQueues, type Worker, type WorkerOptions, type WorkerStats } from './worker-options.ts'

const CONCURRENCY = 8
const DRAIN_GRACE_MS = 30_000
/** How long the broker may take to confirm what was handed back before the worker leaves anyway. */
const SETTLE_MS = 5000

/**
 * Connects with `start()`.
 * @throws Error naming the option where one is out of range
 */
export function createWorker(options: WorkerOptions): Worker {
  return new WorkerSession(options)
}

/**
 * The working half of a session. A delivery waits in `#backlog` for one of `concurrency` handlers; its lease is in
 * `#held` while work on it may still be of use, and in `#settlements` until the broker has confirmed the answer.
 */
class WorkerSession implements Worker, SessionOwner, SlotHost {
  readonly role = 'worker'
  readonly logger: Logger
  readonly closed: Promise<void>
  readonly #connection: Connection
  readonly #actor: ActorRefFrom<typeof workerMachine>
  readonly #platform: Platform
  readonly #handlers: Readonly<Record<string, AnyHandler>>
  readonly #queues: string[]
  readonly #executor: Executor | undefined
  readonly #concurrency: number
  readonly #creditMax: number
  readonly #onError: WorkerOptions['onError']
  readonly #held = new HeldLeases()
  readonly #backlog = new Deque<Slot>()
  readonly #settlements = new Settlements()
  readonly #reports: ProgressReports
  readonly #heartbeats: Heartbeats
  readonly #started: Promise<void>
  #resolveStarted: () => void = () => {}
  #rejectStarted: (error: Error) => void = () => {}
  #resolveClosed: () => void = () => {}
  #state: WorkerState = 'starting'
  #active = 0
  #pumping = false
  readonly #counts = { succeeded: 0, failed: 0, released: 0, lost: 0 }

  constructor(options: WorkerOptions) {
    this.#handlers = options.handlers
    this.#queues = options.queues === undefined ? Object.keys(options.handlers) : [...options.queues]
    this.#concurrency = atLeast('concurrency', options.concurrency ?? CONCURRENCY, 1)
    this.#creditMax = this.#concurrency + atLeast('prefetch', options.prefetch ?? this.#concurrency, 0)
    this.#executor = options.executor
    this.#onError = options.onError
    this.logger = options.logger ?? silentLogger
    this.#platform = options.platform ?? defaultPlatform
    checkQueues(this.#queues, this.#handlers, this.#executor)
    this.#connection = new Connection({ ...options, platform: this.#platform }, this)
    this.#reports = new ProgressReports(this.#platform, this.logger, this.#connection.requestFlush)
    this.#heartbeats = new Heartbeats(this.#connection, this.#held, this.#platform)
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    this.#started = new Promise((resolve, reject) => {
      this.#resolveStarted = resolve
      this.#rejectStarted = reject
    })
    // Who does not wait for the start learns of a failure through `onError` and `closed`.
    this.#started.catch(() => {})
    this.#actor = createActor(workerMachine, {
      id: 'worker',
      clock: machineClock(this.#platform),
      input: { creditMax: this.#creditMax, settleMs: SETTLE_MS },
    })
    this.#actor.subscribe((snapshot) => this.#changed(snapshot.value as WorkerState))
    this.#actor.start()
  }

  get state(): WorkerState {
    return this.#state
  }

  start(): Promise<void> {
    if (this.#connection.state === 'idle' && this.#state === 'starting') this.#connection.start()
    return this.#started
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
    return { running: this.#active, queued, settling, ...this.#counts }
  }

  // ─── the session ─────────────────────────────────────────────────────────────────────────────────────────────────

  heldLeases(): number[] {
    return Array.from(this.#held, (slot) => slot.lease)
  }

  onWelcome(welcome: Welcome): void {
    this.#lose(welcome.resumed ? this.#held.of(welcome.lostLeases) : [...this.#held], 'session_lost')
    this.#settlements.resend(this.#held)
    this.#tell({ type: 'connected' })
    this.#announceCredit()
    this.#resolveStarted()
    this.#connection.flush()
  }

  onDisconnected(): void {}

  onDrain(): void {
    this.#releaseQueued()
    this.#afterAnswers()
  }

  onFailed(error: WireError): void {
    const failure = new SluiceError(error)
    this.#rejectStarted(failure)
    this.logger.error({ code: error.code }, `the worker stops: ${error.message}`)
    this.#onError?.(failure, undefined)
    this.#tell({ type: 'fail' })
  }

  onStateChange(_state: ConnectionState): void {}

  onHeartbeat(out: ClientMessage[]): void {
    this.#heartbeats.push(out, this.heldLeases())
  }

  waiting(): number {
    return this.#settlements.waiting + this.#reports.waiting
  }

  collect(out: ClientMessage[]): void {
    this.#reports.collect(out, this.#connection.limits)
    this.#settlements.collect(out, this.#connection.limits, () => this.#connection.nextRef())
  }

  onMessage(message: BrokerMessage): void {
    switch (message.type) {
      case 'deliver':
        this.#deliver(message)
        return
      case 'settled':
        this.#settled(message.ref, message.refused)
        return
      case 'renewed':
        this.#lose(this.#held.of(message.lost), 'expired')
        this.#afterAnswers()
        return
      case 'revoke':
        this.#lose(this.#held.of(message.leases), message.reason)
        this.#afterAnswers()
        return
      case 'error':
        this.#refused(message.ref!, message)
        return
    }
  }

  // ─── deliveries ──────────────────────────────────────────────────────────────────────────────────────────────────

  #deliver({ bodies, ...message }: Deliver): void {
    const takes = this.#state === 'working' && this.#connection.state === 'ready' && this.#serves(message.queue)
    const delivery = new Delivery(message)
    for (let place = 0; place < bodies.count; place++) {
      const slot = new Slot(this, delivery, place, bodies)
      this.#held.add(slot)
      if (takes) this.#backlog.push(slot)
      // Sent before the broker heard that nothing more is wanted.
      else this.#release(slot)
    }
    this.#heartbeats.held(message.leaseMs)
    this.#pump()
  }

  #serves(queue: string): boolean {
    return this.#queues.includes(queue)
  }

  /** Starts handlers while there is room. Handlers that return at once come back here: the loop takes their place. */
  #pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    while (this.#active < this.#concurrency) {
      const slot = this.#backlog.shift()
      if (slot === undefined) break
      if (slot.state === 'queued') this.#run(slot)
    }
    this.#pumping = false
  }

  #run(slot: Slot): void {
    slot.move('start')
    this.#active += 1
    const { timeLimitMs } = slot
    if (timeLimitMs !== undefined) {
      slot.cancelTimeLimit = this.#platform.setTimer(() => this.#exceeded(slot, timeLimitMs), timeLimitMs)
    }
    try {
      const output =
        this.#executor === undefined
          ? runAttempt(this.#handlers[slot.queue]!, inputOf(slot), slot)
          : this.#execute(this.#executor, slot)
      if (output instanceof Promise) {
        output.then(
          (value) => this.#succeeded(slot, value),
          (error) => this.#failed(slot, error),
        )
      } else {
        this.#succeeded(slot, output)
      }
    } catch (error) {
      this.#failed(slot, error)
    }
  }

  #execute(executor: Executor, slot: Slot): Promise<Output> {
    // The bytes view a received frame: an executor that transfers them would take the whole frame away.
    const bytes = slot.takeBytes().slice()
    const { queue, id, attempt, contentType, timeLimitMs } = slot
    const input: Body = contentType === undefined ? { bytes } : { bytes, contentType }
    return executor.run(
      { queue, id, attempt, input, ...(timeLimitMs === undefined ? {} : { timeLimitMs }) },
      { signal: slot.signal, progress: slot.progress },
    )
  }

  /** @returns whether the result is still of use */
  #finish(slot: Slot): boolean {
    slot.cancelTimeLimit?.()
    this.#active -= 1
    slot.move('finish')
    if (slot.state !== 'settling') return false
    this.#reports.end(slot.lease)
    return true
  }

  #succeeded(slot: Slot, output: Output): void {
    const { bodyBytesMax } = this.#connection.limits
    const bytes = bytesPast(output, bodyBytesMax)
    if (bytes > 0) {
      const message = `the output has ${bytes} bytes, at most ${bodyBytesMax} are allowed`
      this.#failed(slot, new PermanentError(message))
      return
    }
    if (this.#finish(slot)) {
      this.#counts.succeeded += 1
      this.#settle(slot, { kind: 'complete', output })
    }
    this.#pump()
  }

  #failed(slot: Slot, thrown: unknown): void {
    if (this.#finish(slot)) this.#settleFailure(slot, thrown)
    this.#pump()
  }

  #settleFailure(slot: Slot, thrown: unknown): void {
    this.#counts.failed += 1
    this.#onError?.(thrown, { id: slot.id, queue: slot.queue, attempt: slot.attempt })
    this.#settle(slot, { kind: 'fail', failure: failedLease(slot.lease, thrown, this.#connection.limits) })
  }

  /** The attempt has failed now, whether or not the handler heeds its signal; its place is free once it returns. */
  #exceeded(slot: Slot, timeLimitMs: number): void {
    if (slot.state !== 'running') return
    const error = new TimeLimitExceeded(timeLimitMs)
    this.#reports.end(slot.lease)
    slot.abort(error)
    this.#settleFailure(slot, error)
  }

  #lose(slots: readonly Slot[], reason: LeaseLostError['reason']): void {
    for (const slot of slots) {
      this.#reports.drop(slot.lease)
      this.#held.delete(slot)
      slot.answer = undefined
      if (slot.state === 'running') slot.abort(new LeaseLostError(reason))
      // The handler was told already, and the lease answered; the handler may even have returned since.
      else if (slot.state === 'aborting' || slot.state === 'idle') continue
      else slot.move('lose')
      this.#counts.lost += 1
      this.logger.warn({ task: slot.id, queue: slot.queue, attempt: slot.attempt, reason }, 'lease lost')
    }
  }

  // ─── answers ─────────────────────────────────────────────────────────────────────────────────────────────────────

  report(slot: Slot, value: unknown): void {
    if (slot.state === 'running') this.#reports.report(slot.lease, value)
  }

  #settle(slot: Slot, answer: Answer): void {
    slot.answer = answer
    this.#settlements.add(slot)
    this.#connection.requestFlush()
  }

  #settled(ref: number, refused: readonly { index: number; error: WireError }[]): void {
    const slots = this.#settlements.answered(ref)
    if (slots === undefined) return
    const held = new Set<Slot>()
    for (const { index, error } of refused) {
      const slot = slots[index]
      if (slot?.answer === undefined) continue
      if (retryOf(error.code) === 'no') {
        this.#counts.lost += 1
        this.logger.warn({ lease: slot.lease, code: error.code }, `settlement refused: ${error.message}`)
      } else {
        held.add(slot)
        this.#platform.setTimer(() => this.#sayAgain(slot), error.retryAfterMs ?? SETTLE_MS)
      }
    }
    for (const slot of slots) if (!held.has(slot)) this.#forget(slot)
    this.#afterAnswers()
  }

  /** The answer is confirmed, or refused for good. */
  #forget(slot: Slot): void {
    if (slot.answer === undefined) return
    slot.answer = undefined
    this.#held.delete(slot)
    if (slot.state === 'settling') slot.move('settle')
  }

  #sayAgain(slot: Slot): void {
    // Unless the lease was lost meanwhile.
    if (slot.answer === undefined) return
    this.#settlements.add(slot)
    this.#connection.requestFlush()
  }

  /** A whole message was refused: settlements count as refused one by one; the rest needs no answer. */
  #refused(ref: number, error: WireError): void {
    const slots = this.#settlements.answered(ref)
    if (slots === undefined) {
      this.logger.error({ ref, code: error.code }, `message refused: ${error.message}`)
      return
    }
    for (const slot of slots) {
      this.logger.error({ lease: slot.lease, code: error.code }, `settlement refused: ${error.message}`)
      this.#forget(slot)
    }
    this.#afterAnswers()
  }

  // ─── leaving ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #tell(event: WorkerEvent): void {
    if (this.#state !== 'stopped') this.#actor.send(event)
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
    if (!this.#connection.open) return
    const { creditMax } = this.#connection.limits
    const credit = Math.min(creditOf(this.#state, this.#creditMax), creditMax)
    this.#connection.send({ type: 'credit', credit, queues: this.#queues })
  }

  #releaseQueued(): void {
    for (const slot of this.#backlog.drain()) {
      if (slot.state !== 'queued') continue
      this.#counts.released += 1
      this.#release(slot)
    }
  }

  /** Hands back what was not started. */
  #release(slot: Slot): void {
    slot.bodies = undefined
    slot.move('release')
    this.#settle(slot, { kind: 'release' })
  }

  /** Hands back what runs. */
  #handBack(slot: Slot): void {
    this.#reports.drop(slot.lease)
    slot.cancelTimeLimit?.()
    slot.abort(new LeaseLostError('handed_back'))
    this.#counts.released += 1
    this.#settle(slot, { kind: 'release' })
  }

  #afterAnswers(): void {
    if (!this.#held.isEmpty) return
    if (this.#state === 'draining' || this.#state === 'aborting') this.#tell({ type: 'emptied' })
    else if (this.#connection.state === 'draining') this.#connection.drained()
  }

  async #leave(): Promise<void> {
    for (const slot of this.#held) {
      slot.cancelTimeLimit?.()
      if (slot.state === 'running') slot.abort(new LeaseLostError('handed_back'))
    }
    this.#heartbeats.stop()
    this.#backlog.drain()
    this.#connection.stop()
    this.#rejectStarted(new ClosedError('the worker was closed before it was connected'))
    try {
      await this.#executor?.close()
    } finally {
      this.#resolveClosed()
    }
  }
}

function inputOf(slot: Slot): unknown {
  try {
    return slot.takeInput()
  } catch (error) {
    throw noInput(error)
  }
}

/** The bytes of an output that has more than `bytesMax`, else 0. */
function bytesPast(output: Output, bytesMax: number): number {
  // Three bytes is the most that UTF-8 takes for a UTF-16 unit.
  if (typeof output === 'string' && output.length * 3 <= bytesMax) return 0
  const bytes = typeof output === 'string' ? utf8Length(output) : output.bytes.length
  return bytes > bytesMax ? bytes : 0
}
