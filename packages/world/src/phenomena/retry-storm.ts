import type { ProducerGroup, Scenario } from '../scenario.ts'
import { calm } from './calm.ts'
import type { Phenomenon } from './phenomenon.ts'
import { submissionsOf } from './submission.ts'

type BackOff = ProducerGroup['impatientBackOff']

/** A worker that can do 10 tasks a second stands still for a while; users wait a second each before they try again. */
function scenario(name: string, impatientBackOff: BackOff): Scenario {
  return {
    ...calm,
    name,
    durationMs: 8000,
    settleMs: 3000,
    producers: [
      {
        count: 1,
        arrivals: { kind: 'poisson', rate: 8 },
        tasks: [{ queue: 'orders', weight: 1, bodyBytes: { kind: 'constant', value: 40 } }],
        patienceMs: 1000,
        impatientRetriesMax: 3,
        impatientBackOff,
      },
    ],
    workers: [
      { count: 1, queues: ['orders'], concurrency: 1, service: { '*': { ms: { kind: 'constant', value: 100 } } } },
    ],
    script: [{ atMs: 2000, fault: { type: 'pause', node: 'worker-1', forMs: 2000 } }],
  }
}

export const retryStorm: Phenomenon<'at once' | 'budget', 'amplification' | 'wishes'> = {
  name: 'retry storm',
  lesson:
    'Users who try again at once turn a short delay into several times the load; a retry budget caps what they add.',
  setting:
    'One worker does 10 tasks a second and stands still for 2 s; 8 tasks a second arrive at random; users wait 1 s for a result and try again up to 3 times, at once or within a budget of one retry for ten first tries.',
  scenarios: {
    'at once': scenario('retry storm, at once', { kind: 'none' }),
    budget: scenario('retry storm, budget', { kind: 'budget', ratio: 0.1 }),
  },
  figures: {
    amplification: 'submissions for each wish',
    wishes: 'wishes',
  },
  looksAt: ['submitting'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const wishes = submissions.filter(({ attempt }) => attempt === 1).length
    return { amplification: submissions.length / wishes, wishes }
  },
  expectations: [
    {
      what: 'submissions for each wish, trying again at once',
      over: 'eachSeed',
      figure: (runs) => runs['at once'].amplification,
      bound: { atLeast: 2 },
    },
    {
      what: 'submissions for each wish, within a budget',
      over: 'eachSeed',
      figure: (runs) => runs.budget.amplification,
      bound: { atMost: 1.2 },
    },
  ],
}
