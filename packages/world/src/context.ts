import type { VirtualClock } from '@sluice/testing'
import type { ObservationBody } from './observation.ts'
import type { RandomSource } from './random.ts'
import type { Scenario } from './scenario.ts'

/** What all parts of one world share. */
export interface Context {
  readonly clock: VirtualClock
  readonly random: RandomSource
  readonly scenario: Scenario
  readonly observe: (body: ObservationBody) => void
  /** Reports a defect of the product or of the world. No product code throws into the event loop. */
  readonly escaped: (node: string, error: unknown) => void
  /** Whether anything observes the wire. */
  readonly isWireWatched: boolean
  /** Whether the transitions of charts are observed. */
  readonly areTransitionsWatched: boolean
  /** Code of the product has run since this was last false, so promise callbacks may be waiting. */
  hasEntered: boolean
}

/** What wall clocks show when a world begins, unless a fault has set them: 2026-01-01 in UTC. */
export const WORLD_EPOCH_MS = 1_767_225_600_000

/**
 * Drawn times are multiples of this. Powers may differ in their last bit from one build of a JavaScript engine to
 * another, and sums of these multiples are exact.
 */
const GRAIN_MS = 1 / 8

/** The drawn time, rounded to a multiple of `GRAIN_MS`. */
export function grained(ms: number): number {
  return Math.round(ms / GRAIN_MS) * GRAIN_MS
}
