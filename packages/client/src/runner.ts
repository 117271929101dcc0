import { type Body, isContentType } from '@sluice/protocol'
import type { BegunLeases } from './begun-leases.ts'
import { Deque } from './deque.ts'
import type { Encoded } from './encode-value.ts'
import { HandBackError, PermanentError, TimeLimitExceeded } from './errors.ts'
import type { Executor } from './executor.ts'
import { type AnyHandler, noInput, runAttempt } from './handler.ts'
import type { Platform } from './platform.ts'
import type { Slot } from './slot.ts'

/** How long a handler may run after its signal has fired while work still waits for it, in ms. */
const UNHEEDED_MS = 2000

/** The callbacks for attempts whose lease is held. */
export interface RunnerHost {
  onOutput(slot: Slot, output: Encoded): void
  /** The handler threw, or its time limit passed during the run. */
  onFailure(slot: Slot, thrown: unknown): void
  /** The executor hands the task back. */
  onHandBack(slot: Slot, reason: Error): void
  /** Handlers run that the broker was not told about. It is called repeatedly until the broker is told. */
  onUnsaidBegin(): void
  /** `isBlocked` has changed. */
  onBlockedChange(): void
}

export interface RunnerOptions {
  handlers: Readonly<Record<string, AnyHandler>>
  executor: Executor | undefined
  /** The maximum number of handlers that run at once. */
  concurrency: number
  platform: Platform
}

/**
 * Runs at most `concurrency` handlers at once; further deliveries wait here. A handler occupies its share until it
 * returns. Deliveries begin strictly in the order in which they arrived. So one that must wait delays all behind it:
 * until its `begin` has left, or, for a task that must run alone, until no other handler runs.
 *
 * A handler that runs for `UNHEEDED_MS` after its signal has fired still occupies its share, but does not count as
 * running for a task that must run alone. Its lease is lost or answered, so no attempt of it could be charged, and it
 * may never return.
 */
export class Runner {
  readonly #host: RunnerHost
  readonly #begun: BegunLeases
  readonly #handlers: RunnerOptions['handlers']
  readonly #executor: Executor | undefined
  #concurrency: number
  readonly #platform: Platform
  readonly #backlog = new Deque<Slot>()
  #active = 0
  /** Of these, the number that have ignored their signal for too long. */
  #deaf = 0
  /** Ends the wait for handlers whose signal has fired and that are not deaf yet. */
  readonly #patience = new Map<Slot, () => void>()
  /** The slot that runs alone. */
  #alone: Slot | undefined
  #pumping = false
  #isBlocked = false

  constructor(host: RunnerHost, begun: BegunLeases, options: RunnerOptions) {
    this.#host = host
    this.#begun = begun
    this.#handlers = options.handlers
    this.#executor = options.executor
    this.#concurrency = options.concurrency
    this.#platform = options.platform
  }

  /** The number of handlers that have not returned. */
  get active(): number {
    return this.#active
  }

  /**
   * Whether handlers that ignore their signal occupy all of `concurrency`. Waiting deliveries might then wait for ever,
   * with their leases kept alive.
   */
  get isBlocked(): boolean {
    return this.#isBlocked
  }

  /** 0 or more. Handlers that run already go on; `pump` starts what there is room for now. */
  resize(concurrency: number): void {
    this.#concurrency = concurrency
    this.#checkBlocked()
  }

  /** The slot waits until it may run; `pump` starts it. */
  add(slot: Slot): void {
    this.#backlog.push(slot)
  }

  /** Starts handlers while there is room. Handlers that return at once come back here; the loop replaces recursion. */
  pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#active < this.#concurrency) {
        const slot = this.#backlog.first
        if (slot === undefined) break
        if (slot.state === 'queued') {
          if (!this.#mayBegin(slot)) break
          this.#backlog.shift()
          this.#run(slot)
        } else {
          this.#backlog.shift()
        }
      }
    } finally {
      this.#pumping = false
    }
    if (this.#begun.isUnsaid) this.#host.onUnsaidBegin()
  }

  #mayBegin(slot: Slot): boolean {
    if (this.#alone !== undefined) return false
    const { start } = slot
    if (start === undefined) return true
    if (start === 'alone' && this.#active > this.#deaf) return false
    return this.#begun.announce(slot.lease)
  }

  /** Removes and returns the waiting slots. */
  drain(): Slot[] {
    return this.#backlog.drain()
  }

  /** The result of a running slot's handler will not be used. */
  abort(slot: Slot, reason: Error): void {
    this.#begun.end(slot.lease)
    this.#patience.set(
      slot,
      this.#platform.setTimer(() => this.#unheeded(slot), UNHEEDED_MS),
    )
    slot.abort(reason)
  }

  #unheeded(slot: Slot): void {
    this.#patience.delete(slot)
    this.#deaf += 1
    if (this.#alone === slot) this.#alone = undefined
    this.#checkBlocked()
    this.pump()
  }

  /** Ends all waiting and counting. Resolves when the executor, if any, is closed. */
  async close(): Promise<void> {
    this.#backlog.drain()
    for (const cancel of this.#patience.values()) cancel()
    await this.#executor?.close()
  }

  #run(slot: Slot): void {
    slot.move('start')
    this.#active += 1
    this.#begun.begin(slot.lease)
    if (slot.start === 'alone') this.#alone = slot
    this.#limitTime(slot)
    let output: Encoded | Promise<Encoded>
    try {
      output =
        this.#executor === undefined
          ? runAttempt(this.#handlers[slot.queue]!, inputOf(slot), slot.context())
          : this.#execute(this.#executor, slot)
    } catch (error) {
      this.#failed(slot, error)
      return
    }
    if (output instanceof Promise) {
      output.then(
        (value) => this.#succeeded(slot, value),
        (error) => this.#failed(slot, error),
      )
    } else {
      this.#succeeded(slot, output)
    }
  }

  #limitTime(slot: Slot): void {
    const { timeLimitMs } = slot
    if (timeLimitMs !== undefined) {
      slot.cancelTimeLimit = this.#platform.setTimer(() => this.#exceeded(slot, timeLimitMs), timeLimitMs)
    }
  }

  #execute(executor: Executor, slot: Slot): Promise<Encoded> {
    const bytes = slot.takeBytes()
    const { queue, id, attempt, contentType, timeLimitMs } = slot
    const input: Body = contentType === undefined ? { bytes } : { bytes, contentType }
    const running = executor.run(
      { queue, id, attempt, input, ...(timeLimitMs === undefined ? {} : { timeLimitMs }) },
      {
        signal: slot.signal,
        progress: (value) => slot.report(value),
        setRunning: (isRunning) => {
          slot.cancelTimeLimit?.()
          if (isRunning && slot.state === 'running') this.#limitTime(slot)
        },
      },
    )
    return Promise.resolve(running).then(checkedBody)
  }

  #succeeded(slot: Slot, output: Encoded): void {
    if (this.#finish(slot)) this.#host.onOutput(slot, output)
    this.pump()
  }

  #failed(slot: Slot, thrown: unknown): void {
    if (this.#finish(slot)) {
      if (this.#executor !== undefined && thrown instanceof HandBackError) this.#host.onHandBack(slot, thrown)
      else this.#host.onFailure(slot, thrown)
    }
    this.pump()
  }

  /** @returns whether the handler's result is still of use */
  #finish(slot: Slot): boolean {
    this.#active -= 1
    if (this.#alone === slot) this.#alone = undefined
    slot.move('finish')
    if (slot.state === 'settling') {
      this.#begun.end(slot.lease)
      slot.cancelTimeLimit?.()
      return true
    }
    const cancel = this.#patience.get(slot)
    if (cancel === undefined) {
      this.#deaf -= 1
    } else {
      cancel()
      this.#patience.delete(slot)
    }
    this.#checkBlocked()
    return false
  }

  /** The attempt fails now, whether or not the handler obeys its signal. */
  #exceeded(slot: Slot, timeLimitMs: number): void {
    const error = new TimeLimitExceeded(timeLimitMs)
    this.abort(slot, error)
    this.#host.onFailure(slot, error)
  }

  #checkBlocked(): void {
    const isBlocked = this.#deaf > 0 && this.#deaf >= this.#concurrency
    if (isBlocked === this.#isBlocked) return
    this.#isBlocked = isBlocked
    this.#host.onBlockedChange()
  }
}

function inputOf(slot: Slot): unknown {
  try {
    return slot.takeInput()
  } catch (error) {
    throw noInput(error)
  }
}

/** Checks the body from an executor: one bad body would spoil the frame, which it shares with other answers. */
function checkedBody({ bytes, contentType }: Body): Body {
  if (!(bytes instanceof Uint8Array)) throw new PermanentError('the executor returned no bytes')
  // Copying fails here if the bytes were transferred away, and the copy cannot change.
  const copy = new Uint8Array(bytes)
  if (contentType === undefined) return { bytes: copy }
  if (typeof contentType === 'string' && isContentType(contentType)) return { bytes: copy, contentType }
  throw new PermanentError('the executor returned a content type that is none')
}
