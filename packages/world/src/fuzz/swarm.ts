import { DEFAULT_HOST_CONFIG } from '@sluice/broker/core'
import { DEFAULT_CONFIG, type EngineConfig } from '@sluice/engine'
import type { SubmitOptions } from '@sluice/protocol'
import type { Distribution } from '../distribution.ts'
import { BROWSER_FAULT_TYPES, FAULT_TYPES, type FaultRates, type FaultType } from '../fault.ts'
import { RandomSource, type RandomStream } from '../random.ts'
import type {
  Arrivals,
  Falsehood,
  JournalProfile,
  NetworkProfile,
  ProducerGroup,
  Scenario,
  Service,
  TaskMix,
  WorkerGroup,
} from '../scenario.ts'
import { browsed } from './browsers.ts'
import { maybe, present } from './draws.ts'
import { extreme } from './extremes.ts'
import { heartbeatOf, hostingOf } from './hosting.ts'
import { patient } from './patience.ts'

const QUEUES = ['mail', 'photos', 'reports']

const FALSEHOODS: readonly Falsehood[] = [
  'inventsLeases',
  'repeats',
  'neverBeats',
  'settlesLate',
  'resumesStrangers',
  'babbles',
]

/** Long enough for every retry, expiry and reconnection that the drawn figures allow. */
const SETTLE_MS = 600_000

/**
 * The experiment of a seed. A random few of all faults, bounds and habits are on, the others off, so that over many
 * seeds each meets every other one with little around them (Groce and others, "Swarm Testing", ISSTA 2012). Each
 * concern draws from its own stream, so one more draw in one leaves the others unchanged. The size is about a tenth
 * of a second of computing. Durations are short compared with the run, so that what may end does end.
 */
export function swarm(seed: number): Scenario {
  const source = new RandomSource(seed)
  const random = source.stream('swarm')
  const durationMs = random.pick([4000, 8000, 15_000, 30_000])
  const queues = QUEUES.slice(0, random.integer(1, QUEUES.length))
  const hosting = hostingOf(source.stream('swarm hosting'), queues)
  const bodyBytesMax = (hosting.limits ?? DEFAULT_HOST_CONFIG.limits).bodyBytesMax
  const hanging = queues.filter(() => random.chance(0.12))
  const isNarrow = hosting.sendBufferBytesHigh !== undefined
  // The answer to all of them at once must fit into the unsent bytes, or it is sent again and again.
  const tasksMax =
    random.chance(0.2) && !isNarrow ? TASKS_MANY : random.integer(10, isNarrow ? TASKS_FEW / 2 : TASKS_FEW)
  // However many they are, one slow worker finishes them long before the end.
  const serviceMsMax = Math.min(2000, durationMs / 5, 60_000 / tasksMax)
  const drawn = queues.flatMap((queue) =>
    mixesOf(source.stream(`swarm tasks ${queue}`), queue, hanging.includes(queue), bodyBytesMax),
  )
  const network = networkOf(source.stream('swarm network'), isNarrow)
  const journal = journalOf(source.stream('swarm journal'))
  const engine = engineOf(source.stream('swarm engine'), queues.length)
  const tasks = drawn.map((mix) => inTime(mix, tasksMax, engine.queueTasksMax))
  const scenario: Scenario = {
    name: `seed ${seed}`,
    durationMs,
    settleMs: SETTLE_MS,
    engine,
    hosting: { ...hosting, ...heartbeatOf(source.stream('swarm heartbeat'), network, journal) },
    journal,
    network,
    // A client that is told to wait comes back about a second later.
    producers: producersOf(source, tasks, durationMs, Math.min(tasksMax, 60 * (engine.queueTasksMax ?? tasksMax))),
    workers: workersOf(source, queues, hanging, serviceMsMax, bodyBytesMax),
    operator: operatorOf(source.stream('swarm operator')),
    faultRates: faultRatesOf(source.stream('swarm faults'), durationMs),
  }
  // What was not drawn is absent and not undefined, as in a file.
  return JSON.parse(JSON.stringify(browsed(seed, patient(extreme(seed, scenario))))) as Scenario
}

/**
 * A queue with room for few tasks holds those that wait for their delay. All of them must be through long before the
 * end.
 */
function inTime(mix: TaskMix, tasks: number, queueTasksMax = Number.POSITIVE_INFINITY): TaskMix {
  const { options } = mix
  if (options?.delayMs === undefined) return mix
  const delayMsMax = Math.floor((SETTLE_MS * queueTasksMax) / (3 * tasks))
  return { ...mix, options: { ...options, delayMs: Math.min(options.delayMs, delayMsMax) } }
}

function millis(random: RandomStream, mean: number): Distribution {
  return random.pick<() => Distribution>([
    () => ({ kind: 'constant', value: mean }),
    () => ({ kind: 'uniform', min: 0, max: 2 * mean }),
    () => ({ kind: 'exponential', mean }),
    () => ({ kind: 'pareto', min: mean / 3, shape: 1.5, max: 20 * mean }),
    () => ({ kind: 'bimodal', fast: mean / 2, slow: 10 * mean, share: 0.05 }),
  ])()
}

function engineOf(random: RandomStream, queues: number): Partial<EngineConfig> {
  const retryAfterMsMin = random.integer(1, 200)
  return present<Partial<EngineConfig>>({
    queueTasksMax: maybe(random, 0.25, () => random.integer(1, 20)),
    queueBytesMax: maybe(random, 0.1, () => random.integer(300, 5000)),
    queuesMax: maybe(random, 0.1, () => queues),
    queueHistoryBytesMax: maybe(random, 0.15, () => random.integer(1, 2000)),
    queueResultBytesMax: maybe(random, 0.1, () => random.integer(100, 3000)),
    queueResultsMax: maybe(random, 0.15, () => random.integer(1, 10)),
    queueDeadMax: maybe(random, 0.15, () => random.integer(1, 4)),
    sessionsMax: maybe(random, 0.1, () => random.integer(20, 30)),
    submitCredit: maybe(random, 0.2, () => random.integer(1, 10)),
    graceMs: maybe(random, 0.7, () => random.pick([1, 50, 500, 2000, 30_000])),
    deadTtlMs: maybe(random, 0.4, () => random.pick([300, 2000, 10_000])),
    releasesMax: maybe(random, 0.35, () => random.pick([1, 1, 3])),
    watchersMax: maybe(random, 0.15, () => 1),
    retryAfterMsMin: maybe(random, 0.2, () => retryAfterMsMin),
    retryAfterMsMax: maybe(
      random,
      0.2,
      () => Math.max(retryAfterMsMin, DEFAULT_CONFIG.retryAfterMsMin) + random.integer(0, 3000),
    ),
    defaults: maybe(random, 0.2, () => ({
      ...DEFAULT_CONFIG.defaults,
      priority: random.integer(0, 9),
      leaseMs: random.pick([500, 3000]),
      resultTtlMs: random.pick([1000, 20_000]),
    })),
  })
}

function operatorOf(random: RandomStream): Scenario['operator'] {
  if (random.chance(0.7)) return undefined
  return present<NonNullable<Scenario['operator']>>({
    redriveEveryMs: maybe(random, 0.7, () => random.pick([500, 3000])),
    submitEveryMs: maybe(random, 0.5, () => random.pick([300, 2000])),
    askEveryMs: maybe(random, 0.5, () => random.pick([200, 1500])),
  })
}

function journalOf(random: RandomStream): JournalProfile {
  return {
    appendMs: random.chance(0.4) ? { kind: 'constant', value: 0 } : millis(random, random.pick([0.5, 3, 20])),
    readMs: random.chance(0.5) ? { kind: 'constant', value: 0 } : millis(random, random.pick([0.5, 5])),
    isSynchronous: random.chance(0.6),
    durability: random.chance(0.15) ? 'relaxed' : 'strict',
  }
}

/** `isNarrow`: the broker looks at unsent bytes, and sees them only beyond what the kernel holds. */
function networkOf(random: RandomStream, isNarrow: boolean): NetworkProfile {
  return present<NetworkProfile>({
    delayMs: random.chance(0.15) ? { kind: 'constant', value: 0 } : millis(random, random.pick([0.5, 5, 40])),
    bytesPerSecond: maybe(random, 0.15, () => random.integer(100_000, 500_000)),
    windowBytes: maybe(random, isNarrow ? 1 : 0.15, () => random.integer(500, isNarrow ? 3000 : 20_000)),
    giveUpAfterMs: maybe(random, 0.5, () => random.integer(1000, 8000)),
    pingEveryMs: maybe(random, 0.5, () => random.integer(500, 5000)),
  })
}

function optionsOf(random: RandomStream, hangs: boolean): SubmitOptions | undefined {
  if (!hangs && random.chance(0.15)) return undefined
  return present<SubmitOptions>({
    priority: maybe(random, 0.3, () => random.integer(0, 9)),
    delayMs: maybe(random, 0.25, () => random.pick([1, 100, 1000, 4000])),
    ttlMs: maybe(random, 0.2, () => random.pick([50, 500, 3000])),
    leaseMs: maybe(random, 0.8, () => random.pick([100, 400, 1500, 5000])),
    timeLimitMs: hangs || random.chance(0.12) ? random.pick([100, 800]) : undefined,
    resultTtlMs: maybe(random, 0.6, () => random.pick([1, 200, 1500, 10_000])),
    retry: maybe(random, 0.7, () => ({
      kind: random.pick(['none', 'fixed', 'exponential'] as const),
      attemptsMax: random.integer(1, 5),
      delayMs: random.pick([0, 20, 400]),
      delayMsMax: random.pick([20, 500, 3000]),
      jitter: random.pick(['full', 'none'] as const),
    })),
  })
}

function mixesOf(random: RandomStream, queue: string, hangs: boolean, bodyBytesMax: number): TaskMix[] {
  return Array.from({ length: random.integer(1, 2) }, () => {
    const options = optionsOf(random, hangs)
    return {
      queue,
      weight: random.integer(1, 4),
      ...(options === undefined ? {} : { options }),
      bodyBytes: bytesOf(random, bodyBytesMax),
    }
  })
}

function bytesOf(random: RandomStream, bytesMax: number): Distribution {
  const large = Math.min(bytesMax - 50, 6000)
  return random.chance(0.75)
    ? { kind: 'uniform', min: 0, max: 200 }
    : { kind: 'bimodal', fast: 60, slow: large, share: random.pick([0.1, 0.5]) }
}

/** Many small tasks one by one fill the journal with batches, which makes compaction run. */
const TASKS_MANY = 240
const TASKS_FEW = 70

function producersOf(
  source: RandomSource,
  tasks: readonly TaskMix[],
  durationMs: number,
  tasksInAll: number,
): ProducerGroup[] {
  let left = tasksInAll
  const groups = source.stream('swarm producers').integer(1, 3)
  return Array.from({ length: groups }, (_, at): ProducerGroup => {
    const random = source.stream(`swarm producers ${at}`)
    const count = random.integer(1, 2)
    const share = at === groups - 1 ? left : Math.ceil(left / 2)
    left -= share
    const tasksMax = Math.max(1, Math.ceil(share / count))
    return {
      count,
      arrivals: arrivalsOf(random, tasksMax, durationMs),
      // The first group knows every kind of task.
      tasks: at === 0 ? tasks : tasks.filter((_, i) => i === 0 || random.chance(0.5)),
      tasksMax,
      ...present<Partial<ProducerGroup>>({
        speaksText: maybe(random, 0.1, () => true),
        ignoresCredit: maybe(random, 0.05, () => true),
        onBusy: maybe(random, 0.3, () => 'giveUp' as const),
        resubmits: maybe(random, 0.25, () => random.pick([0.1, 0.5])),
        cancels: maybe(random, 0.25, () => random.pick([0.1, 0.4])),
        asksLater: maybe(random, 0.25, () => random.pick([0.2, 0.8])),
        patienceMs: maybe(random, 0.12, () => random.pick([300, 2000])),
        impatientRetriesMax: maybe(random, 0.5, () => random.integer(1, 2)),
        impatientBackOff: maybe(random, 0.5, () =>
          random.pick([
            { kind: 'none' as const },
            { kind: 'exponential' as const, baseMs: 100, capMs: 2000 },
            { kind: 'budget' as const, ratio: 0.2 },
          ]),
        ),
        vanishesAfterMs: maybe(random, 0.12, () => ({ kind: 'uniform' as const, min: 0, max: durationMs })),
      }),
    }
  })
}

function arrivalsOf(random: RandomStream, tasksMax: number, durationMs: number): Arrivals {
  const rate = (tasksMax * 1000) / (durationMs * random.pick([0.3, 0.8]))
  return random.pick<() => Arrivals>([
    () => ({ kind: 'steady', rate }),
    () => ({ kind: 'poisson', rate }),
    () => ({ kind: 'burst', size: random.integer(1, Math.max(1, Math.ceil(tasksMax / 3))), everyMs: durationMs / 4 }),
    () => ({ kind: 'ramp', from: 0, to: 2 * rate }),
    () => ({ kind: 'closedLoop', inFlight: random.integer(1, 5), thinkMs: { kind: 'exponential', mean: 100 } }),
  ])()
}

function workersOf(
  source: RandomSource,
  queues: readonly string[],
  hanging: readonly string[],
  serviceMsMax: number,
  bodyBytesMax: number,
): WorkerGroup[] {
  const resultBytesMax = Math.min(bodyBytesMax, 6000)
  const groups = source.stream('swarm workers').integer(1, 3)
  return Array.from({ length: groups }, (_, at): WorkerGroup => {
    const random = source.stream(`swarm workers ${at}`)
    // The first group serves every queue and tells no lies, so that someone does the work.
    const served = at === 0 ? queues : queues.filter((_, i) => i === 0 || random.chance(0.6))
    const falsehoods = at === 0 || random.chance(0.5) ? [] : FALSEHOODS.filter(() => random.chance(0.3))
    return {
      count: random.integer(1, 2),
      queues: served,
      concurrency: random.integer(1, 6),
      ...(random.chance(0.6) ? { prefetch: random.integer(0, 8) } : {}),
      service: Object.fromEntries(
        served.map((queue) => [queue, serviceOf(random, hanging.includes(queue), serviceMsMax, resultBytesMax)]),
      ),
      ...(random.chance(0.1) ? { speaksText: true } : {}),
      ...(falsehoods.length === 0 ? {} : { falsehoods }),
      ...(random.chance(0.3) ? { speed: random.pick([0.5, 3]) } : {}),
    }
  })
}

function serviceOf(random: RandomStream, hangs: boolean, meanMsMax: number, resultBytesMax: number): Service {
  return {
    ms: millis(random, random.pick([0, 5, 50, meanMsMax])),
    ...present<Omit<Service, 'ms'>>({
      fails: maybe(random, 0.4, () => random.pick([0.05, 0.3, 0.8])),
      failsForGood: maybe(random, 0.2, () => random.pick([0.05, 0.3])),
      hangs: hangs ? random.pick([0.05, 0.2]) : undefined,
      crashes: maybe(random, 0.1, () => random.pick([0.02, 0.1])),
      progressEveryMs: maybe(random, 0.25, () => random.integer(10, 300)),
      resultBytes: maybe(random, 0.4, () => bytesOf(random, resultBytesMax)),
      retryAfterMs: maybe(random, 0.15, () => random.integer(0, 1500)),
    }),
  }
}

/** A quarter of all seeds run in a perfect world. What fails there is not caused by a fault. */
function faultRatesOf(random: RandomStream, durationMs: number): FaultRates | undefined {
  if (random.chance(0.25)) return undefined
  const share = random.pick([0.15, 0.35, 0.7])
  const rates: { -readonly [Type in FaultType]?: number } = {}
  for (const type of FAULT_TYPES.filter((one) => !(BROWSER_FAULT_TYPES as readonly FaultType[]).includes(one))) {
    if (random.chance(share)) rates[type] = durationMs / random.pick([1, 2, 4])
  }
  return rates
}
