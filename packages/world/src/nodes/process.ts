import { type Context, grained, WORLD_EPOCH_MS } from '../context.ts'
import type { ObservationBody } from '../observation.ts'

/** Something that waits to run in a process: input, or a timer that is due. */
interface Entry {
  fn: (() => void) | null
  isTimer: boolean
  atMs: number
  cancel: () => void
}

/** What a process uses of the machine that it runs on. */
export interface Surroundings {
  /** What a fault has added to the machine's wall clock, in ms. */
  readonly clockOffsetMs: number
  /** How late everything is at the moment, in ms. */
  readonly lateMs: number
  /** World time until which nothing runs. */
  readonly resumesAtMs: number
}

/** A program that has left may have a timer of at most this length. */
const MOMENT_MS = 250

/**
 * One life of a program. Every call into it passes here. Once it has ended, nothing of it runs and nothing that it
 * does counts. While it is paused, input and timers wait; they come afterwards one by one, the timers first.
 */
export class Process {
  readonly node: string
  readonly incarnation: number
  readonly #context: Context
  readonly #machine: Surroundings
  readonly #startedAtMs: number
  readonly #startedWallMs: number
  readonly #timers = new Set<Entry>()
  readonly #programTimers = new Set<{ dueAtMs: number }>()
  #waiting: Entry[] = []
  #cancelPump: (() => void) | undefined
  #isAlive = true
  #wasPaused = false
  /** Told of an error that nothing in the program caught. */
  onUncaught: (error: unknown) => void = () => {}

  constructor(context: Context, node: string, incarnation: number, machine: Surroundings) {
    this.node = node
    this.incarnation = incarnation
    this.#context = context
    this.#machine = machine
    this.#startedAtMs = context.clock.nowMs
    this.#startedWallMs = this.epochMs()
  }

  get isAlive(): boolean {
    return this.#isAlive
  }

  /** Monotonic, from the start of the process. */
  now(): number {
    return this.#context.clock.nowMs - this.#startedAtMs
  }

  /** The machine's wall clock. */
  epochMs(): number {
    return WORLD_EPOCH_MS + this.#machine.clockOffsetMs + this.#context.clock.nowMs
  }

  /** The wall clock at the start of the process, and monotonic from then on. */
  steadyEpochMs(): number {
    return this.#startedWallMs + this.now()
  }

  /** Runs `fn` in this process: now, or as soon as the process is ready. */
  enter(fn: () => void): void {
    this.#arrive({ fn, isTimer: false, atMs: 0, cancel: ignore })
  }

  /** As runtimes do it: at least a millisecond. */
  setTimer(fn: () => void, ms: number): () => void {
    return this.#after(fn, Math.max(1, grained(ms)))
  }

  /** As `setTimer`, for the program that runs here; see `timersLeft`. */
  setProgramTimer(fn: () => void, ms: number): () => void {
    const timer = { dueAtMs: this.now() + ms }
    this.#programTimers.add(timer)
    const cancel = this.setTimer(() => {
      this.#programTimers.delete(timer)
      fn()
    }, ms)
    return () => {
      this.#programTimers.delete(timer)
      cancel()
    }
  }

  /** Timers that the program has set, has not cancelled, and that would keep it running for longer than a moment. */
  get timersLeft(): number {
    const untilMs = this.now() + MOMENT_MS
    return [...this.#programTimers].filter(({ dueAtMs }) => dueAtMs > untilMs).length
  }

  afterTurn(fn: () => void): void {
    this.#after(fn, 0)
  }

  /** Resolves later, or never if the process ends before. */
  sleep(ms: number): Promise<void> {
    return new Promise((resolve) => {
      this.setTimer(resolve, ms)
    })
  }

  observe(body: ObservationBody): void {
    if (this.#isAlive) this.#context.observe(body)
  }

  /** The machine has resumed, or is slower or faster than it was. */
  reschedule(): void {
    this.#cancelPump?.()
    this.#cancelPump = undefined
    this.#pump()
  }

  kill(): void {
    this.#isAlive = false
    for (const { cancel } of this.#timers) cancel()
    this.#timers.clear()
    this.#waiting = []
    this.#cancelPump?.()
    this.#cancelPump = undefined
  }

  #after(fn: () => void, ms: number): () => void {
    if (!this.#isAlive) return ignore
    const entry: Entry = { fn, isTimer: true, atMs: 0, cancel: ignore }
    entry.cancel = this.#context.clock.setTimer(() => {
      this.#timers.delete(entry)
      this.#arrive(entry)
    }, ms)
    this.#timers.add(entry)
    return () => {
      entry.fn = null
      entry.cancel()
      this.#timers.delete(entry)
    }
  }

  #arrive(entry: Entry): void {
    if (!this.#isAlive) return
    const { nowMs } = this.#context.clock
    const { lateMs, resumesAtMs } = this.#machine
    if (lateMs === 0 && resumesAtMs <= nowMs && this.#waiting.length === 0) {
      this.#run(entry)
      return
    }
    if (resumesAtMs > nowMs) this.#wasPaused = true
    entry.atMs = nowMs + lateMs
    this.#waiting.push(entry)
    this.#pump()
  }

  #pump(): void {
    const [first] = this.#waiting
    if (first === undefined || this.#cancelPump !== undefined) return
    const { clock } = this.#context
    const atMs = Math.max(first.atMs, this.#machine.resumesAtMs)
    this.#cancelPump = clock.setTimer(() => {
      this.#cancelPump = undefined
      if (this.#wasPaused) this.#timersFirst()
      const next = this.#waiting.shift()
      if (next) this.#run(next)
      this.#pump()
    }, atMs - clock.nowMs)
  }

  /** After a pause, an event loop looks at its timers before its sockets. */
  #timersFirst(): void {
    this.#wasPaused = false
    this.#waiting = [
      ...this.#waiting.filter(({ isTimer }) => isTimer),
      ...this.#waiting.filter(({ isTimer }) => !isTimer),
    ]
  }

  #run({ fn }: Entry): void {
    if (fn === null) return
    this.#context.hasEntered = true
    try {
      fn()
    } catch (error) {
      this.#context.escaped(this.node, error)
      this.onUncaught(error)
    }
  }
}

const ignore = (): void => {}
