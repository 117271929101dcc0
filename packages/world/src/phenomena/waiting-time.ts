import type { Scenario } from '../scenario.ts'
import { calm } from './calm.ts'
import type { Expectation, Phenomenon } from './phenomenon.ts'
import { mean } from './quantile.ts'

const SERVICE_MS = 1000
const TASKS = 2000
/** Begun empty, the queue needs a while until it is as full as it will be. */
const FIRST_TASKS = 300

/** One server, tasks at random, each as long as chance will have it. */
function scenario(load: number): Scenario {
  return {
    ...calm,
    name: `waiting time at load ${load}`,
    durationMs: (TASKS * SERVICE_MS) / load,
    settleMs: 1000,
    engine: { queueResultsMax: 10 },
    hosting: { heartbeatMs: 60_000, lazyFlushMs: 60_000, compactEveryMs: 600_000 },
    network: { delayMs: { kind: 'constant', value: 0.1 }, pingEveryMs: 600_000 },
    producers: [
      {
        count: 1,
        arrivals: { kind: 'poisson', rate: (load * 1000) / SERVICE_MS },
        tasks: [
          {
            queue: 'orders',
            weight: 1,
            bodyBytes: { kind: 'constant', value: 20 },
            options: { leaseMs: 600_000 },
          },
        ],
      },
    ],
    workers: [
      {
        count: 1,
        queues: ['orders'],
        concurrency: 1,
        prefetch: 1,
        service: { '*': { ms: { kind: 'exponential', mean: SERVICE_MS } } },
      },
    ],
  }
}

/** Of the M/M/1 queue: load / (1 − load) service times. */
function theoryMs(load: number): number {
  return (load / (1 - load)) * SERVICE_MS
}

type Load = 'load 0.5' | 'load 0.8'

function withinFivePercent(variant: Load, load: number): Expectation<Load, 'waitedMs' | 'tasks'>[] {
  const what = `mean wait at ${variant}, as a multiple of the theory's ${theoryMs(load).toFixed(0)} ms`
  const figure: Expectation<Load, 'waitedMs' | 'tasks'>['figure'] = (runs) => runs[variant].waitedMs / theoryMs(load)
  return [
    { what, over: 'mean', figure, bound: { atLeast: 0.95 } },
    { what, over: 'mean', figure, bound: { atMost: 1.05 } },
  ]
}

export const waitingTime: Phenomenon<Load, 'waitedMs' | 'tasks'> = {
  name: 'waiting time and load',
  lesson:
    'The wait grows with load divided by what is left free, so that a server at 80 % keeps its tasks waiting four times as long as one at 50 %.',
  scenarios: { 'load 0.5': scenario(0.5), 'load 0.8': scenario(0.8) },
  looksAt: ['submitting', 'handlerStarted'],
  measure(seen) {
    const submittedAtMs = new Map<string, number>()
    const waits: number[] = []
    for (const observation of seen) {
      if (observation.type === 'submitting') submittedAtMs.set(observation.id, observation.atMs)
      else if (observation.type === 'handlerStarted')
        waits.push(observation.atMs - (submittedAtMs.get(observation.id) ?? Number.NaN))
    }
    return { waitedMs: mean(waits.slice(FIRST_TASKS)), tasks: waits.length }
  },
  expectations: [...withinFivePercent('load 0.5', 0.5), ...withinFivePercent('load 0.8', 0.8)],
}
