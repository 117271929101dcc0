import { PATIENCE_MS, withAndWithoutBudget } from './impatient-users.ts'
import type { Phenomenon } from './phenomenon.ts'
import { submissionsOf, usefulOf } from './submission.ts'

const TRIGGER_AT_MS = 4000
const TRIGGER_MS = 3000
const END_OF_TRIGGER_MS = TRIGGER_AT_MS + TRIGGER_MS
/** The run is observed for this many times the length of the trigger. */
const SPANS = 10
const WATCHED_MS = SPANS * TRIGGER_MS

export const metastableFailure: Phenomenon<'at once' | 'budget', 'before' | 'after' | 'atLast'> = {
  name: 'metastable failure',
  lesson:
    'A short trigger can bring a system down, and its own retries can keep it down long after. With a retry budget it recovers.',
  setting:
    'One worker does 11 tasks a second and pauses once for 3 s. 7 tasks a second arrive at random. Users wait 1 s for a result and retry up to 3 times, at once or within a budget of one retry for ten first tries.',
  scenarios: withAndWithoutBudget('metastable failure', {
    perSecond: 7,
    serviceMs: 90,
    triggerAtMs: TRIGGER_AT_MS,
    triggerMs: TRIGGER_MS,
    durationMs: END_OF_TRIGGER_MS + WATCHED_MS,
    settleMs: PATIENCE_MS,
  }),
  figures: {
    before: 'requests answered in time before the trigger',
    after: '… in the best of ten periods of the same length after it',
    atLast: '… in the last quarter of these periods',
  },
  looksAt: ['submitting', 'accepted', 'outcome'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const met = new Set(usefulOf(submissions, PATIENCE_MS).map(({ wish }) => wish))
    /** The share of wishes of this period that were answered in time, by any submission. */
    function goodput(fromMs: number, untilMs: number): number {
      const wishes = submissions.filter(
        ({ attempt, submittedAtMs }) => attempt === 1 && submittedAtMs >= fromMs && submittedAtMs < untilMs,
      )
      return wishes.filter(({ wish }) => met.has(wish)).length / wishes.length
    }
    const endMs = END_OF_TRIGGER_MS + WATCHED_MS
    return {
      before: goodput(0, TRIGGER_AT_MS - PATIENCE_MS),
      after: Math.max(
        ...Array.from({ length: SPANS }, (_, at) =>
          goodput(END_OF_TRIGGER_MS + at * TRIGGER_MS, END_OF_TRIGGER_MS + (at + 1) * TRIGGER_MS),
        ),
      ),
      atLast: goodput(endMs - WATCHED_MS / 4, endMs),
    }
  },
  expectations: [
    {
      what: 'requests answered in time before the trigger',
      over: 'eachSeed',
      figure: (runs) => Math.min(runs['at once'].before, runs.budget.before),
      bound: { atLeast: 0.9 },
    },
    {
      what: 'requests answered in time in the best of the ten periods after the trigger, retrying at once',
      over: 'eachSeed',
      figure: (runs) => runs['at once'].after,
      bound: { atMost: 0.5 },
    },
    {
      what: 'requests answered in time in the last quarter of these periods, within a budget',
      over: 'eachSeed',
      figure: (runs) => runs.budget.atLast,
      bound: { atLeast: 0.9 },
    },
  ],
}
