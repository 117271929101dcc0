import { DEFAULT_HOST_CONFIG, type HostConfig } from '@sluice/broker/core'
import { DEFAULT_CONFIG, type EngineConfig, type TaskOptions } from '@sluice/engine'
import { DEFAULT_LIMITS, type Limits, type RetryPolicy, type SubmitOptions } from '@sluice/protocol'
import type { Distribution } from '../distribution.ts'
import { FAULT_TYPES, type Fault, type FaultType, type TimedFault } from '../fault.ts'
import { brokerSettings } from '../nodes/broker-settings.ts'
import type {
  Arrivals,
  BrowserGroup,
  Falsehood,
  JournalProfile,
  Misdeed,
  NetworkProfile,
  OperatorProfile,
  ProducerGroup,
  Scenario,
  Service,
  StrangerGroup,
  TaskMix,
  WorkerGroup,
} from '../scenario.ts'
import {
  byName,
  type Fields,
  list,
  number,
  type Optional,
  object,
  oneOf,
  optional,
  type Shape,
  ShapeError,
  tagged,
  text,
  truth,
  whole,
} from './shape.ts'
import type { Experiment } from './shrink.ts'

const some = number(0)
const share = number(0, 1)
const anyNumber = number(Number.NEGATIVE_INFINITY)
const forMs = some
const node = text

const distribution = tagged<'kind', Distribution>('kind', {
  constant: { value: some },
  uniform: { min: some, max: some },
  exponential: { mean: some },
  pareto: { min: some, shape: some, max: some },
  bimodal: { fast: some, slow: some, share },
})

const arrivals = tagged<'kind', Arrivals>('kind', {
  steady: { rate: some },
  poisson: { rate: some },
  burst: { size: whole(1), everyMs: number(1) },
  ramp: { from: some, to: some },
  closedLoop: { inFlight: whole(1), thinkMs: distribution },
})

const retry = object<RetryPolicy>({
  kind: oneOf('none', 'fixed', 'exponential'),
  attemptsMax: optional(whole(1)),
  delayMs: optional(whole(0)),
  delayMsMax: optional(whole(0)),
  jitter: optional(oneOf('full', 'none')),
})

const submitOptions = object<SubmitOptions>({
  priority: optional(whole(0)),
  delayMs: optional(whole(0)),
  ttlMs: optional(whole(0)),
  leaseMs: optional(whole(0)),
  timeLimitMs: optional(whole(0)),
  resultTtlMs: optional(whole(0)),
  retry: optional(retry),
})

const taskMix = object<TaskMix>({
  queue: text,
  weight: some,
  options: optional(submitOptions),
  bodyBytes: distribution,
  alphabet: optional(oneOf('latin', 'mixed')),
})

const producers = object<ProducerGroup>({
  count: whole(0),
  arrivals,
  tasks: list(taskMix, 1),
  dealing: optional(oneOf('byChance', 'inTurn')),
  tasksMax: optional(whole(0)),
  onBusy: optional(oneOf('wait', 'giveUp')),
  resubmits: optional(share),
  cancels: optional(share),
  asksLater: optional(share),
  keepsHandles: optional(share),
  unnamed: optional(truth),
  watchedMax: optional(whole(1)),
  patienceMs: optional(some),
  impatientRetriesMax: optional(whole(0)),
  impatientBackOff: optional(
    tagged<'kind', NonNullable<ProducerGroup['impatientBackOff']>>('kind', {
      none: {},
      exponential: { baseMs: some, capMs: some },
      budget: { ratio: some },
    }),
  ),
  vanishesAfterMs: optional(distribution),
  drawsAlike: optional(truth),
  speaksText: optional(truth),
  ignoresCredit: optional(truth),
  nagsEveryMs: optional(number(1)),
})

const service = object<Service>({
  ms: distribution,
  fails: optional(share),
  failsForGood: optional(share),
  hangs: optional(share),
  crashes: optional(share),
  progressEveryMs: optional(number(1)),
  resultBytes: optional(distribution),
  retryAfterMs: optional(whole(0)),
  deafMs: optional(distribution),
  returnsBytes: optional(share),
})

const falsehoods: Record<Falsehood, true> = {
  inventsLeases: true,
  repeats: true,
  repeatsItems: true,
  neverBeats: true,
  settlesLate: true,
  resumesStrangers: true,
  babbles: true,
  withholdsHello: true,
}

const workers = object<WorkerGroup>({
  count: whole(0),
  queues: list(text, 1),
  concurrency: whole(1),
  prefetch: optional(whole(0)),
  service: byName(service),
  falsehoods: optional(list(oneOf(...Object.keys(falsehoods)))),
  speaksText: optional(truth),
  speed: optional(number(0.001)),
  drainGraceMs: optional(some),
})

const browsers = object<BrowserGroup>({
  count: whole(0),
  tabs: whole(1),
  arrivals,
  tasks: list(taskMix, 1),
  itemsMax: optional(whole(0)),
  cancels: optional(share),
  orderingKeys: optional(share),
  intents: optional(share),
  whenUnsaved: optional(oneOf('throw', 'memory')),
  keepEnded: optional(whole(0)),
  storeMs: distribution,
})

const misdeeds: Record<Misdeed, true> = {
  speaksOtherVersions: true,
  forgetsHello: true,
  repeatsHello: true,
  saysNonsense: true,
  actsAsWorker: true,
  passesLimits: true,
  repeatsIds: true,
  opensSessions: true,
  namesQueues: true,
  asksForAnything: true,
}

const strangers = object<StrangerGroup>({
  count: whole(0),
  everyMs: number(1),
  misdeeds: list(oneOf(...Object.keys(misdeeds)), 1),
})

const operator = object<OperatorProfile>({
  redriveEveryMs: optional(number(1)),
  submitEveryMs: optional(number(1)),
  askEveryMs: optional(number(1)),
})

const network = object<NetworkProfile>({
  delayMs: distribution,
  bytesPerSecond: optional(number(1)),
  windowBytes: optional(number(1)),
  giveUpAfterMs: optional(some),
  pingEveryMs: optional(number(1)),
})

const journal = object<JournalProfile>({
  appendMs: distribution,
  readMs: distribution,
  isSynchronous: optional(truth),
  durability: optional(oneOf('strict', 'relaxed')),
})

const fault = tagged<'type', Fault>('type', {
  crash: { node, restartAfterMs: some },
  restart: { node, restartAfterMs: some },
  pause: { node, forMs },
  slow: { node, byMs: some, forMs },
  clockJump: { node, byMs: anyNumber },
  reset: { node },
  halfOpen: { node },
  partition: { node, forMs },
  slowReader: { node, forMs, everyMs: optional(number(1)) },
  delay: { node, byMs: some, forMs },
  slowDisk: { byMs: some, forMs },
  failingDisk: {},
  fullDisk: { forMs },
  powerLoss: { restartAfterMs: some },
  hide: { node, forMs },
  deviceCrash: { node, forMs },
  storeFailure: { node, how: oneOf('full', 'silent', 'unavailable'), forMs },
})

/** Any of these settings, by the names of their defaults. The product decides which values are allowed. */
function settings<T extends object>(defaults: T, special: { readonly [K in keyof T]?: Shape }): Shape {
  const fields = Object.keys(defaults).map((name): [string, Optional] => [
    name,
    optional(special[name as keyof T] ?? anyNumber),
  ])
  return object(Object.fromEntries(fields) as unknown as Fields<object>)
}

const limits = settings<Limits>(DEFAULT_LIMITS, {})
const defaults = object<TaskOptions>({
  priority: whole(0),
  delayMs: whole(0),
  ttlMs: whole(0),
  leaseMs: whole(0),
  timeLimitMs: whole(0),
  resultTtlMs: whole(0),
  retry,
})

const scenario = object<Scenario>({
  name: text,
  durationMs: number(1),
  settleMs: some,
  engine: optional(settings<EngineConfig>(DEFAULT_CONFIG, { defaults })),
  hosting: optional(settings<HostConfig>(DEFAULT_HOST_CONFIG, { limits })),
  journal,
  network,
  producers: list(producers),
  workers: list(workers),
  browsers: optional(list(browsers)),
  strangers: optional(list(strangers)),
  operator: optional(operator),
  faultRates: optional(
    settings(Object.fromEntries(FAULT_TYPES.map((type) => [type, 0])) as Record<FaultType, number>, {}),
  ),
  script: optional(list(object<TimedFault>({ atMs: some, fault }))),
})

/**
 * Reads an experiment from a file's content. Limits that are left out have their defaults.
 * @throws ShapeError that names the first field that is wrong, missing or unknown, or a node or queue that does not exist
 */
export function experimentOf(value: unknown): Experiment {
  if (typeof value !== 'object' || value === null || !('seed' in value) || !('scenario' in value))
    throw new ShapeError('there is no experiment in it: it needs "seed" and "scenario", or a trace of --trace')
  whole(0)(value.seed, 'seed')
  scenario(value.scenario, 'scenario')
  const { seed, scenario: given } = value as Experiment
  const complete = given.hosting?.limits
    ? { ...given, hosting: { ...given.hosting, limits: { ...DEFAULT_LIMITS, ...given.hosting.limits } } }
    : given
  checkSettings(complete)
  checkQueues(complete)
  checkNodes(complete)
  return { seed, scenario: complete }
}

function checkSettings(given: Scenario): void {
  try {
    brokerSettings(given)
  } catch (error) {
    throw new ShapeError(`scenario.engine or scenario.hosting cannot work: ${(error as Error).message}`)
  }
}

function checkQueues(given: Scenario): void {
  for (const [at, { queues, service: own }] of given.workers.entries())
    for (const queue of queues)
      if (!Object.hasOwn(own, queue) && !Object.hasOwn(own, '*'))
        throw new ShapeError(`scenario.workers[${at}].service has nothing for the queue ${queue}`)
}

function checkNodes(given: Scenario): void {
  const count = (groups: readonly { count: number }[]): number => groups.reduce((sum, group) => sum + group.count, 0)
  const names = (kind: string, many: number): string[] => Array.from({ length: many }, (_, at) => `${kind}-${at + 1}`)
  const nodes = [
    'broker',
    ...names('producer', count(given.producers)),
    ...names('worker', count(given.workers)),
    ...names('stranger', count(given.strangers ?? [])),
    ...names(
      'tab',
      (given.browsers ?? []).reduce((sum, group) => sum + group.count * group.tabs, 0),
    ),
    ...names('browser', count(given.browsers ?? [])),
  ]
  for (const [at, { fault: one }] of (given.script ?? []).entries()) {
    if (!('node' in one) || nodes.includes(one.node)) continue
    throw new ShapeError(`scenario.script[${at}].fault.node: there is no ${one.node}, only ${nodes.join(', ')}`)
  }
}
