import type { Configuration, Scale } from '../bench.ts'
import type { Processes } from '../child.ts'
import type { Figure } from '../figure.ts'
import type { Scratch } from '../machine.ts'
import type { Site } from './site.ts'

/** What a trial has to work with. All of it is of this trial alone. */
export interface Ground {
  scale: Scale
  /** Rounds where a trial is repeated. */
  rounds: number
  /** How long a page is hidden, in ms. */
  hiddenMs: number
  /** Draws uniformly from [0, 1). */
  random: () => number
  processes: Processes
  scratch: Scratch
  site: Site
  say: (line: string) => void
}

export interface TrialResult {
  configuration: Configuration
  figures: Figure[]
  /** What went against a promise. */
  findings: string[]
  /** Why it was not made. Then there are no figures. */
  obstacle?: string
}

/** One way to treat the pages of a real browser. */
export interface Trial {
  name: string
  about: string
  run(ground: Ground): Promise<TrialResult>
}
