export { checkers } from './checkers/index.ts'
export { type Distribution, draw } from './distribution.ts'
export type { Fault, FaultRates, FaultType, TimedFault } from './fault.ts'
export { type Examination, type Explanation, examine, explain } from './fuzz/examine.ts'
export { Story } from './fuzz/story.ts'
export { swarm } from './fuzz/swarm.ts'
export { parseTrace, type Trace, traceHeader, traceLine } from './fuzz/trace.ts'
export type {
  Checker,
  Observation,
  ObservationOf,
  ObservationType,
  Surroundings,
  Violation,
} from './observation.ts'
export { phenomena } from './phenomena/index.ts'
export type { Bound, Expectation, Figures, Phenomenon, Runs } from './phenomena/phenomenon.ts'
export { type Finding, judge, meansOf, type Trial, tryOut } from './phenomena/trial.ts'
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
export { type RunOptions, runWorld } from './world.ts'
