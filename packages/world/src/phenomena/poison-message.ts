import type { Scenario } from '../scenario.ts'
import { calm } from './calm.ts'
import type { Phenomenon } from './phenomenon.ts'
import { submissionsOf } from './submission.ts'

const ATTEMPTS_MAX = 3
const bodyBytes = { kind: 'constant', value: 40 } as const

/** One task in twenty takes the worker that runs it down with it; a new worker is there soon. */
function scenario(name: string, attemptsMax: number): Scenario {
  const options = { retry: { kind: 'fixed', attemptsMax, delayMs: 0 } } as const
  return {
    ...calm,
    name,
    durationMs: 12_000,
    settleMs: 20_000,
    engine: { graceMs: 300 },
    producers: [
      {
        count: 1,
        arrivals: { kind: 'steady', rate: 5 },
        tasks: [
          { queue: 'healthy', weight: 19, bodyBytes, options },
          { queue: 'poison', weight: 1, bodyBytes, options },
        ],
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
  lesson: 'A task that kills whoever takes it goes round for ever unless its attempts are counted and bounded.',
  scenarios: {
    'three attempts': scenario('poison message, three attempts', ATTEMPTS_MAX),
    'attempts without end': scenario('poison message, attempts without end', 1000),
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
      what: 'poison tasks that are not dead letters in the end, with three attempts',
      over: 'eachSeed',
      figure: ({ 'three attempts': { poisonTasks, poisonDead } }) => poisonTasks - poisonDead,
      bound: { atMost: 0 },
    },
    {
      what: 'share of the healthy tasks that are done, with three attempts',
      over: 'eachSeed',
      figure: (runs) => runs['three attempts'].healthyDone,
      bound: { atLeast: 1 },
    },
    {
      what: 'runs of the most tried poison task, without end',
      over: 'mean',
      figure: (runs) => runs['attempts without end'].runsMax,
      bound: { atLeast: 10 * ATTEMPTS_MAX },
    },
  ],
}
