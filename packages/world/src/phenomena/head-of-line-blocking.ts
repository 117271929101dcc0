import type { Observation } from '../observation.ts'
import type { Scenario, TaskMix, WorkerGroup } from '../scenario.ts'
import { calm } from './calm.ts'
import type { Phenomenon } from './phenomenon.ts'
import { mean, quantile } from './quantile.ts'
import { latenciesOf, submissionsOf } from './submission.ts'

const SHORT_MS = 20
const LONG_MS = 1000
const LONG_SHARE = 0.1
const bodyBytes = { kind: 'constant', value: 40 } as const

function scenario(name: string, tasks: readonly TaskMix[], workers: readonly WorkerGroup[]): Scenario {
  return {
    ...calm,
    name,
    durationMs: 15_000,
    producers: [{ count: 1, arrivals: { kind: 'poisson', rate: 8 }, tasks }],
    workers,
  }
}

/** Judged by how long the handlers took: if both kinds share a queue, only the handlers know which is which. */
function shortTasksOf(seen: readonly Observation[]): Set<string> {
  const startedAtMs = new Map<number, number>()
  const short = new Set<string>()
  for (const observation of seen) {
    if (observation.type === 'handlerStarted') startedAtMs.set(observation.run, observation.atMs)
    else if (observation.type === 'handlerEnded') {
      const tookMs = observation.atMs - (startedAtMs.get(observation.run) ?? 0)
      if (tookMs < LONG_MS / 2) short.add(observation.id)
    }
  }
  return short
}

export const headOfLineBlocking: Phenomenon<'one queue' | 'a queue each', 'p95Ms' | 'meanMs' | 'shortTasks'> = {
  name: 'head-of-line blocking',
  lesson:
    'Short tasks behind long ones wait as if they were long themselves. A queue and a worker of their own free them.',
  setting:
    '8 tasks a second arrive at random. A tenth of them take 1 s, the others 20 ms. There are two workers with one handler each: both serve one queue, or each serves its own.',
  scenarios: {
    'one queue': scenario(
      'head-of-line blocking, one queue',
      [{ queue: 'all', weight: 1, bodyBytes }],
      [
        {
          count: 2,
          queues: ['all'],
          concurrency: 1,
          prefetch: 0,
          service: { '*': { ms: { kind: 'bimodal', fast: SHORT_MS, slow: LONG_MS, share: LONG_SHARE } } },
        },
      ],
    ),
    'a queue each': scenario(
      'head-of-line blocking, a queue each',
      [
        { queue: 'short', weight: 1 - LONG_SHARE, bodyBytes },
        { queue: 'long', weight: LONG_SHARE, bodyBytes },
      ],
      [
        {
          count: 1,
          queues: ['short'],
          concurrency: 1,
          prefetch: 0,
          service: { '*': { ms: { kind: 'constant', value: SHORT_MS } } },
        },
        {
          count: 1,
          queues: ['long'],
          concurrency: 1,
          prefetch: 0,
          service: { '*': { ms: { kind: 'constant', value: LONG_MS } } },
        },
      ],
    ),
  },
  figures: {
    p95Ms: 'p95 latency of short tasks in ms',
    meanMs: 'their mean latency in ms',
    shortTasks: 'short tasks',
  },
  looksAt: ['submitting', 'accepted', 'outcome', 'handlerStarted', 'handlerEnded'],
  measure(seen) {
    const short = shortTasksOf(seen)
    const latencies = latenciesOf(submissionsOf(seen).filter(({ id }) => short.has(id)))
    return { p95Ms: quantile(latencies, 0.95), meanMs: mean(latencies), shortTasks: latencies.length }
  },
  expectations: [
    {
      what: 'p95 latency of short tasks in one queue, as a multiple of that in a queue each',
      over: 'mean',
      figure: (runs) => runs['one queue'].p95Ms / runs['a queue each'].p95Ms,
      bound: { atLeast: 5 },
    },
    {
      what: 'mean latency of short tasks in one queue, as a multiple of that in a queue each',
      over: 'mean',
      figure: (runs) => runs['one queue'].meanMs / runs['a queue each'].meanMs,
      bound: { atLeast: 3 },
    },
  ],
}
