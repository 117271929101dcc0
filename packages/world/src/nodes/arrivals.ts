import { grained } from '../context.ts'
import { draw } from '../distribution.ts'
import type { RandomStream } from '../random.ts'
import type { Arrivals } from '../scenario.ts'

export interface ArrivalOptions {
  arrivals: Arrivals
  random: RandomStream
  /** Of the scenario. */
  durationMs: number
  /** World time. */
  nowMs: () => number
  setTimer: (fn: () => void, ms: number) => () => void
  /** Someone wants a task done. Returns false when no more will ever be wanted. */
  wish: () => boolean
}

/** Makes wishes arrive as a scenario says, from now on and as long as the timers of its process run. */
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

  /**
   * @param share how much of a wish must accumulate before there is one; the first one is under way when a process
   * starts
   */
  #next(share = 1): void {
    const gapMs = this.#gapMs(share)
    if (gapMs === Number.POSITIVE_INFINITY) return
    this.#later(gapMs, () => {
      this.#one()
      this.#next()
    })
  }

  #gapMs(share: number): number {
    const { arrivals, random, nowMs, durationMs } = this.#options
    switch (arrivals.kind) {
      case 'steady':
        return (share * 1000) / arrivals.rate
      case 'poisson':
        return share * random.exponential(1000 / arrivals.rate)
      case 'ramp': {
        // The time until the area under the rate, which changes meanwhile, is `share`.
        const { from, to } = arrivals
        const growth = ((to - from) * 1000) / durationMs
        const rate = from + (growth * nowMs()) / 1000
        const square = rate * rate + 2 * growth * share
        return square > 0 ? (2000 * share) / (rate + Math.sqrt(square)) : Number.POSITIVE_INFINITY
      }
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
