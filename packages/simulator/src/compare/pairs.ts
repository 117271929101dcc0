import type { Scenario } from '@sluice/world'
import { phenomena } from '@sluice/world/phenomena'
import type { Plan } from '../engine/run.ts'
import { bodyBytes, exactly, MESSAGE_MS, scene } from '../lessons/scene.ts'
import type { SeriesName, TotalName } from './measured.ts'

/** Two runs that differ in one respect: the same arrivals, the same seed. */
export interface Pair {
  /** For addresses. */
  name: string
  title: string
  /** What to look at, in one or two sentences. */
  text: string
  /** Each label completes “with …”. */
  runs: readonly [{ label: string; plan: Plan }, { label: string; plan: Plan }]
  untilMs: number
  /** Simulated ms in one ms of a watch. */
  speed: number
  /** The lines that show the difference best, the best one first. */
  shows: readonly SeriesName[]
  /** The numbers that say it in words. */
  says: readonly TotalName[]
}

/** The variants of a phenomenon, slow enough on the wire to be seen. */
function variant(
  phenomenon: string,
  name: string,
  change: (scenario: Scenario) => Partial<Scenario> = () => ({}),
): Scenario {
  const scenario = phenomena.find((one) => one.name === phenomenon)?.scenarios[name]
  if (scenario === undefined) throw new RangeError(`${phenomenon} has no variant ${name}`)
  return { ...scenario, network: { delayMs: exactly(MESSAGE_MS) }, ...change(scenario) }
}

function planned(scenario: Scenario, seed: number): Plan {
  return { scenario, seed, changes: [] }
}

/** A result is useful for so long. Nobody tries again. */
function usefulFor(patienceMs: number): (scenario: Scenario) => Partial<Scenario> {
  return ({ producers }) => ({ producers: producers.map((group) => ({ ...group, patienceMs })) })
}

function powerLoss(durability: 'strict' | 'relaxed'): Scenario {
  return {
    ...scene,
    name: `power loss, ${durability}`,
    durationMs: 26_000,
    settleMs: 10_000,
    hosting: { heartbeatMs: 500 },
    journal: { appendMs: exactly(20), readMs: exactly(0), durability },
    producers: [
      {
        count: 2,
        arrivals: { kind: 'poisson', rate: 2 },
        tasks: [{ queue: 'orders', weight: 1, bodyBytes }],
        tasksMax: 40,
      },
    ],
    workers: [{ count: 3, queues: ['orders'], concurrency: 1, prefetch: 0, service: { orders: { ms: exactly(600) } } }],
    script: [4000, 8000, 12_000, 16_000].map((atMs) => ({ atMs, fault: { type: 'powerLoss', restartAfterMs: 500 } })),
  }
}

const CLIENTS = 8

/** The clients lose their broker for eight seconds. */
function herd(drawsAlike: boolean): Scenario {
  return {
    ...scene,
    name: drawsAlike ? 'no jitter' : 'jitter',
    durationMs: 24_000,
    producers: [
      {
        count: CLIENTS,
        arrivals: { kind: 'poisson', rate: 0.4 },
        tasks: [{ queue: 'orders', weight: 1, bodyBytes }],
        drawsAlike,
      },
    ],
    workers: [{ count: 2, queues: ['orders'], concurrency: 2, service: { orders: { ms: exactly(300) } } }],
    script: [{ atMs: 3000, fault: { type: 'crash', node: 'broker', restartAfterMs: 8000 } }],
  }
}

export const pairs: readonly Pair[] = [
  {
    name: 'retries',
    title: 'Retries at once, or within a budget',
    text: 'A worker stands still for three seconds. Users who try again at once keep the system down for good. With a budget of one retry for ten first tries, it comes back.',
    runs: [
      { label: 'retries at once', plan: planned(variant('metastable failure', 'at once'), 2) },
      { label: 'a retry budget', plan: planned(variant('metastable failure', 'budget'), 2) },
    ],
    untilMs: 30_000,
    speed: 1,
    shows: ['useful', 'waiting', 'retries', 'p95Ms'],
    says: ['submissions', 'useful', 'waitingMax'],
  },
  {
    name: 'queue-bound',
    title: 'A queue without a bound, or a short one',
    text: 'Half as much again arrives as can be done, and a result is useful for half a second. A long queue serves everybody too late. A short one refuses some and serves the rest.',
    runs: [
      { label: 'no bound', plan: planned(variant('unbounded against bounded queue', 'unbounded', usefulFor(500)), 3) },
      {
        label: 'a bound of 4 tasks',
        plan: planned(variant('unbounded against bounded queue', 'bounded', usefulFor(500)), 3),
      },
    ],
    untilMs: 20_000,
    speed: 1,
    shows: ['useful', 'waiting', 'p95Ms', 'givenUp'],
    says: ['useful', 'p95Ms', 'givenUp'],
  },
  {
    name: 'prefetch',
    title: 'A worker takes many tasks, or one more',
    text: '120 tasks arrive at once, one of the workers is slow, and another one crashes. Tasks that a worker has taken and not begun are out of reach for all others.',
    runs: [
      {
        label: 'a prefetch of 29',
        plan: planned(
          variant('too much credit', 'prefetch 29', () => ({ durationMs: 14_000 })),
          1,
        ),
      },
      {
        label: 'a prefetch of 1',
        plan: planned(
          variant('too much credit', 'prefetch 1', () => ({ durationMs: 14_000 })),
          1,
        ),
      },
    ],
    untilMs: 14_000,
    speed: 0.3,
    shows: ['done', 'waiting', 'p95Ms', 'retries'],
    says: ['lastDoneMs', 'p95Ms'],
  },
  {
    name: 'credit',
    title: 'Tasks in turn, or where there is room',
    text: 'Four workers, and one of them is five times as slow. If tasks are dealt in turn, every fourth one waits for it. If workers ask for tasks, it gets only what it can do.',
    runs: [
      { label: 'round robin', plan: planned(variant('one slow worker of four', 'round robin'), 2) },
      { label: 'credit', plan: planned(variant('one slow worker of four', 'credit'), 2) },
    ],
    untilMs: 16_000,
    speed: 1,
    shows: ['waiting', 'p95Ms', 'done'],
    says: ['p95Ms', 'done', 'waitingMax'],
  },
  {
    name: 'power',
    title: 'A disk that is trusted, or waited for',
    text: 'The power fails four times. A relaxed journal says “accepted” before the disk is sure, so it forgets tasks that it had accepted. A strict one keeps its word.',
    runs: [
      { label: 'a relaxed journal', plan: planned(powerLoss('relaxed'), 1) },
      { label: 'a strict journal', plan: planned(powerLoss('strict'), 1) },
    ],
    untilMs: 26_000,
    speed: 1,
    shows: ['lost', 'done', 'waiting', 'p95Ms'],
    says: ['lost', 'done'],
  },
  {
    name: 'jitter',
    title: 'All at the same moment, or spread by chance',
    text: 'Eight clients lose their broker for eight seconds. Without jitter, all of them come back at the same moment. With it, each one waits for a time of its own.',
    runs: [
      { label: 'no jitter', plan: planned(herd(true), 1) },
      { label: 'full jitter', plan: planned(herd(false), 1) },
    ],
    untilMs: 24_000,
    speed: 1,
    shows: ['connections', 'done', 'waiting', 'p95Ms'],
    says: ['peakConnections', 'p95Ms'],
  },
]
