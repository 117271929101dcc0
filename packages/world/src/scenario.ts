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
  /** `inFlight` tasks at a time: the next one after each outcome and a pause for thought. */
  | { kind: 'closedLoop'; inFlight: number; thinkMs: Distribution }

/** A kind of task and how often it is the one that is submitted. */
export interface TaskMix {
  queue: string
  weight: number
  options?: SubmitOptions
  /** Characters, with `alphabet` of `mixed` of up to three bytes each. */
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
  /** Tasks each one submits at most. */
  tasksMax?: number
  /** What happens at a full queue: the client waits and tries again by itself, or the task is given up. Default `wait`. */
  onBusy?: 'wait' | 'giveUp'
  /** Probabilities for each task. */
  resubmits?: number
  cancels?: number
  /** Does not wait for the outcome and asks for it later by id. */
  asksLater?: number
  /** Of those it asks for later: it keeps the handle that it was given, which is told the outcome whether or not it asks. */
  keepsHandles?: number
  /** Whether it leaves it to its client to make ids, instead of writing them down before it submits. */
  unnamed?: boolean
  /** Tasks of which its clients keep track without anybody waiting for them. Default: that of the product. */
  watchedMax?: number
  /** How long an outcome is of use to whoever waits for it: past it the task is submitted anew, as an impatient user does. */
  patienceMs?: number
  /** How often an impatient one tries again. Default 0. */
  impatientRetriesMax?: number
  /** How long an impatient one waits before it tries again. Default: at once. */
  impatientBackOff?:
    | { kind: 'none' }
    | { kind: 'exponential'; baseMs: number; capMs: number }
    | { kind: 'budget'; ratio: number }
  /** Leaves for good, without a goodbye, after about this long. */
  vanishesAfterMs?: Distribution
  /** Its client's random source always says one half, as if nobody had thought of jitter. */
  drawsAlike?: boolean
  /** Whether it speaks in text frames. */
  speaksText?: boolean
  /** Submits without a thought for its credit. It speaks in binary frames. */
  ignoresCredit?: boolean
  /** Asks for the state of its last tasks this often, answered or not. It speaks in binary frames. */
  nagsEveryMs?: number
}

export type Service = {
  /** How long a handler takes. */
  ms: Distribution
  /** Probabilities of how an attempt ends; the rest succeeds. */
  fails?: number
  failsForGood?: number
  /** Never returns until aborted. */
  hangs?: number
  /** Takes the whole worker process down with it. */
  crashes?: number
  progressEveryMs?: number
  /** Bytes of the result, `bodyBytesMax` at most. Default 10. */
  resultBytes?: Distribution
  /** Failures name this delay before the next attempt. */
  retryAfterMs?: number
  /** How long a handler goes on after its signal has fired. Default: not at all. */
  deafMs?: Distribution
  /** Probability of a result that is bytes of no stated kind, instead of JSON. */
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
  /** Cuts frames off, so that they are none. The broker ends the connection, and the program does not try again. */
  | 'babbles'
  /** Does not say hello on some of its connections. */
  | 'withholdsHello'

export interface WorkerGroup {
  count: number
  queues: readonly string[]
  concurrency: number
  prefetch?: number
  /** By queue name, `*` for those not named. */
  service: Readonly<Record<string, Service>>
  falsehoods?: readonly Falsehood[]
  /** Whether it speaks in text frames. */
  speaksText?: boolean
  /** How many times as fast as its service times say. Default 1. */
  speed?: number
  /** How long handlers may go on when it leaves; 0: it closes at once. Default: that of the product. */
  drainGraceMs?: number
}

/** What somebody does who speaks to the broker without one of its clients. */
export type Misdeed =
  | 'speaksOtherVersions'
  | 'forgetsHello'
  | 'repeatsHello'
  /** Sends what is no frame, or what no client says. */
  | 'saysNonsense'
  /** Says what only workers may, in a session without that role. */
  | 'actsAsWorker'
  /** Sends one more or one byte more than a limit allows. */
  | 'passesLimits'
  /** Submits tasks of which some have the same id, in one message, with the same content and with another. */
  | 'repeatsIds'
  /** Opens sessions and leaves them behind. */
  | 'opensSessions'
  /** Takes from queues that nobody else has heard of. */
  | 'namesQueues'
  /** Asks for tasks and leases that there are none of. */
  | 'asksForAnything'

export interface StrangerGroup {
  count: number
  /** On average, from one connection to the next. */
  everyMs: number
  misdeeds: readonly Misdeed[]
}

/** Somebody with the broker's HTTP API: what they do, and how long they wait in between. */
export interface OperatorProfile {
  /** Makes a few dead letters ready, or all of a queue. */
  redriveEveryMs?: number
  /** Submits a task of the first producers' mix. */
  submitEveryMs?: number
  /** Asks for one of their own tasks, waits for its outcome, or cancels it; looks at queues, workers and health. */
  askEveryMs?: number
}

export interface NetworkProfile {
  /** One way, for each message. */
  delayMs: Distribution
  /** Each direction of a connection. Default: without limit. */
  bytesPerSecond?: number
  /** What the kernel's buffers on both sides hold before the sender sees buffered bytes. Default 256 KiB. */
  windowBytes?: number
  /** After how long a connection that gets nothing through is given up by the sender's kernel. Default 30,000. */
  giveUpAfterMs?: number
  /** How often the broker's transport pings, and so finds the dead. Default 25,000. */
  pingEveryMs?: number
}

export interface JournalProfile {
  appendMs: Distribution
  readMs: Distribution
  /** Whether an append that takes no time returns instead of resolving. Default true. */
  isSynchronous?: boolean
  durability?: 'strict' | 'relaxed'
}

/** One experiment: everything but the seed. Plain data, so that it can be saved, sent and cut down. */
export interface Scenario {
  name: string
  /** Tasks arrive and random faults happen in this time. */
  durationMs: number
  /** Then every fault ends, and within this time every task has to be finished. */
  settleMs: number
  engine?: Partial<EngineConfig>
  hosting?: Partial<HostConfig>
  journal: JournalProfile
  network: NetworkProfile
  producers: readonly ProducerGroup[]
  workers: readonly WorkerGroup[]
  strangers?: readonly StrangerGroup[]
  operator?: OperatorProfile
  /** Chance. */
  faultRates?: FaultRates
  /** Certainty. */
  script?: readonly TimedFault[]
}
