import { whatAQueueIsFor } from './01-what-a-queue-is-for/lesson.ts'
import { acknowledgementAndLease } from './02-acknowledgement-and-lease/lesson.ts'
import { leaseExpiryAndFencing } from './03-lease-expiry-and-fencing/lesson.ts'
import { retriesAndBudgets } from './04-retries-and-budgets/lesson.ts'
import { metastableFailure } from './05-metastable-failure/lesson.ts'
import { backPressure } from './06-back-pressure/lesson.ts'
import { creditAndPrefetch } from './07-credit-and-prefetch/lesson.ts'
import { utilisationAndLatency } from './08-utilisation-and-latency/lesson.ts'
import { littlesLaw } from './09-littles-law/lesson.ts'
import { headOfLineBlocking } from './10-head-of-line-blocking/lesson.ts'
import { poisonMessages } from './13-poison-messages/lesson.ts'
import { thunderingHerd } from './14-thundering-herd/lesson.ts'
import { offlineOutbox } from './15-offline-outbox/lesson.ts'
import { aSlowedTab } from './16-a-slowed-tab/lesson.ts'
import { creditOrRoundRobin } from './17-credit-or-round-robin/lesson.ts'
import { acceptedMeansDurable } from './18-accepted-means-durable/lesson.ts'
import { exactlyOnce } from './19-exactly-once/lesson.ts'
import type { Lesson } from './lesson.ts'

/** All lessons, in the order in which they are best read. */
export const lessons: readonly Lesson[] = [
  whatAQueueIsFor,
  acknowledgementAndLease,
  leaseExpiryAndFencing,
  retriesAndBudgets,
  metastableFailure,
  backPressure,
  creditAndPrefetch,
  utilisationAndLatency,
  littlesLaw,
  headOfLineBlocking,
  poisonMessages,
  thunderingHerd,
  offlineOutbox,
  aSlowedTab,
  creditOrRoundRobin,
  acceptedMeansDurable,
  exactlyOnce,
]
