import type { VirtualClock } from '@sluice/testing'
import type {
  Checker,
  Observation,
  ObservationBody,
  ObservationType,
  Surroundings,
  Violate,
  Violation,
} from './observation.ts'
import { StreamHash } from './stream-hash.ts'
import type { TaskTally } from './task-tally.ts'

export interface RecorderOptions {
  clock: VirtualClock
  surroundings: Surroundings
  checkers: readonly Checker[]
  isHashed: boolean
  /** Undefined: all. */
  only: ReadonlySet<ObservationType> | undefined
  tally: TaskTally
  onObservation: ((observation: Observation) => void) | undefined
}

/** Takes observations in order: adds the time, hashes and counts them, and passes them to the checkers. */
export class Recorder {
  readonly violations: Violation[] = []
  readonly counts: Record<string, number> = {}
  observations = 0
  /**
   * What a checker or a listener threw. It is kept for the world, because thrown here it would reach the product's
   * own code.
   */
  failure: { error: unknown } | undefined
  readonly #options: RecorderOptions
  readonly #hash = new StreamHash()

  constructor(options: RecorderOptions) {
    this.#options = options
  }

  get digest(): string {
    return this.#options.isHashed ? this.#hash.digest : ''
  }

  observe(body: ObservationBody): void {
    const { clock, surroundings, checkers, isHashed, only, tally, onObservation } = this.#options
    const observation = body as Observation
    tally.see(observation)
    if (only && !only.has(body.type)) return
    observation.atMs = clock.nowMs
    try {
      if (observation.type !== 'transition') {
        this.observations += 1
        this.counts[observation.type] = (this.counts[observation.type] ?? 0) + 1
        if (isHashed) this.#mix(observation)
        for (const checker of checkers) {
          checker.see(observation, surroundings, this.#violateBy(checker))
        }
      }
      onObservation?.(observation)
    } catch (error) {
      this.failure ??= { error }
    }
  }

  violate(rule: string, message: string, about: Violation['about'] = {}): void {
    this.violations.push({ rule, atMs: this.#options.clock.nowMs, message, about })
  }

  finish(): void {
    const { checkers, surroundings } = this.#options
    for (const checker of checkers) {
      checker.finish?.(surroundings, this.#violateBy(checker))
    }
  }

  #violateBy({ rule }: Checker): Violate {
    return (message, about, broken = rule) => this.violate(broken, message, about)
  }

  /** The scenario is left out: whether given as chance or as a script, the same run has the same hash. */
  #mix(observation: Observation): void {
    if (observation.type === 'worldStarted') {
      this.#hash.add(observation.seed)
    } else if ('message' in observation) {
      this.#hash.add(observation.type)
      this.#hash.add(observation.atMs)
      this.#hash.add(observation.node)
      this.#hash.add(observation.connection)
      this.#hash.addKnown(observation.message)
    } else {
      this.#hash.add(observation)
    }
  }
}
