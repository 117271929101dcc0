import { DEFAULT_LIMITS } from '@sluice/protocol'
import type { Distribution } from '../distribution.ts'
import { RandomSource, type RandomStream } from '../random.ts'
import type { ProducerGroup, Scenario, Service, WorkerGroup } from '../scenario.ts'
import { attended, bulky, compacted, forgetful, heavy, wide, zeroed } from './habits.ts'
import { limitsOf } from './hosting.ts'
import { doubled, scarce, visited } from './strangers.ts'

/** Each extreme, the share of worlds that have it, and how it changes them. */
const EXTREMES: readonly { name: string; share: number; of: (random: RandomStream, scenario: Scenario) => Scenario }[] =
  [
    { name: 'restless', share: 0.15, of: restless },
    { name: 'flooded', share: 0.08, of: flooded },
    { name: 'awaited', share: 0.06, of: awaitedTwice },
    { name: 'crowded', share: 0.2, of: crowded },
    { name: 'nagged', share: 0.06, of: nagged },
    { name: 'visited', share: 0.12, of: visited },
    { name: 'scarce', share: 0.04, of: scarce },
    { name: 'doubled', share: 0.08, of: doubled },
    { name: 'forgetful', share: 0.1, of: forgetful },
    { name: 'attended', share: 0.2, of: attended },
    { name: 'wide', share: 0.12, of: wide },
    { name: 'zeroed', share: 0.08, of: zeroed },
    { name: 'cramped', share: 0.04, of: cramped },
    { name: 'stubborn', share: 0.12, of: stubborn },
    { name: 'unnamed', share: 0.25, of: unnamed },
    { name: 'stormy', share: 0.02, of: stormy },
    // Many tasks, whatever else was drawn. This comes last, so that no handler takes long for them.
    { name: 'bulky', share: 0.015, of: bulky },
    { name: 'heavy', share: 0.003, of: heavy },
    { name: 'compacted', share: 0.02, of: compacted },
  ]

/** Values for the bound of unsent bytes. */
const FLOOD_BYTES_MAX = 3000
/** Each is tried four times a second, which is more than the thousand retries that a client may make at once. */
const STORM_TASKS = 400
/** Tasks of each producer if many of them would take too long. */
const TASKS_FEW = 15

/**
 * The scenario, made extreme in one respect or another in a few worlds. These combinations are too rare if everything
 * is drawn separately. Each extreme has its own stream, so adding one leaves all other worlds unchanged.
 */
export function extreme(seed: number, scenario: Scenario): Scenario {
  return EXTREMES.reduce((made, { name, share, of }) => {
    const random = new RandomSource(seed).stream(name)
    return random.chance(share) ? of(random, made) : made
  }, scenario)
}

function withService({ service }: WorkerGroup, over: Partial<Service>): WorkerGroup['service'] {
  return Object.fromEntries(Object.entries(service).map(([queue, own]) => [queue, { ...own, ...over }]))
}

/** Programs come and go all the time, while they hold tasks that they have not begun. */
function restless(random: RandomStream, scenario: Scenario): Scenario {
  return {
    ...scenario,
    engine: { ...scenario.engine, ...(random.chance(0.7) ? { releasesMax: 1 } : {}) },
    workers: scenario.workers.map((group) => ({
      ...group,
      concurrency: 1,
      prefetch: 6,
      service: withService(group, { ms: { kind: 'uniform', min: 100, max: 400 } }),
    })),
    faultRates: { ...scenario.faultRates, restart: scenario.durationMs / 20 },
  }
}

/** Few bytes may be unsent, and progress comes all the time to clients that stop reading now and then. */
function flooded(random: RandomStream, scenario: Scenario): Scenario {
  const { producers, workers, hosting, network, durationMs } = scenario
  const bodyBytes: Distribution = { kind: 'uniform', min: 0, max: 100 }
  const limits = { ...limitsOf(random, FLOOD_BYTES_MAX >> 1), batchItemsMax: 6 }
  return {
    ...scenario,
    hosting: { ...hosting, sendBufferBytesHigh: 300, sendBufferBytesMax: FLOOD_BYTES_MAX, limits },
    network: { ...network, windowBytes: random.integer(300, 1000) },
    producers: producers.map((group) => ({
      ...group,
      tasks: group.tasks.map((mix) => ({ ...mix, bodyBytes })),
      tasksMax: TASKS_FEW,
    })),
    workers: workers.map((group) => ({
      ...group,
      service: withService(group, {
        ms: { kind: 'uniform', min: 500, max: 2000 },
        resultBytes: bodyBytes,
        progressEveryMs: random.integer(2, 10),
      }),
    })),
    faultRates: { ...scenario.faultRates, slowReader: durationMs / 15 },
  }
}

/** Few bytes may be unsent, and some clients ask without end and read little of the answers. */
function nagged(random: RandomStream, scenario: Scenario): Scenario {
  const { producers, workers, hosting, network, durationMs } = scenario
  const [first, ...others] = producers as [ProducerGroup, ...ProducerGroup[]]
  const bodyBytes: Distribution = { kind: 'uniform', min: 0, max: 200 }
  const calm = (group: ProducerGroup): ProducerGroup => ({
    ...group,
    tasks: group.tasks.map((mix) => ({ ...mix, bodyBytes })),
    tasksMax: Math.min(group.tasksMax ?? TASKS_FEW, TASKS_FEW),
  })
  return {
    ...scenario,
    hosting: {
      ...hosting,
      // A client that reads a little now and then has heard something.
      heartbeatMs: 3000,
      sendBufferBytesHigh: random.pick([300, 2000]),
      sendBufferBytesMax: 8192,
      limits: { ...limitsOf(random, 4096), batchItemsMax: 10 },
    },
    network: { ...network, windowBytes: random.integer(500, 2000) },
    producers: [{ ...calm(first), nagsEveryMs: random.integer(50, 150) }, ...others.map(calm)],
    workers: workers.map((group) => ({ ...group, service: withService(group, { resultBytes: bodyBytes }) })),
    faultRates: { ...scenario.faultRates, slowReader: durationMs / 10 },
  }
}

/**
 * Handlers that are stopped go on for a while, with little concurrency. Programs that leave have a short grace.
 * Results are not always JSON.
 */
function stubborn(random: RandomStream, scenario: Scenario): Scenario {
  const timeLimitMs = random.pick([100, 300, 2000])
  return {
    ...scenario,
    producers: scenario.producers.map((group) => ({
      ...group,
      tasksMax: Math.min(group.tasksMax ?? TASKS_FEW, TASKS_FEW),
      tasks: group.tasks.map((mix) => ({ ...mix, options: { ...mix.options, timeLimitMs } })),
    })),
    workers: scenario.workers.map((group) => ({
      ...group,
      concurrency: random.integer(1, 2),
      prefetch: random.integer(1, 4),
      drainGraceMs: random.pick([0, 1, 100, 1000]),
      service: withService(group, {
        ms: { kind: 'uniform', min: 0, max: 1.5 * timeLimitMs },
        // Long tasks are few enough to be done in time.
        ...(timeLimitMs > 1000 ? { fails: 0 } : {}),
        deafMs: random.pick<Distribution>([
          { kind: 'constant', value: 0 },
          { kind: 'uniform', min: 0, max: 1000 },
          { kind: 'uniform', min: 1000, max: 4000 },
        ]),
        returnsBytes: random.pick([0, 0.3, 1]),
      }),
    })),
    faultRates: { ...scenario.faultRates, restart: scenario.durationMs / 8 },
  }
}

/** Frames are so small that lists must be split, and messages too. */
function cramped(random: RandomStream, scenario: Scenario): Scenario {
  const { producers, workers, hosting } = scenario
  if (hosting?.sendBufferBytesMax !== undefined) return scenario
  const bodyBytes: Distribution = { kind: 'uniform', min: 0, max: 100 }
  const isFew = random.chance(0.5)
  return {
    ...scenario,
    hosting: {
      ...hosting,
      limits: {
        ...DEFAULT_LIMITS,
        frameBytesMax: isFew ? 4096 : 1024,
        bodyBytesMax: 256,
        messageLengthMax: 100,
        stackLengthMax: 100,
        progressBytesMax: 50,
        ...(isFew ? { batchItemsMax: 2, creditMax: 20 } : {}),
      },
    },
    producers: producers.map((group) => ({ ...group, tasks: group.tasks.map((mix) => ({ ...mix, bodyBytes })) })),
    workers: workers.map((group) => ({ ...group, service: withService(group, { resultBytes: bodyBytes }) })),
  }
}

/** Clients make the ids. */
function unnamed(_: RandomStream, scenario: Scenario): Scenario {
  return { ...scenario, producers: scenario.producers.map((group) => ({ ...group, unnamed: true })) }
}

/** Many tasks at once, room for a few, and refusals with short delays: more than clients have retries for. */
function stormy(random: RandomStream, scenario: Scenario): Scenario {
  const { producers, workers, engine, network, durationMs } = scenario
  const [first] = producers as [ProducerGroup, ...ProducerGroup[]]
  const bodyBytes: Distribution = { kind: 'constant', value: 10 }
  return {
    ...scenario,
    engine: {
      ...engine,
      queueTasksMax: random.integer(10, 20),
      retryAfterMsMin: 1,
      retryAfterMsMax: 2,
      submitCredit: 1000,
    },
    // The answer to all of them at once must fit into the unsent bytes.
    hosting: { heartbeatMs: 3000 },
    network: { delayMs: network.delayMs },
    producers: [
      {
        count: 1,
        arrivals: { kind: 'burst', size: STORM_TASKS, everyMs: durationMs / 3 },
        tasks: first.tasks.slice(0, 1).map((mix) => ({ ...mix, options: {}, bodyBytes })),
        tasksMax: STORM_TASKS,
      },
    ],
    workers: workers.map((group) => ({
      ...group,
      service: withService(group, { ms: { kind: 'constant', value: 300 }, fails: 0, hangs: 0, crashes: 0 }),
    })),
  }
}

/** Tasks take their time, and more than one session waits for nearly all of them. */
function awaitedTwice(_: RandomStream, scenario: Scenario): Scenario {
  return {
    ...scenario,
    producers: scenario.producers.map((group) => ({
      ...group,
      tasks: group.tasks.map((mix) => ({ ...mix, options: { ...mix.options, delayMs: 4000 } })),
      tasksMax: Math.min(group.tasksMax ?? TASKS_FEW, TASKS_FEW),
      resubmits: 0.8,
      asksLater: 0.8,
    })),
  }
}

/** Little room for connections, some of them without a hello, and for requests that wait. */
function crowded(random: RandomStream, scenario: Scenario): Scenario {
  const [first, ...others] = scenario.workers as [WorkerGroup, ...WorkerGroup[]]
  const silent = others.map((group) => ({
    ...group,
    falsehoods: [...(group.falsehoods ?? []), ...(random.chance(0.5) ? ['withholdsHello' as const] : [])],
  }))
  return {
    ...scenario,
    hosting: {
      helloTimeoutMs: random.integer(300, 3000),
      ...scenario.hosting,
      pendingConnectionsMax: random.integer(1, 3),
      // More than there are clients: a refused client is refused only for now.
      connectionsMax: random.integer(20, 30),
      waitersMax: random.integer(1, 2),
    },
    workers: [first, ...silent],
  }
}
