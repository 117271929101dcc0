import type { Scenario, TimedChange } from '@sluice/world'

/** Everything that makes a run: the same plan is the same run, on any machine. */
export interface Plan {
  scenario: Scenario
  seed: number
  changes: readonly TimedChange[]
}
