import type { ProducerGroup, Scenario, WorkerGroup } from '../scenario.ts'
import { calm } from './calm.ts'
import type { Phenomenon } from './phenomenon.ts'
import { quantile } from './quantile.ts'
import { latenciesOf, submissionsOf } from './submission.ts'

const bodyBytes = { kind: 'constant', value: 40 } as const
const service = { '*': { ms: { kind: 'constant', value: 100 } } } as const
/** One of the four is five times as slow as the others. */
const speeds = [1, 1, 1, 0.2]

function scenario(
  name: string,
  producer: Pick<ProducerGroup, 'tasks' | 'dealing'>,
  workers: readonly WorkerGroup[],
): Scenario {
  return {
    ...calm,
    name,
    durationMs: 16_000,
    producers: [{ count: 1, arrivals: { kind: 'poisson', rate: 12 }, ...producer }],
    workers,
  }
}

export const slowWorker: Phenomenon<'round robin' | 'credit', 'p99Ms' | 'p50Ms' | 'done'> = {
  name: 'one slow worker of four',
  lesson:
    'If tasks are assigned in turn, a quarter of them waits for the slow worker. If workers ask for tasks, the tasks go where there is room.',
  setting:
    '12 tasks of 100 ms arrive each second at random. There are four workers with one handler each, and one is five times as slow. Tasks go in turn to four queues, or workers take them from one queue when they have room.',
  scenarios: {
    'round robin': scenario(
      'slow worker, round robin',
      { tasks: speeds.map((_, at) => ({ queue: `turn-${at + 1}`, weight: 1, bodyBytes })), dealing: 'inTurn' },
      speeds.map((speed, at) => ({
        count: 1,
        queues: [`turn-${at + 1}`],
        concurrency: 1,
        prefetch: 0,
        service,
        speed,
      })),
    ),
    credit: scenario(
      'slow worker, credit',
      { tasks: [{ queue: 'all', weight: 1, bodyBytes }] },
      speeds.map((speed) => ({ count: 1, queues: ['all'], concurrency: 1, prefetch: 0, service, speed })),
    ),
  },
  figures: {
    p99Ms: 'p99 latency in ms',
    p50Ms: 'median latency in ms',
    done: 'tasks done',
  },
  looksAt: ['submitting', 'accepted', 'outcome'],
  measure(seen) {
    const latencies = latenciesOf(submissionsOf(seen))
    return { p99Ms: quantile(latencies, 0.99), p50Ms: quantile(latencies, 0.5), done: latencies.length }
  },
  expectations: [
    {
      what: 'p99 latency with round robin, as a multiple of that with credit',
      over: 'eachSeed',
      figure: (runs) => runs['round robin'].p99Ms / runs.credit.p99Ms,
      bound: { atLeast: 3 },
    },
  ],
}
