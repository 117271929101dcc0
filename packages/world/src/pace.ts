import type { Observation } from './observation.ts'

/** What a step goes on to. */
export type Wanted = 'event' | 'message' | 'transition' | ((observation: Observation) => boolean)

const MESSAGES: ReadonlySet<string> = new Set(['sentToBroker', 'sentByBroker', 'heardByBroker', 'heardByNode'])

/** How far a world may go before it rests. */
interface Goal {
  untilMs: number
  wanted: Wanted | undefined
  isMet: boolean
  reached: () => void
}

/** Holds a world back between two deadlines, without a deadline of its own. */
export class Pace {
  #goal: Goal = { untilMs: Number.NEGATIVE_INFINITY, wanted: undefined, isMet: false, reached: () => {} }
  #resume: (() => void) | undefined

  /** Lets the world go on. Resolves when it rests again. */
  go(untilMs: number, wanted?: Wanted): Promise<void> {
    return new Promise((reached) => {
      this.#goal = { untilMs, wanted, isMet: false, reached }
      this.#resume?.()
    })
  }

  get untilMs(): number {
    return this.#goal.untilMs
  }

  get isMet(): boolean {
    return this.#goal.isMet
  }

  see(observation: Observation): void {
    const { wanted } = this.#goal
    if (wanted === undefined || wanted === 'event') return
    if (wanted === 'message') this.#goal.isMet ||= MESSAGES.has(observation.type)
    else if (wanted === 'transition') this.#goal.isMet ||= observation.type === wanted
    else this.#goal.isMet ||= wanted(observation)
  }

  /** A deadline has passed. */
  passed(): void {
    if (this.#goal.wanted === 'event') this.#goal.isMet = true
  }

  /** Whether the next deadline must wait. */
  holds(nextAtMs: number): boolean {
    return this.#goal.isMet || nextAtMs > this.#goal.untilMs
  }

  /** Resolves when the world may go on. */
  rest(): Promise<void> {
    const { reached } = this.#goal
    return new Promise((resolve) => {
      this.#resume = resolve
      reached()
    })
  }
}
