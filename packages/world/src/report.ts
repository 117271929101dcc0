import type { TimedFault } from './fault.ts'
import type { Violation } from './observation.ts'

/** The result of one run. */
export interface Report {
  seed: number
  scenario: string
  violations: readonly Violation[]
  /** The hash of the stream of observations. The same seed and scenario give the same one everywhere. */
  hash: string
  /** Every fault that happened, by chance or script. These as the script, with no rates, replay the run's faults. */
  faults: readonly TimedFault[]
  simulatedMs: number
  observations: number
  /** By observation type. */
  counts: Readonly<Record<string, number>>
  tasks: { submitted: number; accepted: number; succeeded: number; dead: number; cancelled: number }
}
