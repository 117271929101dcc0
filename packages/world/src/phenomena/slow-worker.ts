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
    'Dealt out in turn, a quarter of the tasks waits for the slow worker; given to whoever has asked for one, they go where there is room.',
  setting:
    '12 tasks of 100 ms a second arrive at random for four workers with one handler each, one of them five times as slow; dealt in turn to four queues, or taken from one queue as each worker has room.',
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
      what: 'how many times lower the p99 latency is with credit',
      over: 'eachSeed',
      figure: (runs) => runs['round robin'].p99Ms / runs.credit.p99Ms,
      bound: { atLeast: 3 },
    },
  ],
}
