import {
  ATTEMPTS_MAX,
  DURATION_MS_MAX,
  LEASE_MS_MAX,
  LEASE_MS_MIN,
  PRIORITY_MAX,
  type RetryPolicy,
  type SubmitOptions,
} from '@sluice/protocol'
import type { TaskOptions } from './events.ts'

/** Bounds and defaults of the queues and the broker. All can be set; none can be switched off. */
export interface EngineConfig {
  /** Unfinished tasks of a queue (delayed, ready and leased). Default 1,000,000. */
  queueTasksMax: number
  /** Bytes of the bodies of a queue's unfinished tasks. Default 1 GiB. */
  queueBytesMax: number
  /** Number of queues. Default 1,000. */
  queuesMax: number
  /** Queues at once that one principal named first. Default 100. */
  principalQueuesMax: number
  /** Tasks over all queues, records of finished ones included. Default 2,000,000; a broker derives it from its memory. */
  tasksMax: number
  /** Bytes of bodies and results over all queues. Default 8 GiB; a broker derives it from its memory. */
  bytesMax: number
  /** Bytes of memory for failures and progress of a queue's tasks. What has no room is cut. Default 64 MiB. */
  queueHistoryBytesMax: number
  /** The same over all queues. Default 256 MiB; a broker derives it from its memory. */
  historyBytesMax: number
  /** Records of succeeded and cancelled tasks that a queue keeps. The oldest are dropped first. Default 100,000. */
  queueResultsMax: number
  /** Bytes of the results that a queue keeps. The oldest are dropped first. Default 1 GiB. */
  queueResultBytesMax: number
  /** Dead letters that a queue keeps. The oldest are dropped first. Default 10,000. */
  queueDeadMax: number
  /** Unfinished tasks of one principal, over all queues, where the broker has access control. Default 500,000. */
  principalTasksMax: number
  /** Number of sessions, connected or in their grace window. Default 20,000. */
  sessionsMax: number
  /** Tasks that a session may have submitted without an answer. Default 10,000. */
  submitCredit: number
  /** How long a session and its leases wait for a lost connection, in ms. Default 10,000. */
  graceMs: number
  /** How long a dead letter is kept, in ms. Default 14 days. */
  deadTtlMs: number
  /**
   * How often a task may be handed back, or lost before its attempt began, until that counts as an attempt. Default
   * 100.
   */
  releasesMax: number
  /** Tasks that all sessions of one principal watch, where the broker has access control. Default 500,000. */
  principalWatchesMax: number
  /** Sessions that watch one unfinished task. Default 16. */
  watchersMax: number
  /** Tasks that one session watches by their ids. Default 100,000. */
  sessionWatchesMax: number
  /** Bounds of the delay given with `busy`, in ms. Defaults 50 and 30,000. */
  retryAfterMsMin: number
  retryAfterMsMax: number
  /** Values for the options that a submission leaves out. */
  defaults: TaskOptions
}

const DAY_MS = 24 * 60 * 60 * 1000

export const DEFAULT_RETRY: Readonly<Required<RetryPolicy>> = Object.freeze({
  kind: 'exponential',
  attemptsMax: 5,
  delayMs: 1000,
  delayMsMax: 60_000,
  jitter: 'full',
})

export const DEFAULT_CONFIG: Readonly<EngineConfig> = Object.freeze({
  queueTasksMax: 1_000_000,
  queueBytesMax: 1024 ** 3,
  queuesMax: 1000,
  principalQueuesMax: 100,
  tasksMax: 2_000_000,
  bytesMax: 8 * 1024 ** 3,
  queueHistoryBytesMax: 64 * 1024 ** 2,
  historyBytesMax: 256 * 1024 ** 2,
  queueResultsMax: 100_000,
  queueResultBytesMax: 1024 ** 3,
  queueDeadMax: 10_000,
  principalTasksMax: 500_000,
  principalWatchesMax: 500_000,
  sessionsMax: 20_000,
  submitCredit: 10_000,
  graceMs: 10_000,
  deadTtlMs: 14 * DAY_MS,
  releasesMax: 100,
  watchersMax: 16,
  sessionWatchesMax: 100_000,
  retryAfterMsMin: 50,
  retryAfterMsMax: 30_000,
  defaults: Object.freeze({
    priority: 5,
    delayMs: 0,
    ttlMs: 0,
    leaseMs: 30_000,
    timeLimitMs: 0,
    resultTtlMs: 60 * 60 * 1000,
    retry: DEFAULT_RETRY,
  }),
})

const OPTIONS_CACHE_MAX = 1000

/**
 * Fills in a submission's options. Equal options give the same frozen object, so that a million tasks share a few.
 * The cache is bounded; when it is full, it is emptied.
 */
export class OptionsResolver {
  readonly #defaults: TaskOptions
  readonly #known = new Map<string, TaskOptions>()

  constructor(defaults: TaskOptions) {
    this.#defaults = defaults
  }

  resolve(options: SubmitOptions | undefined): TaskOptions {
    if (options === undefined) return this.#defaults
    const { retry, ...rest } = options
    return this.share({
      ...this.#defaults,
      ...defined(rest),
      retry: { ...this.#defaults.retry, ...defined(retry ?? {}) },
    })
  }

  /** The shared object equal to these options. */
  share(options: TaskOptions): TaskOptions {
    const key = JSON.stringify([
      options.priority,
      options.delayMs,
      options.ttlMs,
      options.leaseMs,
      options.timeLimitMs,
      options.resultTtlMs,
      options.retry.kind,
      options.retry.attemptsMax,
      options.retry.delayMs,
      options.retry.delayMsMax,
      options.retry.jitter,
    ])
    const known = this.#known.get(key)
    if (known) return known
    if (this.#known.size >= OPTIONS_CACHE_MAX) this.#known.clear()
    const frozen = Object.freeze({ ...options, retry: Object.freeze({ ...options.retry }) })
    this.#known.set(key, frozen)
    return frozen
  }
}

function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, v]) => v !== undefined)) as T
}

/**
 * Fills in a configuration. Throws a `RangeError` for a value that cannot work, with the setting's name and its
 * range.
 */
export function engineConfig(overrides: Partial<EngineConfig> = {}): EngineConfig {
  const config = { ...DEFAULT_CONFIG, ...defined(overrides) }
  for (const [name, value] of Object.entries(config)) {
    if (name === 'defaults') continue
    if (!Number.isSafeInteger(value) || (value as number) < 1) {
      throw new RangeError(`${name} must be a whole number of at least 1, not ${String(value)}`)
    }
  }
  for (const name of ['graceMs', 'deadTtlMs', 'retryAfterMsMin', 'retryAfterMsMax'] as const) {
    if (config[name] > DURATION_MS_MAX)
      throw new RangeError(`${name} must be at most ${DURATION_MS_MAX} (30 days), not ${config[name]}`)
  }
  if (config.retryAfterMsMin > config.retryAfterMsMax)
    throw new RangeError(
      `retryAfterMsMin must be at most retryAfterMsMax (${config.retryAfterMsMax}), not ${config.retryAfterMsMin}`,
    )
  checkDefaults(config.defaults)
  return config
}

/** The ranges that the wire allows for the options of a submission. */
function checkDefaults(defaults: TaskOptions): void {
  const range = (name: string, value: number, min: number, max: number): void => {
    if (Number.isSafeInteger(value) && value >= min && value <= max) return
    throw new RangeError(`defaults.${name} must be a whole number from ${min} to ${max}, not ${String(value)}`)
  }
  const { priority, leaseMs, retry } = defaults
  range('priority', priority, 0, PRIORITY_MAX)
  range('leaseMs', leaseMs, LEASE_MS_MIN, LEASE_MS_MAX)
  for (const name of ['delayMs', 'ttlMs', 'timeLimitMs', 'resultTtlMs'] as const)
    range(name, defaults[name], 0, DURATION_MS_MAX)
  range('retry.attemptsMax', retry.attemptsMax, 1, ATTEMPTS_MAX)
  for (const name of ['delayMs', 'delayMsMax'] as const) range(`retry.${name}`, retry[name], 0, DURATION_MS_MAX)
}
