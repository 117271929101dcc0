/**
 * The simulated world: the product's own code under virtual time. Checkers, fuzzing, phenomena and traces have faces of
 * their own, so that a page that shows a world loads none of them.
 * @module @sluice/world
 */
export type { Change, TimedChange } from './change.ts'
export { type Distribution, draw, meanOf } from './distribution.ts'
export { FAULT_TYPES, type Fault, type FaultRates, type FaultType, type TimedFault } from './fault.ts'
export { faultText } from './fault-text.ts'
export type {
  Checker,
  Observation,
  ObservationOf,
  ObservationType,
  Surroundings,
  Violation,
} from './observation.ts'
export type { Wanted } from './pace.ts'
export { RandomSource, RandomStream } from './random.ts'
export type { Report } from './report.ts'
export type {
  Arrivals,
  BrowserGroup,
  Falsehood,
  JournalProfile,
  Misdeed,
  NetworkProfile,
  OperatorProfile,
  ProducerGroup,
  Scenario,
  Service,
  TaskMix,
  WorkerGroup,
} from './scenario.ts'
export { defaultScenario } from './scenarios/default.ts'
export { openWorld, type Phase, type RunOptions, runWorld, type World } from './world.ts'
