import { type Executor, type ExecutorHooks, type ExecutorTask, HandBackError } from '@sluice/client'
import type { Body } from '@sluice/protocol'
import { Backoff } from './backoff.ts'
import { DutyCycle } from './duty-cycle.ts'
import { HandlerSeat } from './handler-seat.ts'

/** What the pool needs from the connection Worker and its page. */
export interface PoolHost {
  setTimer(fn: () => void, ms: number): () => void
  /** Asks the page for a handler Worker. `serving` or `unusable` is called when there is one. */
  spawn(worker: number): void
  /** Asks the page to terminate a handler Worker. */
  end(worker: number): void
  /** Calls `onFree` when nobody holds the lock any more. The returned function ends the wait. */
  awaitLock(name: string, onFree: () => void): () => void
  /** The number of handler Workers that run a task or could, or the number of those that rest, has changed. */
  onCapacity(): void
  log(level: 'debug' | 'info' | 'warn' | 'error', fields: object, message: string): void
}

export interface PoolOptions {
  size: number
  cpuShare: number
  abortGraceMs: number
}

/**
 * Runs handlers in Workers that the page makes. A Worker that dies or does not load is replaced after a wait that grows.
 * A Worker whose handler ignores its signal is terminated and replaced at once. After each task a Worker rests as
 * `cpuShare` asks.
 */
export class HandlerPool implements Executor {
  readonly #host: PoolHost
  readonly #options: PoolOptions
  readonly #seats = new Map<number, HandlerSeat>()
  readonly #backoff = new Backoff()
  readonly #cancels = new Set<() => void>()
  readonly #duty: DutyCycle
  #spawned = 0
  #isClosed = false
  /** Why the last handler Worker could not be used. Undefined once one serves. */
  trouble: string | undefined

  constructor(host: PoolHost, options: PoolOptions) {
    this.#host = host
    this.#options = options
    this.#duty = new DutyCycle(options.cpuShare)
    for (let n = 0; n < options.size; n++) this.#spawn()
  }

  /** Workers that run a task or could. */
  get ready(): number {
    return this.#count('idle') + this.#count('running')
  }

  get resting(): number {
    return this.#count('resting')
  }

  set cpuShare(share: number) {
    this.#duty.share = share
  }

  /** A handler Worker serves, and `port` leads to it. */
  serving(worker: number, port: MessagePort, lock: string): void {
    const seat = this.#seats.get(worker)
    if (seat === undefined) this.#host.end(worker)
    else seat.connect(port, lock)
  }

  /** The page could not start a handler Worker, and has ended it. */
  unusable(worker: number, message: string): void {
    if (!this.#seats.delete(worker)) return
    this.trouble = message
    this.#host.log('error', {}, `a handler Worker cannot be used and is replaced: ${message}`)
    this.#replaceLater()
    this.#host.onCapacity()
  }

  run(task: ExecutorTask, hooks: ExecutorHooks): Promise<Body> {
    for (const seat of this.#seats.values()) if (seat.state === 'idle') return seat.run(task, hooks)
    // It died at the moment when this task was about to begin.
    return Promise.reject(new HandBackError('no handler Worker is free'))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const cancel of this.#cancels) cancel()
    for (const seat of [...this.#seats.values()]) seat.end()
    this.#seats.clear()
  }

  #count(state: HandlerSeat['state']): number {
    let count = 0
    for (const seat of this.#seats.values()) if (seat.state === state) count += 1
    return count
  }

  #spawn(): void {
    const worker = this.#spawned
    this.#spawned += 1
    const seat = new HandlerSeat(this.#options.abortGraceMs, {
      setTimer: (fn, ms) => this.#later(fn, ms),
      awaitLock: (name, onFree) => this.#host.awaitLock(name, onFree),
      log: (level, fields, message) => this.#host.log(level, fields, message),
      restAfter: (workedMs) => this.#duty.restAfter(workedMs),
      onReady: () => {
        this.trouble = undefined
      },
      onFinished: () => this.#backoff.reset(),
      onChange: () => this.#host.onCapacity(),
      onDied: () => {
        this.#seats.delete(worker)
        this.#host.end(worker)
        this.#host.log('error', { worker }, 'a handler Worker has died and is replaced')
        this.#replaceLater()
        this.#host.onCapacity()
      },
      onUnheeding: () => {
        this.#seats.delete(worker)
        this.#host.end(worker)
        this.#spawn()
        this.#host.onCapacity()
      },
      onEnded: () => this.#host.end(worker),
    })
    this.#seats.set(worker, seat)
    this.#host.spawn(worker)
  }

  #replaceLater(): void {
    this.#later(() => this.#spawn(), this.#backoff.next())
  }

  /** A timer that ends with the pool. */
  #later(fn: () => void, ms: number): () => void {
    if (this.#isClosed) return () => {}
    const cancel = this.#host.setTimer(() => {
      forget()
      fn()
    }, ms)
    const forget = () => {
      cancel()
      this.#cancels.delete(forget)
    }
    this.#cancels.add(forget)
    return forget
  }
}
