import type { Observation } from '../observation.ts'
import type { Scenario } from '../scenario.ts'
import { calm } from './calm.ts'
import type { Expectation, Phenomenon } from './phenomenon.ts'
import { mean } from './quantile.ts'

const SERVICE_MS = 1000
/** A queue that starts empty needs a while until it is as full as it will be. */
const FIRST_TASKS = 50

/** One server, random arrivals, and random service times. */
function scenario(load: number, tasks: number): Scenario {
  return {
    ...calm,
    name: `waiting time at load ${load}`,
    durationMs: (tasks * SERVICE_MS) / load,
    engine: { queueResultsMax: 10 },
    hosting: { heartbeatMs: 60_000, lazyFlushMs: 60_000, compactEveryMs: 600_000 },
    network: { delayMs: { kind: 'constant', value: 0.25 }, pingEveryMs: 600_000 },
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

interface Job {
  submittedAtMs: number
  startedAtMs: number
  endedAtMs: number
}

function jobsOf(seen: readonly Observation[]): Job[] {
  const jobs = new Map<string, Job>()
  for (const { type, atMs, ...rest } of seen) {
    const { id } = rest as { id: string }
    const job = jobs.get(id)
    if (type === 'submitting') jobs.set(id, { submittedAtMs: atMs, startedAtMs: Number.NaN, endedAtMs: Number.NaN })
    else if (type === 'handlerStarted' && job) job.startedAtMs = atMs
    else if (type === 'handlerEnded' && job) job.endedAtMs = atMs
  }
  return [...jobs.values()]
}

/** How long the same tasks would wait for a server without any network, broker or worker around it. */
function idealWaitsMs(jobs: readonly Job[]): number[] {
  let freeAtMs = 0
  return jobs.map(({ submittedAtMs, startedAtMs, endedAtMs }) => {
    const waitMs = Math.max(0, freeAtMs - submittedAtMs)
    freeAtMs = submittedAtMs + waitMs + (endedAtMs - startedAtMs)
    return waitMs
  })
}

/** For the M/M/1 queue: load / (1 − load) service times. */
function theoryMs(load: number): number {
  return (load / (1 - load)) * SERVICE_MS
}

type Load = 'load 0.5' | 'load 0.8'
type Figure = 'waitedMs' | 'idealMs' | 'tasks'

/**
 * The mean of a hundred thousand waits is still off by a percent or two by chance alone. It is known how far chance
 * took the ideal server from the theory, and that can be subtracted (a control variate). What is left is what the
 * product adds.
 */
function asTheorySays(variant: Load, load: number): Expectation<Load, Figure>[] {
  const theory = theoryMs(load)
  const what = `mean wait at ${variant} as a multiple of the theory's ${theory.toFixed(0)} ms`
  const bound = { atLeast: 0.95, atMost: 1.05 }
  return [
    { what, over: 'mean', seedsMin: 100, figure: (runs) => runs[variant].waitedMs / theory, bound },
    {
      what: `${what}, corrected for chance`,
      over: 'mean',
      figure: (runs) => (runs[variant].waitedMs - runs[variant].idealMs + theory) / theory,
      bound,
    },
    {
      what: `mean wait at ${variant} as a multiple of an ideal server's with the same tasks`,
      over: 'eachSeed',
      figure: (runs) => runs[variant].waitedMs / runs[variant].idealMs,
      bound,
    },
  ]
}

/** The M/M/1 queue, with this many tasks a run. */
export function waitingTimeOver(tasks: Record<Load, number>): Phenomenon<Load, Figure> {
  return {
    name: 'waiting time and load',
    lesson:
      'The wait grows with the load divided by the free share of capacity. Tasks wait four times as long at 80 % load as at 50 %.',
    setting:
      'This is the M/M/1 queue: random arrivals, exponential service times with a mean of 1 s, one worker with one handler. The first 50 tasks of a run are left out. By chance alone, the mean over 100 seeds is off by 1.5 % (one standard error).',
    scenarios: { 'load 0.5': scenario(0.5, tasks['load 0.5']), 'load 0.8': scenario(0.8, tasks['load 0.8']) },
    figures: {
      waitedMs: 'mean wait in ms',
      idealMs: "an ideal server's mean wait in ms",
      tasks: 'tasks',
    },
    looksAt: ['submitting', 'handlerStarted', 'handlerEnded'],
    measure(seen) {
      const jobs = jobsOf(seen)
      const waits = jobs.map(({ submittedAtMs, startedAtMs }) => startedAtMs - submittedAtMs)
      return {
        waitedMs: mean(waits.slice(FIRST_TASKS)),
        idealMs: mean(idealWaitsMs(jobs).slice(FIRST_TASKS)),
        tasks: jobs.length,
      }
    },
    expectations: [...asTheorySays('load 0.5', 0.5), ...asTheorySays('load 0.8', 0.8)],
  }
}

/** This many tasks: chance alone takes the mean over 100 seeds past 5 % once in a thousand times. */
export const waitingTime = waitingTimeOver({ 'load 0.5': 1300, 'load 0.8': 5000 })
