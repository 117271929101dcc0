import type { Scenario } from '../scenario.ts'
import type { Chronicle } from './chronicle.ts'
import type { Runs } from './runs.ts'
import type { Stores } from './stores.ts'
import type { Wire } from './wire.ts'

/** What the checkers of one run share: readings of the stream that each of them would otherwise make separately. */
export interface Sources {
  readonly scenario: Scenario
  readonly chronicle: Chronicle
  readonly wire: Wire
  readonly runs: Runs
  readonly stores: Stores
}
