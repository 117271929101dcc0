import { DEFAULT_CONFIG, type EngineConfig } from '@sluice/engine'
import { DEFAULT_LIMITS, DURATION_MS_MAX, type Limits } from '@sluice/protocol'
import * as v from 'valibot'
import { SECRET_BYTES_MIN } from '../access/secret.ts'
import { isAddressOrNetwork } from '../adapters/client-address.ts'
import { nodeMemory } from '../adapters/node-memory.ts'
import { DEFAULT_QUOTAS, type QuotaConfig } from '../core/access/quotas.ts'
import { DEFAULT_HOST_CONFIG, type HostConfig } from '../core/host-config.ts'
import { memoryBounds } from '../core/memory-bounds.ts'

/** One setting: its check, its allowed values in words, and its default. */
export interface Setting<T extends string | number = string | number> {
  schema: v.GenericSchema<unknown, T>
  /** Flags and environment are text. A `number` is parsed from it first. */
  type: 'number' | 'string'
  allowed: string
  default: T
  /** For `sluice broker --help`. */
  about: string
  group: 'Broker' | 'Access' | 'Quotas' | 'Bounds' | 'Task defaults' | 'Host' | 'Wire limits'
}

const COUNT_MAX = 1_000_000_000
const BYTES_MAX = 1024 ** 4

function whole(group: Setting['group'], about: string, initial: number, max: number, min = 1): Setting<number> {
  const allowed = `a whole number from ${min} to ${max}`
  const schema = v.pipe(v.number(allowed), v.safeInteger(allowed), v.minValue(min, allowed), v.maxValue(max, allowed))
  return { schema, type: 'number', allowed, default: initial, about, group }
}

function oneOf<const T extends string>(
  group: Setting['group'],
  about: string,
  initial: T,
  choices: readonly T[],
): Setting<T> {
  const allowed = `one of ${choices.join(', ')}`
  return { schema: v.picklist(choices, allowed), type: 'string', allowed, default: initial, about, group }
}

const ENGINE_DEFAULTS: EngineConfig = { ...DEFAULT_CONFIG, ...memoryBounds(nodeMemory()) }

const bound = (name: keyof Omit<EngineConfig, 'defaults'>, about: string, max: number) =>
  whole('Bounds', about, ENGINE_DEFAULTS[name], max)

const hostBound = (name: keyof Omit<HostConfig, 'limits'>, about: string, max: number) =>
  whole('Host', about, DEFAULT_HOST_CONFIG[name], max)

const limit = (name: keyof Limits, about: string, max: number, min = 1) =>
  whole('Wire limits', about, DEFAULT_LIMITS[name], max, min)

/** Text that may be absent. The empty text means absent. */
function optionalText(
  group: Setting['group'],
  about: string,
  allowed: string,
  isFit: (text: string) => boolean,
): Setting<string> {
  return {
    schema: v.pipe(
      v.string(allowed),
      v.check((text) => text === '' || isFit(text), allowed),
    ),
    type: 'string',
    allowed,
    default: '',
    about,
    group,
  }
}

/** Names separated by commas. */
export function listOf(text: string): string[] {
  return text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

function isOrigin(text: string): boolean {
  return URL.canParse(text) && new URL(text).origin === text
}

const anAddress = 'an address of this machine, such as 127.0.0.1 or 0.0.0.0'

export const BROKER_SETTINGS = {
  host: {
    schema: v.pipe(v.string(anAddress), v.regex(/^[a-z0-9.:-]+$/i, anAddress)),
    type: 'string',
    allowed: anAddress,
    default: '127.0.0.1',
    about: 'address to listen on; one that others reach needs a token setting',
    group: 'Broker',
  },
  port: whole('Broker', 'port of WebSocket and HTTP; 0 takes a free one', 7331, 65_535, 0),
  dataFile: {
    schema: v.pipe(v.string('a path'), v.nonEmpty('a path')),
    type: 'string',
    allowed: 'a path',
    default: '.sluice/broker.db',
    about: 'SQLite file that holds the tasks',
    group: 'Broker',
  },
  durability: oneOf(
    'Broker',
    'strict: on disk before it is accepted; relaxed: a power cut may lose the last moments; memory: nothing is kept',
    'strict',
    ['strict', 'relaxed', 'memory'],
  ),
  logLevel: oneOf('Broker', 'least severe line that is logged', 'info', [
    'trace',
    'debug',
    'info',
    'warn',
    'error',
    'fatal',
    'silent',
  ]),
} as const satisfies Record<string, Setting<string> | Setting<number>>

export const ACCESS_SETTINGS = {
  tokenSecret: optionalText(
    'Access',
    'shared secret that tokens are signed with (HS256); SLUICE_TOKEN_SECRET keeps it out of the list of processes',
    `a text of ${SECRET_BYTES_MIN} bytes or more: openssl rand -base64 48 makes one`,
    (text) => new TextEncoder().encode(text).length >= SECRET_BYTES_MIN,
  ),
  tokenKeysFile: optionalText(
    'Access',
    'file with public keys that tokens are checked with: a JWKS, or PEM',
    'a path',
    () => true,
  ),
  tokenJwksUrl: optionalText(
    'Access',
    'address of a JWKS that tokens are checked with',
    'an http or https URL',
    (text) => /^https?:\/\//.test(text) && URL.canParse(text),
  ),
  tokenIssuer: optionalText('Access', 'what iss of a token has to be', 'a text', () => true),
  tokenAudience: optionalText('Access', 'what aud of a token has to hold', 'a text', () => true),
  allowedOrigins: optionalText(
    'Access',
    'origins whose pages may connect, with commas between them',
    'origins such as https://app.example.com, with commas between them',
    (text) => listOf(text).every(isOrigin),
  ),
  allowedHosts: optionalText(
    'Access',
    'names that the broker is called by, with commas between them; any where tokens are asked for',
    'names such as queue.example.com, without a port, with commas between them',
    (text) => listOf(text).every((name) => /^[a-z0-9.:[\]-]+$/i.test(name)),
  ),
  trustedProxies: optionalText(
    'Access',
    "addresses of proxies whose X-Forwarded-For or Forwarded tells the client's address, with commas between them",
    'addresses or networks such as 127.0.0.1 or 10.0.0.0/8, with commas between them',
    (text) => listOf(text).every(isAddressOrNetwork),
  ),
  tlsCert: optionalText(
    'Access',
    'file of a certificate and its chain, in PEM, to speak TLS with',
    'a path',
    () => true,
  ),
  tlsKey: optionalText('Access', 'file of its private key, in PEM', 'a path', () => true),
} as const satisfies Record<string, Setting<string>>

const quota = (name: keyof QuotaConfig, about: string, max: number) => whole('Quotas', about, DEFAULT_QUOTAS[name], max)

/** These apply only with access control. */
export const QUOTA_SETTINGS = {
  principalConnectionsMax: quota('principalConnectionsMax', 'connections of a principal', 1_000_000),
  addressConnectionsMax: quota('addressConnectionsMax', 'connections from an address', 1_000_000),
  addressPendingMax: quota('addressPendingMax', 'connections from an address that have not said hello', 1_000_000),
  principalSubmitsPerSecond: quota('principalSubmitsPerSecond', 'tasks that a principal submits a second', COUNT_MAX),
  principalBytesPerSecond: quota('principalBytesPerSecond', 'bytes of their bodies a second', BYTES_MAX),
  principalLookUpsPerSecond: quota(
    'principalLookUpsPerSecond',
    'ids that it queries, watches or cancels a second',
    COUNT_MAX,
  ),
  principalCreditMax: quota('principalCreditMax', 'deliveries that all workers of a principal may hold', COUNT_MAX),
  principalWaitsMax: quota('principalWaitsMax', 'HTTP requests of a principal that wait', 1_000_000),
  principalUnreadBytesMax: quota('principalUnreadBytesMax', 'bytes that a principal has not read', BYTES_MAX),
  addressRequestsMax: quota('addressRequestsMax', 'HTTP requests from an address without an answer yet', 1_000_000),
} as const satisfies Record<keyof QuotaConfig, Setting<number>>

export const ENGINE_SETTINGS = {
  queueTasksMax: bound('queueTasksMax', 'unfinished tasks in a queue', COUNT_MAX),
  queueBytesMax: bound('queueBytesMax', "bytes of a queue's unfinished bodies", BYTES_MAX),
  queuesMax: bound('queuesMax', 'queues', 1_000_000),
  principalQueuesMax: bound('principalQueuesMax', 'queues that one principal named first', 1_000_000),
  tasksMax: bound('tasksMax', 'tasks over all queues; default: what fits in the heap', COUNT_MAX),
  bytesMax: bound('bytesMax', 'bytes of bodies and results over all queues; default: half of the memory', BYTES_MAX),
  queueHistoryBytesMax: bound('queueHistoryBytesMax', "bytes of a queue's failures and progress", BYTES_MAX),
  historyBytesMax: bound('historyBytesMax', 'the same over all queues; default: what fits in the heap', BYTES_MAX),
  queueResultsMax: bound('queueResultsMax', 'succeeded and cancelled tasks that a queue keeps', COUNT_MAX),
  queueResultBytesMax: bound('queueResultBytesMax', 'bytes of the results that a queue keeps', BYTES_MAX),
  queueDeadMax: bound('queueDeadMax', 'dead letters that a queue keeps', COUNT_MAX),
  principalTasksMax: bound('principalTasksMax', 'unfinished tasks of one principal, with access control', COUNT_MAX),
  sessionsMax: bound('sessionsMax', 'sessions', 1_000_000),
  submitCredit: bound('submitCredit', 'unanswered submissions of a session', 1_000_000),
  graceMs: bound('graceMs', "how long a lost connection's session waits", DURATION_MS_MAX),
  deadTtlMs: bound('deadTtlMs', 'how long a dead letter is kept', DURATION_MS_MAX),
  releasesMax: bound('releasesMax', 'times a task is handed back for free', 1_000_000),
  principalWatchesMax: whole(
    'Quotas',
    'tasks that all sessions of a principal watch',
    ENGINE_DEFAULTS.principalWatchesMax,
    COUNT_MAX,
  ),
  watchersMax: bound('watchersMax', 'sessions that hear of one task', 10_000),
  sessionWatchesMax: bound('sessionWatchesMax', 'tasks that a session watches by id', COUNT_MAX),
  retryAfterMsMin: bound('retryAfterMsMin', 'shortest wait told when busy', DURATION_MS_MAX),
  retryAfterMsMax: bound('retryAfterMsMax', 'longest wait told when busy', DURATION_MS_MAX),
} as const satisfies Record<keyof Omit<EngineConfig, 'defaults'>, Setting<number>>

export const HOST_SETTINGS = {
  connectionsMax: hostBound('connectionsMax', 'connections', 1_000_000),
  pendingConnectionsMax: hostBound('pendingConnectionsMax', 'connections that have not said hello', 1_000_000),
  helloTimeoutMs: hostBound('helloTimeoutMs', 'from a connection to its hello', 60_000),
  pingEveryMs: hostBound('pingEveryMs', 'how often a socket is pinged; a silent one is dropped', 60_000),
  requestTimeoutMs: hostBound(
    'requestTimeoutMs',
    'to send a whole HTTP request, or to read its answer',
    DURATION_MS_MAX,
  ),
  heartbeatMs: hostBound('heartbeatMs', 'how often a worker names its leases', 60_000),
  sendBufferBytesHigh: hostBound('sendBufferBytesHigh', 'unsent bytes that stop deliveries', BYTES_MAX),
  sendBufferBytesMax: hostBound('sendBufferBytesMax', 'unsent bytes that close a connection', BYTES_MAX),
  bodyCacheBytesMax: hostBound('bodyCacheBytesMax', 'bytes of bodies kept in memory', BYTES_MAX),
  stagedBytesMax: hostBound('stagedBytesMax', 'unwritten bytes that pause reading', BYTES_MAX),
  lazyFlushMs: hostBound('lazyFlushMs', 'how late an unimportant event is written', 60_000),
  compactEveryMs: hostBound('compactEveryMs', 'how often compaction looks for work', DURATION_MS_MAX),
  compactBytesMin: hostBound('compactBytesMin', 'a smaller journal is not rewritten', BYTES_MAX),
  waitersMax: hostBound('waitersMax', 'HTTP requests that wait for an outcome', 1_000_000),
  drainRetryAfterMs: hostBound('drainRetryAfterMs', 'wait told to clients when leaving', DURATION_MS_MAX),
} as const satisfies Record<keyof Omit<HostConfig, 'limits'>, Setting<number>>

const { defaults } = DEFAULT_CONFIG
const duration = (about: string, initial: number, min = 0) =>
  whole('Task defaults', about, initial, DURATION_MS_MAX, min)
const DAY_MS = 24 * 60 * 60 * 1000

/** Defaults for what a submission leaves out: `defaultLeaseMs` is for `leaseMs` of `SubmitOptions`, and so on. */
export const TASK_SETTINGS = {
  defaultPriority: whole('Task defaults', 'priority; higher is sooner', defaults.priority, 9, 0),
  defaultDelayMs: duration('delay before the first delivery', defaults.delayMs),
  defaultTtlMs: duration('time to be delivered within; 0 is no limit', defaults.ttlMs),
  defaultLeaseMs: whole(
    'Task defaults',
    'how long a delivery lives without a heartbeat',
    defaults.leaseMs,
    DAY_MS,
    100,
  ),
  defaultTimeLimitMs: duration('how long a handler may run; 0 is no limit', defaults.timeLimitMs),
  defaultResultTtlMs: duration('how long an outcome is kept', defaults.resultTtlMs),
  defaultRetryKind: oneOf('Task defaults', 'how failed attempts are spaced', defaults.retry.kind, [
    'none',
    'fixed',
    'exponential',
  ]),
  defaultRetryAttemptsMax: whole('Task defaults', 'deliveries in all', defaults.retry.attemptsMax, 1000),
  defaultRetryDelayMs: duration('first delay between attempts', defaults.retry.delayMs),
  defaultRetryDelayMsMax: duration('longest delay between attempts', defaults.retry.delayMsMax),
  defaultRetryJitter: oneOf('Task defaults', 'whether delays are randomised', defaults.retry.jitter, ['full', 'none']),
} as const satisfies Record<string, Setting<string> | Setting<number>>

const LENGTH_MAX = 1024 * 1024

export const LIMIT_SETTINGS = {
  frameBytesMax: limit('frameBytesMax', 'bytes of a frame or an HTTP request', 64 * 1024 * 1024, 1024),
  frameMessagesMax: limit('frameMessagesMax', 'messages in a frame', 100_000),
  batchItemsMax: limit('batchItemsMax', 'tasks, results or ids in a message', 100_000),
  bodyBytesMax: limit('bodyBytesMax', 'bytes of a body or a result', 64 * 1024 * 1024),
  depthMax: limit('depthMax', 'nesting of JSON', 1000, 8),
  nameLengthMax: limit('nameLengthMax', 'length of a name', LENGTH_MAX, 36),
  messageLengthMax: limit('messageLengthMax', "length of an error's message", LENGTH_MAX),
  stackLengthMax: limit('stackLengthMax', "length of an error's stack", LENGTH_MAX),
  tokenLengthMax: limit('tokenLengthMax', 'length of a token', LENGTH_MAX),
  progressBytesMax: limit('progressBytesMax', 'bytes of a progress value', LENGTH_MAX),
  creditMax: limit('creditMax', 'deliveries that a session may hold', 1_000_000),
  sessionQueuesMax: limit('sessionQueuesMax', 'queues that a session may take from', 10_000),
} as const satisfies Record<keyof Limits, Setting<number>>

/** All settings. Each has one name: `queueTasksMax` in a file, `SLUICE_QUEUE_TASKS_MAX`, `--queue-tasks-max`. */
export const SETTINGS = {
  ...BROKER_SETTINGS,
  ...ACCESS_SETTINGS,
  ...QUOTA_SETTINGS,
  ...ENGINE_SETTINGS,
  ...TASK_SETTINGS,
  ...HOST_SETTINGS,
  ...LIMIT_SETTINGS,
}

export type SettingName = keyof typeof SETTINGS

export type Settings = { [N in SettingName]: v.InferOutput<(typeof SETTINGS)[N]['schema']> }

export const SETTING_NAMES = Object.keys(SETTINGS) as SettingName[]

function words(name: string): string[] {
  return name.split(/(?=[A-Z])/).map((word) => word.toLowerCase())
}

export function flagOf(name: SettingName): string {
  return `--${words(name).join('-')}`
}

export function environmentNameOf(name: SettingName): string {
  return `SLUICE_${words(name).join('_').toUpperCase()}`
}
