import type { VirtualClock } from '@sluice/testing'
import type { ObservationBody } from './observation.ts'
import type { RandomSource } from './random.ts'
import type { Scenario } from './scenario.ts'

/** What everything in one world shares. */
export interface Context {
  readonly clock: VirtualClock
  readonly random: RandomSource
  readonly scenario: Scenario
  readonly observe: (body: ObservationBody) => void
  /** A defect of the product, or of the world: no product code throws into the event loop. */
  readonly escaped: (node: string, error: unknown) => void
  /** Whether anybody looks at what passes on the wire. */
  readonly isWireWatched: boolean
  /** Code of the product has run since this was last false, so that promise callbacks may wait. */
  hasEntered: boolean
}

/** Wall clocks show this when a world begins, unless a fault has set them: 2026-01-01 in UTC. */
export const WORLD_EPOCH_MS = 1_767_225_600_000

/**
 * Times that are drawn are multiples of this: powers may differ in their last bit from one build of an engine to another, and sums
 * of these are exact.
 */
const GRAIN_MS = 1 / 8

/** The drawn time, to the grain. */
export function grained(ms: number): number {
  return Math.round(ms / GRAIN_MS) * GRAIN_MS
}
