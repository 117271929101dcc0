import { withAndWithoutBudget } from './impatient-users.ts'
import type { Phenomenon } from './phenomenon.ts'
import { submissionsOf } from './submission.ts'

export const retryStorm: Phenomenon<'at once' | 'budget', 'amplification' | 'wishes'> = {
  name: 'retry storm',
  lesson: 'Users who retry at once turn a short delay into several times the load. A retry budget caps what they add.',
  setting:
    'One worker does 20 tasks a second and pauses for 3 s. 16 tasks a second arrive at random. Users wait 1 s for a result and retry up to 3 times, at once or within a budget of one retry for ten first tries.',
  scenarios: withAndWithoutBudget('retry storm', {
    perSecond: 16,
    serviceMs: 50,
    triggerAtMs: 2000,
    triggerMs: 3000,
    durationMs: 8000,
    settleMs: 3000,
  }),
  figures: {
    amplification: 'submissions per request',
    wishes: 'requests',
  },
  looksAt: ['submitting'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const wishes = submissions.filter(({ attempt }) => attempt === 1).length
    return { amplification: submissions.length / wishes, wishes }
  },
  expectations: [
    {
      what: 'submissions per request, retrying at once',
      over: 'eachSeed',
      figure: (runs) => runs['at once'].amplification,
      bound: { atLeast: 2 },
    },
    {
      what: 'submissions per request, within a budget',
      over: 'eachSeed',
      figure: (runs) => runs.budget.amplification,
      bound: { atMost: 1.2 },
    },
  ],
}
