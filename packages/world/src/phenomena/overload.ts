import type { Scenario } from '../scenario.ts'
import { calm } from './calm.ts'
import type { Phenomenon } from './phenomenon.ts'
import { submissionsOf, usefulOf } from './submission.ts'

const CAPACITY_PER_SECOND = 10
const USEFUL_MS = 500
const DURATION_MS = 20_000

/** One and a half times as much arrives as can be done, and a result is useful for half a second. */
function scenario(name: string, queueTasksMax: number): Scenario {
  return {
    ...calm,
    name,
    durationMs: DURATION_MS,
    settleMs: USEFUL_MS,
    engine: { queueTasksMax },
    producers: [
      {
        count: 1,
        arrivals: { kind: 'poisson', rate: 1.5 * CAPACITY_PER_SECOND },
        tasks: [{ queue: 'orders', weight: 1, bodyBytes: { kind: 'constant', value: 40 } }],
        onBusy: 'giveUp',
      },
    ],
    workers: [
      {
        count: 1,
        queues: ['orders'],
        concurrency: 1,
        prefetch: 1,
        service: { '*': { ms: { kind: 'constant', value: 1000 / CAPACITY_PER_SECOND } } },
      },
    ],
  }
}

export const overload: Phenomenon<'unbounded' | 'bounded', 'goodput' | 'goodputLate'> = {
  name: 'unbounded against bounded queue',
  lesson:
    'Under lasting overload, an unbounded queue makes every result too late to be useful. A short queue refuses the excess and serves the rest in time.',
  setting:
    'One worker does 10 tasks a second and 15 arrive at random. A result is useful for half a second. The queue holds a million tasks or 4, and refused tasks are given up.',
  scenarios: {
    unbounded: scenario('overload, unbounded', 1_000_000),
    bounded: scenario('overload, bounded', 4),
  },
  figures: {
    goodput: 'useful results as a share of capacity',
    goodputLate: '… in the second half',
  },
  looksAt: ['submitting', 'accepted', 'outcome'],
  measure(seen) {
    const useful = usefulOf(submissionsOf(seen), USEFUL_MS)
    function goodput(fromMs: number): number {
      const capacity = (CAPACITY_PER_SECOND * (DURATION_MS - fromMs)) / 1000
      const inTime = useful.filter(({ succeededAtMs }) => succeededAtMs >= fromMs && succeededAtMs < DURATION_MS)
      return inTime.length / capacity
    }
    return { goodput: goodput(0), goodputLate: goodput(DURATION_MS / 2) }
  },
  expectations: [
    {
      what: 'useful results as a share of capacity, bounded',
      over: 'eachSeed',
      figure: (runs) => runs.bounded.goodput,
      bound: { atLeast: 0.8 },
    },
    {
      what: 'useful results as a share of capacity, unbounded',
      over: 'mean',
      figure: (runs) => runs.unbounded.goodput,
      bound: { atMost: 0.3 },
    },
    {
      what: 'useful results as a share of capacity in the second half, unbounded',
      over: 'mean',
      figure: (runs) => runs.unbounded.goodputLate,
      bound: { atMost: 0.05 },
    },
  ],
}
