import type { ConnectionTimings, Logger, TaskContract, TokenSource } from '@sluice/client'
import { isQueueName, type Labels, labelsFault } from '@sluice/protocol'
import type { Device } from './device.ts'
import { checkHours, type Hours } from './hours.ts'

export interface TabWorkerOptions {
  /** `ws://` or `wss://`. */
  url: string
  /** For a broker with access control. A function is called on the page, again when a token expires. */
  token?: TokenSource
  /** A label for people who look at the broker. Default `browser`. */
  name?: string
  /**
   * What the app announces of this tab, besides `browser`, `cores`, `memoryGb` and `webgpu`, which it may replace. With
   * these there are at most 32 names of up to 64 characters, values of up to 128, and 2,048 bytes together.
   */
  labels?: Labels
  /** The queues to serve: names, or contracts. The handler Worker needs a handler for each. */
  // biome-ignore lint/suspicious/noExplicitAny: a list of contracts with different inputs has no narrower type
  queues: readonly (string | TaskContract<any, any, any, any>)[]
  /**
   * Makes a handler Worker, whose script calls `serveHandlers`:
   * `() => new Worker(new URL('./tile-worker.ts', import.meta.url), { type: 'module' })`. It is called for each Worker of
   * the pool and for each replacement, and never before consent.
   */
  worker: () => Worker
  /** Handler Workers, each with one task at a time, 1 – 64. Default: the device's cores less one, 1 at least. */
  concurrency?: number
  /**
   * Deliveries held ready in addition to the running ones, 0 or more. Default: as many as handlers can run. None while
   * `cpuShare` is less than 1.
   */
  prefetch?: number
  /**
   * - `given`: the app has asked the person and keeps the answer.
   * - `ask`: nothing happens until `agree()` is called. The answer is kept in `localStorage` under `consentKey`.
   */
  consent: 'given' | 'ask'
  /** Default `sluice.tab-worker.consent`. Its value is `given`, or there is none. */
  consentKey?: string
  /**
   * The share of the time for which each handler Worker works, 0.05 – 1. Default 1. After a task it rests as long as
   * needed. One long task is not interrupted.
   */
  cpuShare?: number
  /** When the tab may work, in hours of the local day: `[22, 6]` is the night. Default: always. */
  hours?: Hours
  /** Works only while the device charges. Default false. Has no effect where there is no Battery API. */
  onlyOnMains?: boolean
  /**
   * Pauses while the browser says that the CPU is under serious or critical pressure, and 30 s longer. Default true. Has
   * no effect where there is no `PressureObserver`.
   */
  pauseOnPressure?: boolean
  /**
   * Holds a Web Lock on the page while it works, so that browsers do not freeze it in the background. Ask the owner of
   * the device first. Default false.
   */
  keepAwake?: boolean
  /** How long a handler may run after its signal has fired, in ms, 0 – 60,000. Then its Worker is terminated. Default 1,000. */
  abortGraceMs?: number
  /** How long the script of a handler Worker may take until it calls `serveHandlers`, in ms. Default 60,000. */
  loadMsMax?: number
  timings?: Partial<ConnectionTimings>
  /** Default: warnings and errors go to the console. */
  logger?: Logger
  /** Closes the tab worker when it fires, like `close()`. */
  signal?: AbortSignal
  /**
   * Makes the connection Worker, for bundlers that do not find its file. Its script is
   * `@sluice/worker-browser/connection-worker`.
   */
  connection?: () => Worker
  /** What the browser offers. Replace it in tests. */
  device?: Device
}

export const CONSENT_KEY = 'sluice.tab-worker.consent'
export const CPU_SHARE_MIN = 0.05
/** What a tab announces by itself, at its largest. */
const LARGEST_LABELS: Labels = { browser: '', cores: '999999', memoryGb: '999999', webgpu: '' }
const CONCURRENCY_MAX = 64
const ABORT_GRACE_MS = 1000
const ABORT_GRACE_MS_MAX = 60_000
const LOAD_MS_MAX = 60_000

/** The options with their defaults. */
export interface CheckedOptions extends TabWorkerOptions {
  names: string[]
  size: number
  abortGraceMs: number
  loadMsMax: number
  cpuShare: number
  consentKey: string
}

/** @throws RangeError or Error naming the option that cannot be used */
export function checkedOptions(options: TabWorkerOptions, cores: number): CheckedOptions {
  const { url, queues, worker, consent, hours } = options
  if (typeof url !== 'string' || !/^wss?:\/\/\S+$/i.test(url))
    throw new Error(`url has to begin with ws:// or wss://, not ${JSON.stringify(url)}`)
  if (!Array.isArray(queues) || queues.length === 0) throw new Error('queues has to name at least one queue')
  const names = queues.map((queue) => (typeof queue === 'string' ? queue : String(queue?.queue)))
  const bad = names.find((name) => !isQueueName(name))
  if (bad !== undefined) throw new Error(`${JSON.stringify(bad)} is no queue name`)
  if (typeof worker !== 'function') throw new Error('worker has to be a function that makes a Worker')
  if (consent !== 'given' && consent !== 'ask') throw new Error("consent has to be 'given' or 'ask'")
  if (hours !== undefined) checkHours(hours)
  const { labels } = options
  const fault = labels && (labelsFault(labels) ?? labelsFault({ ...LARGEST_LABELS, ...labels }))
  if (fault !== undefined) throw new Error(`${fault.field}: ${fault.message}`)
  const size = whole('concurrency', options.concurrency ?? defaultSize(cores), 1, CONCURRENCY_MAX)
  if (options.prefetch !== undefined) whole('prefetch', options.prefetch, 0, Number.MAX_SAFE_INTEGER)
  return {
    ...options,
    names: [...new Set(names)],
    size,
    abortGraceMs: whole('abortGraceMs', options.abortGraceMs ?? ABORT_GRACE_MS, 0, ABORT_GRACE_MS_MAX),
    loadMsMax: whole('loadMsMax', options.loadMsMax ?? LOAD_MS_MAX, 1, Number.MAX_SAFE_INTEGER),
    cpuShare: checkedShare(options.cpuShare ?? 1),
    consentKey: options.consentKey ?? CONSENT_KEY,
  }
}

/** @throws RangeError for a share outside 0.05 – 1 */
export function checkedShare(share: number): number {
  if (typeof share === 'number' && share >= CPU_SHARE_MIN && share <= 1) return share
  throw new RangeError(`cpuShare has to be a number from ${CPU_SHARE_MIN} to 1, not ${String(share)}`)
}

/** One core is left free for the person. */
function defaultSize(cores: number): number {
  return Math.min(CONCURRENCY_MAX, Math.max(1, cores - 1))
}

function whole(name: string, value: number, min: number, max: number): number {
  if (Number.isInteger(value) && value >= min && value <= max) return value
  const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`
  throw new RangeError(`${name} has to be a whole number ${range}, not ${String(value)}`)
}
