import type { Distribution, ProducerGroup, Scenario, WorkerGroup } from '@sluice/world'
import { quantile } from '@sluice/world/phenomena'
import { bodyBytes, exactly, scene } from '../lessons/scene.ts'
import type { Measured, TotalName } from './measured.ts'

/** One number of a scenario that a sweep changes. */
export interface Setting {
  name: string
  title: string
  unit: string
  /** Bounds of what can be asked for. */
  min: number
  max: number
  /** What is asked for at first. */
  from: number
  to: number
  /** Values are whole numbers. */
  isWhole: boolean
  /** Each value is the one before by a factor, not by a step. */
  isGeometric: boolean
  write(scenario: Scenario, value: number): Scenario
}

function eachProducer(scenario: Scenario, change: (group: ProducerGroup) => Partial<ProducerGroup>): Scenario {
  return { ...scenario, producers: scenario.producers.map((group) => ({ ...group, ...change(group) })) }
}

function eachWorker(scenario: Scenario, change: Partial<WorkerGroup>): Scenario {
  return { ...scenario, workers: scenario.workers.map((group) => ({ ...group, ...change })) }
}

function exponential(mean: number): Distribution {
  return { kind: 'exponential', mean }
}

export const settings: readonly Setting[] = [
  {
    name: 'rate',
    title: 'arrival rate',
    unit: 'tasks a second',
    min: 0.5,
    max: 60,
    from: 4,
    to: 16,
    isWhole: false,
    isGeometric: false,
    write: (scenario, rate) => {
      const producers = scenario.producers.reduce((sum, { count }) => sum + count, 0)
      return eachProducer(scenario, () => ({ arrivals: { kind: 'poisson', rate: rate / producers } }))
    },
  },
  {
    name: 'workers',
    title: 'number of workers',
    unit: 'workers',
    min: 1,
    max: 40,
    from: 1,
    to: 7,
    isWhole: true,
    isGeometric: false,
    write: (scenario, count) => eachWorker(scenario, { count }),
  },
  {
    name: 'concurrency',
    title: 'handlers at once in each worker',
    unit: 'handlers',
    min: 1,
    max: 40,
    from: 1,
    to: 7,
    isWhole: true,
    isGeometric: false,
    write: (scenario, concurrency) => eachWorker(scenario, { concurrency }),
  },
  {
    name: 'prefetch',
    title: 'tasks that a worker takes ahead',
    unit: 'tasks',
    min: 0,
    max: 200,
    from: 0,
    to: 30,
    isWhole: true,
    isGeometric: false,
    write: (scenario, prefetch) => eachWorker(scenario, { prefetch }),
  },
  {
    name: 'service',
    title: 'mean service time',
    unit: 'ms',
    min: 10,
    max: 10_000,
    from: 250,
    to: 1000,
    isWhole: true,
    isGeometric: false,
    write: (scenario, mean) => eachWorker(scenario, { service: { '*': { ms: exponential(mean) } } }),
  },
  {
    name: 'delay',
    title: 'network delay, one way',
    unit: 'ms',
    min: 0,
    max: 5000,
    from: 1,
    to: 600,
    isWhole: true,
    isGeometric: true,
    write: (scenario, ms) => ({ ...scenario, network: { ...scenario.network, delayMs: exactly(ms) } }),
  },
  {
    name: 'lease',
    title: 'lease',
    unit: 'ms',
    min: 500,
    max: 60_000,
    from: 1000,
    to: 16_000,
    isWhole: true,
    isGeometric: true,
    write: (scenario, leaseMs) =>
      eachProducer(scenario, ({ tasks }) => ({
        tasks: tasks.map((task) => ({ ...task, options: { ...task.options, leaseMs } })),
      })),
  },
  {
    name: 'bound',
    title: 'bound of the queue',
    unit: 'tasks',
    min: 1,
    max: 100_000,
    from: 1,
    to: 256,
    isWhole: true,
    isGeometric: true,
    write: (scenario, queueTasksMax) => ({ ...scenario, engine: { ...scenario.engine, queueTasksMax } }),
  },
]

const SHOP: Scenario = {
  ...scene,
  name: 'a shop',
  durationMs: 30_000,
  hosting: { heartbeatMs: 1000 },
  producers: [
    {
      count: 2,
      arrivals: { kind: 'poisson', rate: 4 },
      tasks: [{ queue: 'orders', weight: 1, bodyBytes, options: { leaseMs: 4000 } }],
      patienceMs: 2000,
      onBusy: 'giveUp',
    },
  ],
  workers: [{ count: 3, queues: ['orders'], concurrency: 2, prefetch: 1, service: { '*': { ms: exponential(500) } } }],
}

/** What a sweep starts from. */
export const scenes: readonly { name: string; title: string; text: string; scenario: Scenario }[] = [
  {
    name: 'calm',
    title: 'A calm shop',
    text: '8 orders a second, 3 workers with 2 handlers each, half a second of work for each order. A customer waits for two seconds.',
    scenario: SHOP,
  },
  {
    name: 'pause',
    title: 'A worker falls asleep',
    text: 'The same shop, but after 8 s one of the three workers stands still for ten seconds, with the orders that it has.',
    scenario: { ...SHOP, script: [{ atMs: 8000, fault: { type: 'pause', node: 'worker-1', forMs: 10_000 } }] },
  },
  {
    name: 'impatient',
    title: 'Impatient customers',
    text: 'The same shop, but a customer who has waited for two seconds orders again, up to three times.',
    scenario: {
      ...SHOP,
      producers: SHOP.producers.map((group) => ({ ...group, impatientRetriesMax: 3 })),
    },
  },
]

/** A sweep looks at each run up to here. */
export const SWEEP_UNTIL_MS = SHOP.durationMs

/**
 * So many values from the first to the last, or fewer if they are whole numbers that lie close together.
 * @throws RangeError naming what is out of bounds
 */
export function valuesOf(
  { title, min, max, isWhole, isGeometric }: Setting,
  from: number,
  to: number,
  count: number,
): number[] {
  if (!(from >= min && to <= max && from < to))
    throw new RangeError(`${title}: the first value must be below the last, and both from ${min} to ${max}`)
  const start = isGeometric ? Math.max(from, 1) : from
  const values = Array.from({ length: count }, (_, at) => {
    const share = at / (count - 1)
    const value = isGeometric ? start * (to / start) ** share : from + share * (to - from)
    return isWhole ? Math.round(value) : Number(value.toPrecision(3))
  })
  return [...new Set(values)]
}

export interface SweepAnswer {
  value: number
  seed: number
  totals: Measured['totals']
}

export interface Spread {
  value: number
  /** How many runs there are of it. */
  count: number
  /** NaN without any run. */
  median: number
  p10: number
  p90: number
}

/** The median and the band of one figure over the seeds, for each value. Runs in which it is not there do not count. */
export function spreadOf(values: readonly number[], answers: readonly SweepAnswer[], total: TotalName): Spread[] {
  return values.map((value) => {
    const own = answers.filter((answer) => answer.value === value).map(({ totals }) => totals[total])
    const figures = own.filter((figure) => !Number.isNaN(figure))
    return {
      value,
      count: figures.length,
      median: quantile(figures, 0.5),
      p10: quantile(figures, 0.1),
      p90: quantile(figures, 0.9),
    }
  })
}

/** Every run in one line, for a spreadsheet. */
export function csvOf({ name }: Setting, answers: readonly SweepAnswer[]): string {
  const totals = Object.keys(answers[0]?.totals ?? {}) as TotalName[]
  const rows = answers
    .toSorted((a, b) => a.value - b.value || a.seed - b.seed)
    .map(({ value, seed, totals: own }) => [
      value,
      seed,
      ...totals.map((total) => (Number.isNaN(own[total]) ? '' : own[total])),
    ])
  return [[name, 'seed', ...totals], ...rows].map((cells) => `${cells.join(',')}\r\n`).join('')
}
