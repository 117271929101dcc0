import type { Experiment } from '../src/fuzz/shrink.ts'

/** A world in which a bug was found that is mended now. */
export interface Pinned extends Experiment {
  /** What was wrong. */
  name: string
}

export const pinned: readonly Pinned[] = []
