import type { Body } from '@sluice/protocol'
import { Deque } from './deque.ts'
import { TimeLimitExceeded } from './errors.ts'
import type { Executor } from './executor.ts'
import { type AnyHandler, noInput, type Output, runAttempt } from './handler.ts'
import type { Platform } from './platform.ts'
import type { Slot } from './slot.ts'

/** How long all handlers may go on after their signals have fired before no more work is to wait for them, in ms. */
const UNHEEDED_MS = 2000

/** Hears what becomes of the attempts whose lease is held. */
export interface RunnerHost {
  onOutput(slot: Slot, output: Output): void
  /** The handler threw, or its time limit has passed while it runs. */
  onFailure(slot: Slot, thrown: unknown): void
  /** `isBlocked` has changed. */
  onBlockedChange(): void
}

export interface RunnerOptions {
  handlers: Readonly<Record<string, AnyHandler>>
  executor: Executor | undefined
  /** Handlers that run at once. */
  concurrency: number
  platform: Platform
}

/** Deliveries wait here for one of `concurrency` places, in which their handlers run. A place is free once its handler returns. */
export class Runner {
  readonly #host: RunnerHost
  readonly #handlers: RunnerOptions['handlers']
  readonly #executor: Executor | undefined
  readonly #concurrency: number
  readonly #platform: Platform
  readonly #backlog = new Deque<Slot>()
  #active = 0
  /** Of these, whose signal has fired. */
  #aborted = 0
  #pumping = false
  #isBlocked = false
  #cancelPatience: (() => void) | undefined

  constructor(host: RunnerHost, options: RunnerOptions) {
    this.#host = host
    this.#handlers = options.handlers
    this.#executor = options.executor
    this.#concurrency = options.concurrency
    this.#platform = options.platform
  }

  /** Handlers that have not returned. */
  get active(): number {
    return this.#active
  }

  /**
   * Whether every place is held by a handler that does not heed its signal: what waits here might wait for ever, its lease kept alive.
   */
  get isBlocked(): boolean {
    return this.#isBlocked
  }

  /** The slot waits for a place; `pump` looks for one. */
  add(slot: Slot): void {
    this.#backlog.push(slot)
  }

  /** Starts handlers while there is room. Handlers that return at once come back here: the loop takes their place. */
  pump(): void {
    if (this.#pumping) return
    this.#pumping = true
    try {
      while (this.#active < this.#concurrency) {
        const slot = this.#backlog.shift()
        if (slot === undefined) break
        if (slot.state === 'queued') this.#run(slot)
      }
    } finally {
      this.#pumping = false
    }
  }

  /** Takes out what waits for a place. */
  drain(): Slot[] {
    return this.#backlog.drain()
  }

  /** What the handler of a running slot returns will not be used. */
  abort(slot: Slot, reason: Error): void {
    this.#aborted += 1
    if (this.#aborted === this.#concurrency) {
      this.#cancelPatience = this.#platform.setTimer(() => this.#setBlocked(true), UNHEEDED_MS)
    }
    slot.abort(reason)
  }

  /** Nothing waits or is counted any more; resolves when the executor, if any, is closed. */
  async close(): Promise<void> {
    this.#backlog.drain()
    this.#cancelPatience?.()
    await this.#executor?.close()
  }

  #run(slot: Slot): void {
    slot.move('start')
    this.#active += 1
    const { timeLimitMs } = slot
    if (timeLimitMs !== undefined) {
      slot.cancelTimeLimit = this.#platform.setTimer(() => this.#exceeded(slot, timeLimitMs), timeLimitMs)
    }
    let output: Output | Promise<Output>
    try {
      output =
        this.#executor === undefined
          ? runAttempt(this.#handlers[slot.queue]!, inputOf(slot), slot)
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

  #succeeded(slot: Slot, output: Output): void {
    if (this.#finish(slot)) this.#host.onOutput(slot, output)
    this.pump()
  }

  #failed(slot: Slot, thrown: unknown): void {
    if (this.#finish(slot)) this.#host.onFailure(slot, thrown)
    this.pump()
  }

  /** @returns whether what the handler made is still of use */
  #finish(slot: Slot): boolean {
    this.#active -= 1
    slot.move('finish')
    if (slot.state === 'settling') {
      slot.cancelTimeLimit?.()
      return true
    }
    this.#aborted -= 1
    this.#cancelPatience?.()
    this.#setBlocked(false)
    return false
  }

  /** The attempt has failed now, whether or not the handler heeds its signal. */
  #exceeded(slot: Slot, timeLimitMs: number): void {
    const error = new TimeLimitExceeded(timeLimitMs)
    this.abort(slot, error)
    this.#host.onFailure(slot, error)
  }

  #setBlocked(isBlocked: boolean): void {
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
