import type { HostConfig } from '@sluice/broker/core'
import type { EngineConfig } from '@sluice/engine'
import type { SubmitOptions } from '@sluice/protocol'
import type { Distribution } from './distribution.ts'
import type { FaultRates, TimedFault } from './fault.ts'

/** How submissions arrive at one producer. Rates are tasks a second. */
export type Arrivals =
  | { kind: 'steady'; rate: number }
  | { kind: 'poisson'; rate: number }
  /** `size` tasks at once, every `everyMs`. */
  | { kind: 'burst'; size: number; everyMs: number }
  /** From one rate to another over the scenario's duration. */
  | { kind: 'ramp'; from: number; to: number }
  /** `inFlight` tasks at a time: the next one follows each outcome after a pause. */
  | { kind: 'closedLoop'; inFlight: number; thinkMs: Distribution }

/** A kind of task and how often it is submitted. */
export interface TaskMix {
  queue: string
  weight: number
  options?: SubmitOptions
  /** Characters; with the `alphabet` `mixed`, of up to three bytes each. */
  bodyBytes: Distribution
  /** Default `latin`. */
  alphabet?: 'latin' | 'mixed'
}

export interface ProducerGroup {
  count: number
  arrivals: Arrivals
  tasks: readonly TaskMix[]
  /** Which of `tasks` is next: by chance and weight, or one after the other. Default `byChance`. */
  dealing?: 'byChance' | 'inTurn'
  /** The most tasks that each one submits. */
  tasksMax?: number
  /** What happens at a full queue: the client waits and retries by itself, or the task is given up. Default `wait`. */
  onBusy?: 'wait' | 'giveUp'
  /** Probabilities for each task. */
  resubmits?: number
  cancels?: number
  /** Does not wait for the outcome and asks for it later by id. */
  asksLater?: number
  /** Of those: keeps the handle, which is told the outcome whether or not it asks. */
  keepsHandles?: number
  /** Whether its client makes the ids; otherwise the producer writes them down before it submits. */
  unnamed?: boolean
  /** How many tasks its client tracks without anybody waiting for them. Default: the product's. */
  watchedMax?: number
  /** How long an outcome is useful. After that, the task is submitted again, as an impatient user does. */
  patienceMs?: number
  /** How often an impatient user retries. Default 0. */
  impatientRetriesMax?: number
  /** How long an impatient user waits before a retry. Default: not at all. */
  impatientBackOff?:
    | { kind: 'none' }
    | { kind: 'exponential'; baseMs: number; capMs: number }
    | { kind: 'budget'; ratio: number }
  /** Leaves for good, without a goodbye, after about this long. */
  vanishesAfterMs?: Distribution
  /** Its client's random source always returns one half, as if there were no jitter. */
  drawsAlike?: boolean
  /** Whether it sends text frames. */
  speaksText?: boolean
  /** Submits without regard to its credit. It sends binary frames. */
  ignoresCredit?: boolean
  /** Asks for the state of its last tasks this often, answered or not. It sends binary frames. */
  nagsEveryMs?: number
}

/** Devices with a browser, whose pages submit through an outbox. */
export interface BrowserGroup {
  count: number
  /** The number of tabs of each one. All of them are of one owner and share a storage. */
  tabs: number
  /** Of each tab. */
  arrivals: Arrivals
  tasks: readonly TaskMix[]
  /** The most submissions of each tab. */
  itemsMax?: number
  /** Probabilities for each submission: it is cancelled later, has an ordering key, names an intent. */
  cancels?: number
  orderingKeys?: number
  intents?: number
  /** As the option of the product's outbox. */
  whenUnsaved?: 'throw' | 'memory'
  keepEnded?: number
  /** How long a transaction of the storage takes. */
  storeMs: Distribution
}

export type Service = {
  /** How long a handler takes. */
  ms: Distribution
  /** Probabilities of how an attempt ends; the rest succeeds. */
  fails?: number
  failsForGood?: number
  /** Never returns until aborted. */
  hangs?: number
  /** Crashes the whole worker process. */
  crashes?: number
  progressEveryMs?: number
  /** Bytes of the result, at most `bodyBytesMax`. Default 10. */
  resultBytes?: Distribution
  /** Failures name this delay before the next attempt. */
  retryAfterMs?: number
  /** How long a handler goes on after its signal has fired. Default: not at all. */
  deafMs?: Distribution
  /** Probability of a result that is bytes of no stated kind instead of JSON. */
  returnsBytes?: number
}

/** Ways in which a worker's messages are falsified on their way to the broker. */
export type Falsehood =
  /** Settles leases that it does not hold. */
  | 'inventsLeases'
  /** Sends every settlement twice. */
  | 'repeats'
  /** Names each lease twice in some of its settlements. */
  | 'repeatsItems'
  /** Sends no heartbeats. */
  | 'neverBeats'
  /** Settles again what it has settled or lost, a while later. */
  | 'settlesLate'
  /** Claims in `hello` to hold leases that it does not hold. */
  | 'resumesStrangers'
  /** Cuts frames off, so that they are invalid. The broker ends the connection, and the program does not try again. */
  | 'babbles'
  /** Does not say hello on some of its connections. */
  | 'withholdsHello'

export interface WorkerGroup {
  count: number
  queues: readonly string[]
  concurrency: number
  prefetch?: number
  /** By queue name; `*` for those not named. */
  service: Readonly<Record<string, Service>>
  falsehoods?: readonly Falsehood[]
  /** Whether it sends text frames. */
  speaksText?: boolean
  /** The factor by which it is faster than its service times. Default 1. */
  speed?: number
  /** How long handlers may go on when it leaves; 0: it closes at once. Default: the product's. */
  drainGraceMs?: number
}

/** What a program does that speaks to the broker without one of its clients. */
export type Misdeed =
  | 'speaksOtherVersions'
  | 'forgetsHello'
  | 'repeatsHello'
  /** Sends bytes that are no frame, or messages that no client sends. */
  | 'saysNonsense'
  /** Sends what only workers may, in a session without that role. */
  | 'actsAsWorker'
  /** Exceeds a limit by one or by one byte. */
  | 'passesLimits'
  /** Submits tasks of which some have the same id, in one message, with the same content and with another. */
  | 'repeatsIds'
  /** Opens sessions and abandons them. */
  | 'opensSessions'
  /** Takes from queues that nobody else names. */
  | 'namesQueues'
  /** Asks for tasks and leases that do not exist. */
  | 'asksForAnything'

export interface StrangerGroup {
  count: number
  /** The mean time from one connection to the next. */
  everyMs: number
  misdeeds: readonly Misdeed[]
}

/** Someone with the broker's HTTP API: what they do, and how long they wait in between. */
export interface OperatorProfile {
  /** Redrives a few dead letters, or all of a queue. */
  redriveEveryMs?: number
  /** Submits a task of the first producers' mix. */
  submitEveryMs?: number
  /** Asks for one of their own tasks, waits for its outcome, or cancels it. Looks at queues, workers and health. */
  askEveryMs?: number
}

export interface NetworkProfile {
  /** One way, for each message. */
  delayMs: Distribution
  /** For each direction of a connection. Default: without limit. */
  bytesPerSecond?: number
  /** What the kernel's buffers on both sides hold before the sender sees buffered bytes. Default 256 KiB. */
  windowBytes?: number
  /** After this time without progress the sender's kernel gives up a connection. Default 30,000. */
  giveUpAfterMs?: number
  /** How often the broker's transport pings, and so finds dead connections. Default 25,000. */
  pingEveryMs?: number
}

export interface JournalProfile {
  appendMs: Distribution
  readMs: Distribution
  /** Whether an append that takes no time returns instead of resolving. Default true. */
  isSynchronous?: boolean
  durability?: 'strict' | 'relaxed'
}

/** One experiment: everything but the seed. It is plain data, so it can be saved, sent and reduced. */
export interface Scenario {
  name: string
  /** Tasks arrive and random faults happen in this time. */
  durationMs: number
  /** Then every fault ends, and within this time every task must be finished. */
  settleMs: number
  engine?: Partial<EngineConfig>
  hosting?: Partial<HostConfig>
  journal: JournalProfile
  network: NetworkProfile
  producers: readonly ProducerGroup[]
  workers: readonly WorkerGroup[]
  browsers?: readonly BrowserGroup[]
  strangers?: readonly StrangerGroup[]
  operator?: OperatorProfile
  /** Faults by chance. */
  faultRates?: FaultRates
  /** Faults at given times. */
  script?: readonly TimedFault[]
}
