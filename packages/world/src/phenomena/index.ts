/**
 * What queues do, each shown by runs that differ in one respect, and what their measures are made of.
 * @module @sluice/world/phenomena
 */
import { headOfLineBlocking } from './head-of-line-blocking.ts'
import { leaseExpiry } from './lease-expiry.ts'
import { littlesLaw } from './littles-law.ts'
import { metastableFailure } from './metastable-failure.ts'
import { overload } from './overload.ts'
import type { Phenomenon } from './phenomenon.ts'
import { poisonMessage } from './poison-message.ts'
import { retryStorm } from './retry-storm.ts'
import { slowWorker } from './slow-worker.ts'
import { thunderingHerd } from './thundering-herd.ts'
import { tooMuchCredit } from './too-much-credit.ts'
import { waitingTime } from './waiting-time.ts'

export { type Fact, FactReader } from '../journal/facts.ts'
export { calm } from './calm.ts'
export { type ImpatientUsers, impatientUsers } from './impatient-users.ts'
export type { Bound, Expectation, Figures, Phenomenon, Runs } from './phenomenon.ts'
export { mean, quantile } from './quantile.ts'
export { latenciesOf, type Submission, submissionsOf, usefulOf } from './submission.ts'
export { type Finding, judge, meansOf, type Trial, tryOut } from './trial.ts'

export const phenomena: readonly Phenomenon[] = [
  retryStorm,
  metastableFailure,
  thunderingHerd,
  headOfLineBlocking,
  leaseExpiry,
  poisonMessage,
  overload,
  littlesLaw,
  waitingTime,
  slowWorker,
  tooMuchCredit,
]
