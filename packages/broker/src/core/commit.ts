import { type Event, mustBeDurable } from '@sluice/engine'
import type { Journal } from '../journal/journal.ts'
import { BodyStore } from './body-store.ts'
import type { HostPlatform } from './platform.ts'

export interface CommitOptions {
  journal: Journal
  platform: HostPlatform
  bodyCacheBytesMax: number
  /** The longest delay until events that need not be durable are written. */
  lazyFlushMs: number
  /**
   * Called when a batch is durable, so that what depends on it may be sent. Called from an append that took time, never
   * from within `write`.
   */
  onDurable: () => void
  /** Called when pending events are due to be written. */
  onFlushDue: () => void
  /** Called when an append has failed. Nothing more becomes durable. */
  onFailure: (error: Error) => void
}

interface Waiter {
  readonly gate: number
  readonly done: (isDurable: boolean) => void
}

/**
 * Writes events to the journal in batches. Events gather in the open batch. Only one batch is appended at a time, and
 * the next one fills meanwhile, so a slower disk gets larger batches. A **gate** is the number of a batch: what depends
 * on events may be sent once their batch is durable.
 */
export class Commit {
  readonly journal: Journal
  readonly bodies: BodyStore
  readonly #options: CommitOptions
  /** The number of the open batch. */
  #batch = 1
  #events: Event[] = []
  /** The newest batch that holds, or will hold, an event that must be durable. */
  #gate = 0
  #deliveryGate = 0
  #durable = 0
  #durableBelow = 1
  #taken = 0
  #isWriting = false
  #isOver = false
  #waiters: Waiter[] = []
  #cancelLazyFlush: (() => void) | undefined

  constructor(options: CommitOptions) {
    this.journal = options.journal
    this.#options = options
    options.journal.onFailure?.((error) => options.onFailure(error))
    this.bodies = new BodyStore(options.journal, options.bodyCacheBytesMax, this)
  }

  /** Continues after the last batch of the journal, which holds the tasks with numbers below `nextSeq`. */
  open(last: number, nextSeq: number): void {
    this.#batch = last + 1
    this.#gate = last
    this.#durable = last
    this.#durableBelow = nextSeq
    this.bodies.begin(this.#batch)
  }

  get batch(): number {
    return this.#batch
  }

  /** The gate of an answer that depends on everything taken so far. */
  get gate(): number {
    return this.#gate
  }

  /**
   * The gate of deliveries, besides the acceptance of their tasks: no delivery goes ahead of the redrive that caused
   * it.
   */
  get deliveryGate(): number {
    return this.#deliveryGate
  }

  /** The newest durable batch. */
  get durable(): number {
    return this.#durable
  }

  /** Tasks with numbers below this one are durably accepted. */
  get durableBelow(): number {
    return this.#durableBelow
  }

  /** The number of events taken. */
  get taken(): number {
    return this.#taken
  }

  /** Adds an event to the open batch. */
  take(event: Event): void {
    this.#events.push(event)
    this.#taken += 1
    if (event.type === 'taskRedriven') this.#deliveryGate = this.#batch
    if (mustBeDurable(event)) this.#gate = this.#batch
    else if (this.#gate < this.#batch) this.#flushLater()
  }

  /** Writes everything taken so far with the next batch, even if nothing depends on it. */
  flush(): void {
    if (this.#events.length > 0) this.#gate = this.#batch
  }

  /**
   * Appends the open batch if something waits for it and no other append is running. `nextSeq`: the number after that
   * of its last task.
   */
  write(nextSeq: number): void {
    if (this.#isWriting || this.#isOver || this.#gate < this.#batch) return
    const batch = this.#batch
    const events = this.#events
    const bodies = this.bodies.seal()
    this.#events = []
    this.#cancelLazyFlush?.()
    this.#cancelLazyFlush = undefined
    this.#batch += 1
    this.bodies.begin(this.#batch)
    let written: void | Promise<void>
    try {
      written = this.journal.append({ batch, events, bodies })
    } catch (error) {
      this.#options.onFailure(error as Error)
      return
    }
    if (written === undefined) {
      this.#stored(batch, nextSeq)
      return
    }
    this.#isWriting = true
    written.then(
      () => {
        if (this.#isOver) return
        this.#isWriting = false
        this.#stored(batch, nextSeq)
        this.#options.onDurable()
      },
      (error: Error) => this.#options.onFailure(error),
    )
  }

  /** Calls back when the batch is durable, or when it never will be. */
  await(gate: number, done: (isDurable: boolean) => void): void {
    if (gate <= this.#durable) done(true)
    else if (this.#isOver) done(false)
    else this.#waiters.push({ gate, done })
  }

  whenDurable(gate: number): Promise<boolean> {
    return new Promise((resolve) => this.await(gate, resolve))
  }

  /** Stops all writing. */
  end(): void {
    this.#isOver = true
    this.#cancelLazyFlush?.()
    const waiters = this.#waiters
    this.#waiters = []
    for (const { done } of waiters) done(false)
  }

  #stored(batch: number, nextSeq: number): void {
    this.#durable = batch
    this.#durableBelow = nextSeq
    if (this.#waiters.length === 0) return
    const waiters = this.#waiters
    this.#waiters = waiters.filter(({ gate }) => gate > batch)
    for (const { gate, done } of waiters) if (gate <= batch) done(true)
  }

  #flushLater(): void {
    if (this.#isOver) return
    this.#cancelLazyFlush ??= this.#options.platform.setTimer(() => {
      this.#cancelLazyFlush = undefined
      this.flush()
      this.#options.onFlushDue()
    }, this.#options.lazyFlushMs)
  }
}
