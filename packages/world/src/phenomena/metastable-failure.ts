import type { ProducerGroup, Scenario } from '../scenario.ts'
import { calm } from './calm.ts'
import type { Phenomenon } from './phenomenon.ts'
import { submissionsOf, usefulOf } from './submission.ts'

const PATIENCE_MS = 1000
const TRIGGER_AT_MS = 4000
const TRIGGER_MS = 3000
const END_OF_TRIGGER_MS = TRIGGER_AT_MS + TRIGGER_MS
/** Ten times the trigger. */
const WATCHED_MS = 10 * TRIGGER_MS

function scenario(name: string, impatientBackOff: ProducerGroup['impatientBackOff']): Scenario {
  return {
    ...calm,
    name,
    durationMs: END_OF_TRIGGER_MS + WATCHED_MS,
    settleMs: PATIENCE_MS,
    producers: [
      {
        count: 1,
        arrivals: { kind: 'poisson', rate: 3.5 },
        tasks: [{ queue: 'orders', weight: 1, bodyBytes: { kind: 'constant', value: 40 } }],
        patienceMs: PATIENCE_MS,
        impatientRetriesMax: 3,
        impatientBackOff,
      },
    ],
    workers: [
      { count: 1, queues: ['orders'], concurrency: 1, service: { '*': { ms: { kind: 'constant', value: 180 } } } },
    ],
    script: [{ atMs: TRIGGER_AT_MS, fault: { type: 'pause', node: 'worker-1', forMs: TRIGGER_MS } }],
  }
}

/** Wishes of this span that were met in time, by whichever submission, as a share of all of them. */
export const metastableFailure: Phenomenon<'at once' | 'budget', 'before' | 'after' | 'atLast'> = {
  name: 'metastable failure',
  lesson:
    'A system that was brought down by a short trigger can stay down long after it, held there by its own retries; with a retry budget it comes back.',
  setting:
    'One worker does 5.6 tasks a second and stands still for 3 s, once; 3.5 tasks a second arrive at random; users wait 1 s for a result and try again up to 3 times, at once or within a budget of one retry for ten first tries.',
  scenarios: {
    'at once': scenario('metastable failure, at once', { kind: 'none' }),
    budget: scenario('metastable failure, budget', { kind: 'budget', ratio: 0.1 }),
  },
  figures: {
    before: 'wishes met in time before the trigger',
    after: '… in ten times its length after it',
    atLast: '… in the last quarter of that',
  },
  looksAt: ['submitting', 'accepted', 'outcome'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const useful = usefulOf(submissions, PATIENCE_MS)
    function goodput(fromMs: number, untilMs: number): number {
      const wishes = submissions.filter(
        ({ attempt, submittedAtMs }) => attempt === 1 && submittedAtMs >= fromMs && submittedAtMs < untilMs,
      ).length
      const met = useful.filter(({ submittedAtMs }) => submittedAtMs >= fromMs && submittedAtMs < untilMs)
      return met.length / wishes
    }
    const endMs = END_OF_TRIGGER_MS + WATCHED_MS
    return {
      before: goodput(0, TRIGGER_AT_MS - PATIENCE_MS),
      after: goodput(END_OF_TRIGGER_MS, endMs),
      atLast: goodput(endMs - WATCHED_MS / 4, endMs),
    }
  },
  expectations: [
    {
      what: 'wishes met in time before the trigger',
      over: 'mean',
      figure: (runs) => Math.min(runs['at once'].before, runs.budget.before),
      bound: { atLeast: 0.9 },
    },
    {
      what: 'wishes met in time over ten times the length of the trigger after it, trying again at once',
      over: 'eachSeed',
      figure: (runs) => runs['at once'].after,
      bound: { atMost: 0.5 },
    },
    {
      what: 'wishes met in time in the last quarter of that span, within a budget',
      over: 'mean',
      figure: (runs) => runs.budget.atLast,
      bound: { atLeast: 0.9 },
    },
  ],
}
