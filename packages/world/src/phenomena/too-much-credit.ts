import { FactReader } from '../journal/facts.ts'
import type { Scenario } from '../scenario.ts'
import { calm } from './calm.ts'
import type { Phenomenon } from './phenomenon.ts'
import { submissionsOf } from './submission.ts'

const TASKS = 120
const CRASH_AT_MS = 1000
const service = { '*': { ms: { kind: 'uniform', min: 80, max: 120 } } } as const

/** Many tasks at once, three workers and a slow one. One of the three crashes on the way. */
function scenario(name: string, prefetch: number): Scenario {
  return {
    ...calm,
    name,
    durationMs: 5000,
    engine: { graceMs: 500 },
    producers: [
      {
        count: 1,
        arrivals: { kind: 'burst', size: TASKS, everyMs: 200 },
        tasks: [{ queue: 'heap', weight: 1, bodyBytes: { kind: 'constant', value: 40 } }],
        tasksMax: TASKS,
      },
    ],
    workers: [
      { count: 3, queues: ['heap'], concurrency: 1, prefetch, service },
      { count: 1, queues: ['heap'], concurrency: 1, prefetch, service, speed: 0.25 },
    ],
    script: [{ atMs: CRASH_AT_MS, fault: { type: 'crash', node: 'worker-1', restartAfterMs: 1000 } }],
  }
}

export const tooMuchCredit: Phenomenon<'prefetch 1' | 'prefetch 29', 'makespanMs' | 'redeliveries' | 'done'> = {
  name: 'too much credit',
  lesson:
    'A worker that takes more tasks than it can do soon keeps them from free workers. If it crashes, all of them are delayed.',
  setting:
    '120 tasks of about 100 ms arrive at once. There are three workers, and a fourth that is four times as slow, with one handler each. One of the three crashes after 1 s and is back 1 s later.',
  scenarios: { 'prefetch 1': scenario('too much credit, 1', 1), 'prefetch 29': scenario('too much credit, 29', 29) },
  figures: {
    makespanMs: 'time for all tasks in ms',
    redeliveries: 'tasks delivered again',
    done: 'tasks done',
  },
  looksAt: ['submitting', 'accepted', 'outcome', 'appending'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const done = submissions.flatMap(({ succeededAtMs }) => (succeededAtMs === undefined ? [] : [succeededAtMs]))
    const facts = new FactReader()
    let deliveries = 0
    const delivered = new Set<string>()
    for (const observation of seen) {
      if (observation.type !== 'appending') continue
      for (const fact of facts.read(observation.events)) {
        if (fact.type !== 'leaseGranted') continue
        deliveries += 1
        delivered.add(fact.id)
      }
    }
    return {
      makespanMs: Math.max(...done) - Math.min(...submissions.map(({ submittedAtMs }) => submittedAtMs)),
      redeliveries: deliveries - delivered.size,
      done: done.length,
    }
  },
  expectations: [
    {
      what: 'time for all tasks with prefetch 29, as a multiple of that with prefetch 1',
      over: 'eachSeed',
      figure: (runs) => runs['prefetch 29'].makespanMs / runs['prefetch 1'].makespanMs,
      bound: { atLeast: 1.5 },
    },
    {
      what: 'tasks delivered again with prefetch 29, less those with prefetch 1',
      over: 'eachSeed',
      figure: (runs) => runs['prefetch 29'].redeliveries - runs['prefetch 1'].redeliveries,
      bound: { atLeast: 10 },
    },
    {
      what: 'tasks that are never done',
      over: 'eachSeed',
      figure: (runs) => 2 * TASKS - runs['prefetch 1'].done - runs['prefetch 29'].done,
      bound: { atMost: 0 },
    },
  ],
}
