import type { Fault } from '@sluice/world'

export type PartKind = 'producer' | 'tab' | 'broker' | 'worker' | 'stranger'

/** A machine on the stage. */
export interface PartView {
  name: string
  kind: PartKind
  /** Its group in the scenario, from 0; undefined for the broker. */
  group: number | undefined
  isUp: boolean
  /** Of its connection to the broker; of the broker: that it listens. */
  link: 'none' | 'connecting' | 'open'
  /** Faults that go on, such as `paused`. */
  troubles: readonly string[]
  /** Of a worker: how many handlers may run at once, and how many deliveries it asks for. */
  slots: number
  credit: number
  /** Tasks that wait at a producer until they can leave. */
  waiting: number
  /** When the broker last answered `busy` to it. */
  busyAtMs: number | undefined
  /** How many tasks it has submitted, or handlers it has run. */
  total: number
}

/**
 * Where a task is, as an onlooker sees it.
 * - `producer`: submitted by the program, and not sent or refused for now.
 * - `toBroker`, `toWorker`, `toProducer`: in a message on its way.
 * - `fromWorker`: its result is on its way.
 * - `delayed`, `ready`, `leased`: at the broker. A leased task there has no delivery on its way that is known of.
 * - `held`: at a worker, and no handler has begun it.
 * - `lost`: its worker is gone, and its lease goes on.
 * - `running`: a handler works on it.
 * - `settled`: finished, at the broker.
 * - `done`: its producer knows. It is about to leave the picture.
 */
export type Place =
  | 'producer'
  | 'toBroker'
  | 'delayed'
  | 'ready'
  | 'leased'
  | 'toWorker'
  | 'held'
  | 'lost'
  | 'running'
  | 'fromWorker'
  | 'settled'
  | 'toProducer'
  | 'done'

export type TaskState = 'new' | 'delayed' | 'ready' | 'leased' | 'succeeded' | 'dead' | 'cancelled'

export interface TaskView {
  id: string
  /** In the order of submission, from 1: short enough to be read. */
  number: number
  queue: string
  priority: number
  state: TaskState
  place: Place
  /** The producer it came from. */
  producer: string
  /** The client that carries its message to or from the broker: another tab of its device may send for it. */
  via: string
  /** The worker that has it or had it last. */
  worker: string | undefined
  /** Attempts so far. */
  attempts: number
  /** When it came to where it is. */
  sinceMs: number
  /** On its way: when it will arrive, if that is known. */
  arrivesAtMs: number | undefined
  /** Handlers that work on it at the moment. More than one is a duplicate. */
  runs: number
}

/** A small message on a link that carries no task. */
export interface PulseView {
  node: string
  by: 'node' | 'broker'
  kind: 'busy' | 'heartbeat' | 'answer' | 'revoke' | 'drain' | 'hello'
  sentAtMs: number
  arrivesAtMs: number | undefined
}

export interface QueueView {
  name: string
  delayed: number
  ready: number
  leased: number
  dead: number
}

export interface FaultView {
  number: number
  fault: Fault
  sinceMs: number
}

export interface StageView {
  atMs: number
  parts: readonly PartView[]
  queues: readonly QueueView[]
  /** Those that are drawn: everything on its way and at workers, and the first of those that wait. */
  tasks: readonly TaskView[]
  pulses: readonly PulseView[]
  faults: readonly FaultView[]
  /** Batches that are given to the journal and not yet durable, and the events in them. */
  journal: { batches: number; events: number }
  counts: { submitted: number; succeeded: number; dead: number; cancelled: number; retries: number; busy: number }
}
