import type { Distribution } from '../distribution.ts'
import { brokerSettings } from '../nodes/broker-settings.ts'
import type { BrowserGroup, ProducerGroup, Scenario, Service, TaskMix, WorkerGroup } from '../scenario.ts'

/** Shorter runs than this are no easier to follow. */
const DURATION_MS_MIN = 500

/**
 * Each scenario that is one step simpler than this one and with which a broker can start, the largest steps first.
 * Every step makes something smaller or absent.
 */
export function simplifications(scenario: Scenario): Scenario[] {
  return simpler(scenario).filter(isPossible)
}

function isPossible(scenario: Scenario): boolean {
  try {
    brokerSettings(scenario)
    return true
  } catch {
    return false
  }
}

function simpler(scenario: Scenario): Scenario[] {
  const { producers, workers, browsers = [] } = scenario
  return [
    ...shorter(producers, browsers.length > 0 ? 0 : 1).map((fewer) => ({ ...scenario, producers: fewer })),
    ...shorter(workers, 1).map((fewer) => ({ ...scenario, workers: fewer })),
    ...(scenario.durationMs > DURATION_MS_MIN
      ? [{ ...scenario, durationMs: Math.floor(scenario.durationMs / 2) }]
      : []),
    ...without(scenario, ['engine', 'hosting', 'operator', 'strangers', 'browsers']),
    ...eachOf(producers, simplerProducers).map((instead) => ({ ...scenario, producers: instead })),
    ...eachOf(browsers, simplerBrowsers).map((instead) => ({ ...scenario, browsers: instead })),
    ...eachOf(workers, simplerWorkers).map((instead) => ({ ...scenario, workers: instead })),
    ...withoutAny(scenario.engine ?? {}).map((engine) => ({ ...scenario, engine })),
    ...withoutAny(scenario.hosting ?? {}).map((hosting) => ({ ...scenario, hosting })),
    ...without(scenario.network, ['bytesPerSecond', 'windowBytes', 'giveUpAfterMs', 'pingEveryMs']).map((network) => ({
      ...scenario,
      network,
    })),
    ...calmer(scenario.network.delayMs).map((delayMs) => ({ ...scenario, network: { ...scenario.network, delayMs } })),
    ...calmer(scenario.journal.appendMs).map((appendMs) => ({
      ...scenario,
      journal: { ...scenario.journal, appendMs },
    })),
    ...calmer(scenario.journal.readMs).map((readMs) => ({ ...scenario, journal: { ...scenario.journal, readMs } })),
  ]
}

/** The list without one of its items, for each of them, as long as `min` are left. */
function shorter<T>(list: readonly T[], min: number): T[][] {
  return list.length <= min ? [] : list.map((_, at) => list.filter((_, other) => other !== at))
}

/** The list with one of its items made simpler, in every way. */
function eachOf<T>(list: readonly T[], simplify: (item: T) => T[]): T[][] {
  return list.flatMap((item, at) => simplify(item).map((instead) => list.with(at, instead)))
}

/** The object without one of these, for each that it has. */
function without<T extends object>(value: T, names: readonly (keyof T)[]): T[] {
  return names
    .filter((name) => value[name] !== undefined)
    .map((name) => Object.fromEntries(Object.entries(value).filter(([other]) => other !== name)) as T)
}

function withoutAny<T extends object>(value: T): T[] {
  return without(value, Object.keys(value) as (keyof T)[])
}

function calmer(distribution: Distribution): Distribution[] {
  if (distribution.kind !== 'constant') return [{ kind: 'constant', value: usualOf(distribution) }]
  return distribution.value > 0 ? [{ kind: 'constant', value: 0 }] : []
}

function usualOf(distribution: Exclude<Distribution, { kind: 'constant' }>): number {
  switch (distribution.kind) {
    case 'uniform':
      return Math.round((distribution.min + distribution.max) / 2)
    case 'exponential':
      return Math.round(distribution.mean)
    case 'pareto':
      return Math.round(distribution.min)
    case 'bimodal':
      return Math.round(distribution.fast)
  }
}

function simplerProducers(group: ProducerGroup): ProducerGroup[] {
  const { count, tasksMax, tasks } = group
  return [
    ...(count > 1 ? [{ ...group, count: 1 }] : []),
    ...(tasksMax !== undefined && tasksMax > 1
      ? [
          { ...group, tasksMax: Math.floor(tasksMax / 2) },
          { ...group, tasksMax: tasksMax - 1 },
        ]
      : []),
    ...shorter(tasks, 1).map((fewer) => ({ ...group, tasks: fewer })),
    ...without(group, [
      'speaksText',
      'ignoresCredit',
      'nagsEveryMs',
      'onBusy',
      'resubmits',
      'cancels',
      'asksLater',
      'keepsHandles',
      'unnamed',
      'watchedMax',
      'patienceMs',
      'impatientRetriesMax',
      'impatientBackOff',
      'vanishesAfterMs',
    ]),
    ...eachOf(tasks, simplerTasks).map((instead) => ({ ...group, tasks: instead })),
  ]
}

function simplerBrowsers(group: BrowserGroup): BrowserGroup[] {
  const { count, tabs, itemsMax, tasks, storeMs } = group
  return [
    ...(count > 1 ? [{ ...group, count: 1 }] : []),
    ...(tabs > 1 ? [{ ...group, tabs: tabs - 1 }] : []),
    ...(itemsMax !== undefined && itemsMax > 1
      ? [
          { ...group, itemsMax: Math.floor(itemsMax / 2) },
          { ...group, itemsMax: itemsMax - 1 },
        ]
      : []),
    ...shorter(tasks, 1).map((fewer) => ({ ...group, tasks: fewer })),
    ...without(group, ['cancels', 'orderingKeys', 'intents', 'whenUnsaved', 'keepEnded']),
    ...eachOf(tasks, simplerTasks).map((instead) => ({ ...group, tasks: instead })),
    ...calmer(storeMs).map((calm) => ({ ...group, storeMs: calm })),
  ]
}

function simplerTasks(mix: TaskMix): TaskMix[] {
  // Only its time limit ends a handler that hangs.
  const options = Object.keys(mix.options ?? {}).filter((name) => name !== 'timeLimitMs') as (keyof NonNullable<
    TaskMix['options']
  >)[]
  return [
    ...without(mix.options ?? {}, options).map((fewer) => ({ ...mix, options: fewer })),
    ...without(mix, ['alphabet']),
    ...calmer(mix.bodyBytes).map((bodyBytes) => ({ ...mix, bodyBytes })),
  ]
}

function simplerWorkers(group: WorkerGroup): WorkerGroup[] {
  const { count, concurrency, falsehoods = [] } = group
  return [
    ...(count > 1 ? [{ ...group, count: 1 }] : []),
    ...shorter(falsehoods, 0).map((fewer) => ({ ...group, falsehoods: fewer })),
    ...without(group, ['speed', 'prefetch', 'speaksText', 'drainGraceMs']),
    ...(concurrency > 1 ? [{ ...group, concurrency: 1 }] : []),
    ...Object.entries(group.service).flatMap(([queue, service]) =>
      simplerServices(service).map((instead) => ({ ...group, service: { ...group.service, [queue]: instead } })),
    ),
  ]
}

function simplerServices(service: Service): Service[] {
  return [
    ...without(service, [
      'fails',
      'failsForGood',
      'hangs',
      'crashes',
      'progressEveryMs',
      'deafMs',
      'returnsBytes',
      'resultBytes',
      'retryAfterMs',
    ]),
    ...calmer(service.ms).map((ms) => ({ ...service, ms })),
  ]
}
