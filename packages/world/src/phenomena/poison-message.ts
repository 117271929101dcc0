import type { Scenario } from '../scenario.ts'
import { calm } from './calm.ts'
import type { Phenomenon } from './phenomenon.ts'
import { submissionsOf } from './submission.ts'

const ATTEMPTS_MAX = 3
const bodyBytes = { kind: 'constant', value: 40 } as const

/** Two tasks among many crash the worker that runs them. A new worker starts soon. */
function scenario(name: string, attemptsMax: number): Scenario {
  const options = { retry: { kind: 'fixed', attemptsMax, delayMs: 0 } } as const
  return {
    ...calm,
    name,
    durationMs: 10_000,
    settleMs: 4000,
    engine: { graceMs: 300 },
    producers: [
      {
        count: 1,
        arrivals: { kind: 'poisson', rate: 4 },
        tasks: [{ queue: 'healthy', weight: 1, bodyBytes, options }],
      },
      {
        count: 1,
        arrivals: { kind: 'poisson', rate: 2 },
        tasks: [{ queue: 'poison', weight: 1, bodyBytes, options }],
        tasksMax: 2,
      },
    ],
    workers: [
      {
        count: 4,
        queues: ['healthy', 'poison'],
        concurrency: 1,
        prefetch: 0,
        service: {
          healthy: { ms: { kind: 'constant', value: 100 } },
          poison: { ms: { kind: 'constant', value: 50 }, crashes: 1 },
        },
      },
    ],
  }
}

export const poisonMessage: Phenomenon<
  'three attempts' | 'attempts without end',
  'runsMax' | 'poisonDead' | 'poisonTasks' | 'healthyDone'
> = {
  name: 'poison message',
  lesson: 'A task that kills its worker comes back for ever, unless its attempts are counted and bounded.',
  setting:
    'Two tasks crash the worker that runs them, and its supervisor starts the next one after 1 s. 4 healthy tasks a second arrive at random. There are four workers. Sessions are kept for 0.3 s.',
  scenarios: {
    'three attempts': scenario('poison message, three attempts', ATTEMPTS_MAX),
    'attempts without end': scenario('poison message, attempts without end', 1000),
  },
  figures: {
    runsMax: 'most runs of a poison task',
    poisonTasks: 'poison tasks',
    poisonDead: 'poison tasks that became dead letters',
    healthyDone: 'share of healthy tasks done',
  },
  looksAt: ['submitting', 'accepted', 'outcome', 'handlerStarted'],
  measure(seen) {
    const runs = new Map<string, number>()
    for (const observation of seen) {
      if (observation.type === 'handlerStarted' && observation.queue === 'poison')
        runs.set(observation.id, (runs.get(observation.id) ?? 0) + 1)
    }
    const submissions = submissionsOf(seen)
    const poison = submissions.filter(({ queue }) => queue === 'poison')
    const healthy = submissions.filter(({ queue }) => queue === 'healthy')
    return {
      runsMax: Math.max(0, ...runs.values()),
      poisonTasks: poison.length,
      poisonDead: poison.filter(({ deadAtMs }) => deadAtMs !== undefined).length,
      healthyDone: healthy.filter(({ succeededAtMs }) => succeededAtMs !== undefined).length / healthy.length,
    }
  },
  expectations: [
    {
      what: 'runs of any one poison task, with three attempts',
      over: 'eachSeed',
      figure: (runs) => runs['three attempts'].runsMax,
      bound: { atMost: ATTEMPTS_MAX },
    },
    {
      what: 'poison tasks that do not end as dead letters, with three attempts',
      over: 'eachSeed',
      figure: ({ 'three attempts': { poisonTasks, poisonDead } }) => poisonTasks - poisonDead,
      bound: { atMost: 0 },
    },
    {
      what: 'share of healthy tasks done, with three attempts',
      over: 'eachSeed',
      figure: (runs) => runs['three attempts'].healthyDone,
      bound: { atLeast: 1 },
    },
    {
      what: 'most runs of a poison task, attempts without end',
      over: 'mean',
      figure: (runs) => runs['attempts without end'].runsMax,
      // Each loss in a row is waited for twice as long.
      bound: { atLeast: ATTEMPTS_MAX + 1 },
    },
  ],
}
