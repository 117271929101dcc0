import { grained } from '../context.ts'
import { draw } from '../distribution.ts'
import type { RandomStream } from '../random.ts'
import type { Arrivals } from '../scenario.ts'

/** A rate of zero is looked at again after this long. */
const IDLE_MS = 1000

export interface ArrivalOptions {
  arrivals: Arrivals
  random: RandomStream
  /** Of the scenario. */
  durationMs: number
  /** World time. */
  nowMs: () => number
  setTimer: (fn: () => void, ms: number) => () => void
  /** Somebody wants a task done. Returns false when no more is wanted ever. */
  wish: () => boolean
}

/** Makes wishes arrive as a scenario says, from now on and for as long as the timers of its process run. */
export class ArrivalProcess {
  readonly #options: ArrivalOptions
  #isOver = false

  constructor(options: ArrivalOptions) {
    this.#options = options
  }

  /** @param inFlight wishes of an earlier life of the process that have no outcome yet */
  start(inFlight: number): void {
    const { arrivals, random } = this.#options
    switch (arrivals.kind) {
      case 'closedLoop':
        for (let i = inFlight; i < arrivals.inFlight; i += 1)
          this.#later(draw(arrivals.thinkMs, random), () => this.#one())
        return
      case 'burst':
        this.#burst(arrivals.size, arrivals.everyMs, random.next() * arrivals.everyMs)
        return
      default:
        this.#next(random.next())
    }
  }

  /** A wish has its answer, or will not have one. */
  answered(): void {
    const { arrivals, random } = this.#options
    if (arrivals.kind === 'closedLoop') this.#later(draw(arrivals.thinkMs, random), () => this.#one())
  }

  end(): void {
    this.#isOver = true
  }

  #next(share = 1): void {
    const gapMs = this.#gapMs() * share
    if (gapMs === Number.POSITIVE_INFINITY) {
      this.#later(IDLE_MS, () => this.#next())
      return
    }
    this.#later(gapMs, () => {
      this.#one()
      this.#next()
    })
  }

  #gapMs(): number {
    const { arrivals, random, nowMs, durationMs } = this.#options
    switch (arrivals.kind) {
      case 'steady':
        return 1000 / arrivals.rate
      case 'poisson':
        return random.exponential(1000 / arrivals.rate)
      case 'ramp':
        return 1000 / (arrivals.from + (arrivals.to - arrivals.from) * Math.min(1, nowMs() / durationMs))
      default:
        return Number.POSITIVE_INFINITY
    }
  }

  #burst(size: number, everyMs: number, afterMs: number): void {
    this.#later(afterMs, () => {
      for (let i = 0; i < size; i += 1) this.#one()
      this.#burst(size, everyMs, everyMs)
    })
  }

  #one(): void {
    if (!this.#options.wish()) this.#isOver = true
  }

  #later(ms: number, fn: () => void): void {
    this.#options.setTimer(() => {
      if (!this.#isOver && this.#options.nowMs() < this.#options.durationMs) fn()
    }, grained(ms))
  }
}
