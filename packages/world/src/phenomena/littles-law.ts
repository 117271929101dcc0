import { FactReader } from '../journal/facts.ts'
import type { Observation } from '../observation.ts'
import { calm } from './calm.ts'
import type { Phenomenon } from './phenomenon.ts'
import { mean } from './quantile.ts'
import { latenciesOf, submissionsOf } from './submission.ts'

const DURATION_MS = 42_000
/** The queue is empty at first, which is not part of the law. */
const FROM_MS = 2000

/** The time average of the tasks that the broker held, from what its journal was given. */
function heldOnAverage(seen: readonly Observation[]): number {
  const facts = new FactReader()
  let held = 0
  let sum = 0
  let lastMs = FROM_MS
  const until = (atMs: number): void => {
    const nowMs = Math.min(Math.max(atMs, FROM_MS), DURATION_MS)
    sum += held * (nowMs - lastMs)
    lastMs = nowMs
  }
  for (const observation of seen) {
    if (observation.type !== 'appending') continue
    for (const { type } of facts.read(observation.events)) {
      if (type !== 'taskAccepted' && type !== 'taskSucceeded') continue
      until(observation.atMs)
      held += type === 'taskAccepted' ? 1 : -1
    }
  }
  until(DURATION_MS)
  return sum / (DURATION_MS - FROM_MS)
}

export const littlesLaw: Phenomenon<'poisson', 'held' | 'perSecond' | 'latencyMs'> = {
  name: "Little's law",
  lesson:
    'The mean number of tasks in a system is the arrival rate times the mean time that a task stays. Two of these figures give the third.',
  setting:
    'Two producers have 5 random arrivals a second each. Two workers take 20 to 200 ms for a task. What the broker holds is read from its journal; arrivals and latency are measured at the producers.',
  scenarios: {
    poisson: {
      ...calm,
      name: "Little's law",
      durationMs: DURATION_MS,
      network: { delayMs: { kind: 'constant', value: 0.25 } },
      producers: [
        {
          count: 2,
          arrivals: { kind: 'poisson', rate: 5 },
          tasks: [{ queue: 'orders', weight: 1, bodyBytes: { kind: 'constant', value: 40 } }],
        },
      ],
      workers: [
        {
          count: 2,
          queues: ['orders'],
          concurrency: 1,
          service: { '*': { ms: { kind: 'uniform', min: 20, max: 200 } } },
        },
      ],
    },
  },
  figures: {
    held: 'mean number of tasks that the broker holds',
    perSecond: 'arrivals a second',
    latencyMs: 'mean latency in ms',
  },
  looksAt: ['submitting', 'accepted', 'outcome', 'appending'],
  measure(seen) {
    const submissions = submissionsOf(seen).filter(
      ({ submittedAtMs }) => submittedAtMs >= FROM_MS && submittedAtMs < DURATION_MS,
    )
    return {
      held: heldOnAverage(seen),
      perSecond: (submissions.length * 1000) / (DURATION_MS - FROM_MS),
      latencyMs: mean(latenciesOf(submissions)),
    }
  },
  expectations: [
    {
      what: 'tasks that the broker holds, as a multiple of arrival rate times latency at the producers',
      over: 'eachSeed',
      figure: ({ poisson: { held, perSecond, latencyMs } }) => held / ((perSecond * latencyMs) / 1000),
      bound: { atLeast: 0.95, atMost: 1.05 },
    },
  ],
}
