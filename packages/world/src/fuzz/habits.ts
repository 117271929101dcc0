import type { SubmitOptions } from '@sluice/protocol'
import type { Distribution } from '../distribution.ts'
import type { RandomStream } from '../random.ts'
import type { ProducerGroup, Scenario, Service, TaskMix, WorkerGroup } from '../scenario.ts'

const BULK_TASKS = 400
const HEAVY_TASKS = 90
const HEAVY_BYTES = 240_000
const OLD_TASKS_ONE_IN = 30
const COMPACTED_TASKS = 240

function withTasks(group: ProducerGroup, change: (mix: TaskMix) => TaskMix): ProducerGroup {
  return { ...group, tasks: group.tasks.map(change) }
}

function isNarrow({ hosting }: Scenario): boolean {
  return hosting?.sendBufferBytesHigh !== undefined
}

/** Clients that forget tasks that nobody waits for, and handles that are asked long after they were given. */
export function forgetful(random: RandomStream, scenario: Scenario): Scenario {
  return {
    ...scenario,
    producers: scenario.producers.map((group) => ({
      ...group,
      asksLater: Math.max(group.asksLater ?? 0, 0.6),
      keepsHandles: random.pick([0.3, 0.8]),
      ...(random.chance(0.7) ? { watchedMax: random.integer(1, 5) } : {}),
    })),
  }
}

/** Someone uses the HTTP API all the time. */
export function attended(random: RandomStream, scenario: Scenario): Scenario {
  return {
    ...scenario,
    operator: {
      submitEveryMs: random.pick([300, 1000]),
      askEveryMs: random.pick([100, 500]),
      redriveEveryMs: random.pick([300, 3000]),
      ...scenario.operator,
    },
    faultRates: { ...scenario.faultRates, ...(random.chance(0.5) ? { restart: scenario.durationMs / 4 } : {}) },
  }
}

/** Bodies of letters that take several bytes. */
export function wide(_: RandomStream, scenario: Scenario): Scenario {
  const bodyBytes: Distribution = { kind: 'uniform', min: 0, max: 70 }
  return {
    ...scenario,
    producers: scenario.producers.map((group) => withTasks(group, (mix) => ({ ...mix, bodyBytes, alphabet: 'mixed' }))),
  }
}

/** Options that are left out keep, delay and limit nothing. */
export function zeroed(random: RandomStream, scenario: Scenario): Scenario {
  const zeros = (): SubmitOptions => ({
    ...(random.chance(0.6) ? { resultTtlMs: 0 } : {}),
    ...(random.chance(0.3) ? { ttlMs: 0 } : {}),
    ...(random.chance(0.3) ? { delayMs: 0 } : {}),
    ...(random.chance(0.3) ? { retry: { kind: 'fixed', delayMs: 0, delayMsMax: 0 } } : {}),
  })
  return {
    ...scenario,
    producers: scenario.producers.map((group) =>
      withTasks(group, (mix) => ({ ...mix, options: { ...mix.options, ...zeros() } })),
    ),
  }
}

/** No task takes long, whatever its time limit. */
function quick(group: WorkerGroup): WorkerGroup {
  const own = Object.entries(group.service).map(([queue, { hangs: _, deafMs: __, ...service }]): [string, Service] => [
    queue,
    { ...service, ms: { kind: 'constant', value: 1 } },
  ])
  return { ...group, service: Object.fromEntries(own), speed: 1 }
}

/** Hundreds of small tasks at once. */
export function bulky(random: RandomStream, scenario: Scenario): Scenario {
  if (isNarrow(scenario) || scenario.engine?.queueTasksMax !== undefined) return scenario
  const [first, ...others] = scenario.producers as [ProducerGroup, ...ProducerGroup[]]
  const bodyBytes: Distribution = { kind: 'uniform', min: 0, max: 20 }
  const small = withTasks(first, ({ options: _, ...mix }) => ({ ...mix, bodyBytes }))
  const everyMs = scenario.durationMs / 2
  const size = random.integer(BULK_TASKS / 2, BULK_TASKS)
  return {
    ...scenario,
    producers: [{ ...small, count: 1, arrivals: { kind: 'burst', size, everyMs }, tasksMax: BULK_TASKS }, ...others],
    workers: scenario.workers.map(quick),
  }
}

/** More bytes of bodies at once than one client may have unanswered. */
export function heavy(_: RandomStream, scenario: Scenario): Scenario {
  if (isNarrow(scenario) || scenario.hosting?.limits !== undefined) return scenario
  const { engine, network, hosting } = scenario
  const { queueTasksMax: _tasks, queueBytesMax: _bytes, ...roomy } = engine ?? {}
  const { bytesPerSecond: _speed, windowBytes: _window, ...fast } = network
  const { stagedBytesMax: _staged, ...unstaged } = hosting ?? {}
  const [first, ...others] = scenario.producers as [ProducerGroup, ...ProducerGroup[]]
  const [task] = first.tasks as [TaskMix]
  const tasks = [{ queue: task.queue, weight: 1, bodyBytes: { kind: 'constant', value: HEAVY_BYTES } as const }]
  const arrivals = { kind: 'burst', size: HEAVY_TASKS, everyMs: scenario.durationMs } as const
  return {
    ...scenario,
    engine: roomy,
    network: fast,
    hosting: unstaged,
    producers: [{ count: 1, arrivals, tasks, tasksMax: HEAVY_TASKS }, ...others],
    workers: scenario.workers.map(quick),
  }
}

/** A journal of many small batches, of which only a few old tasks are still needed. */
export function compacted(random: RandomStream, scenario: Scenario): Scenario {
  const { producers, hosting, engine } = scenario
  const { queueTasksMax: _tasks, submitCredit: _credit, ...roomy } = engine ?? {}
  const durationMs = random.pick([8000, 15_000])
  const [first] = producers as [ProducerGroup, ...ProducerGroup[]]
  const [mix] = first.tasks as [TaskMix]
  const bodyBytes: Distribution = { kind: 'uniform', min: 0, max: 200 }
  const options = { ...mix.options, delayMs: 0, ttlMs: 0, resultTtlMs: 200 }
  const old = { ...options, delayMs: durationMs * 0.8 }
  return {
    ...scenario,
    durationMs,
    engine: { ...roomy, deadTtlMs: 300 },
    journal: { ...scenario.journal, appendMs: { kind: 'constant', value: 0 }, isSynchronous: true },
    hosting: { ...hosting, compactEveryMs: 50, compactBytesMin: 1 },
    producers: [
      {
        ...first,
        count: 1,
        tasks: [
          { ...mix, weight: OLD_TASKS_ONE_IN, options, bodyBytes },
          { ...mix, weight: 1, options: old, bodyBytes },
        ],
        tasksMax: COMPACTED_TASKS,
        arrivals: { kind: 'steady', rate: (COMPACTED_TASKS * 1000) / (durationMs * 0.9) },
      },
    ],
    workers: scenario.workers.map(quick),
  }
}
