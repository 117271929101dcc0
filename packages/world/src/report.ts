import type { TimedFault } from './fault.ts'
import type { Violation } from './observation.ts'

/** What became of one run. */
export interface Report {
  seed: number
  scenario: string
  violations: readonly Violation[]
  /** Of the stream of observations; the same seed and scenario give the same one everywhere. */
  hash: string
  /** Every fault that happened, chance or script: giving these as the script and no rates replays the run's faults. */
  faults: readonly TimedFault[]
  simulatedMs: number
  observations: number
  /** By observation type. */
  counts: Readonly<Record<string, number>>
  tasks: { submitted: number; accepted: number; succeeded: number; dead: number; cancelled: number }
}
