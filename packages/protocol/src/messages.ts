import type { Bodies } from './bodies.ts'
import type { ErrorCode, WireError } from './errors.ts'
import type { Limits } from './limits.ts'

/** The WebSocket subprotocol, RFC 6455 §1.9. */
export const SUBPROTOCOL = 'sluice.v1'
/** Protocol versions spoken by this code, newest first. */
export const VERSIONS: readonly number[] = [1]

export type Role = 'producer' | 'worker'

/** When and how a failed attempt is tried again. */
export interface RetryPolicy {
  kind: 'none' | 'fixed' | 'exponential'
  /** Deliveries in all, the first one included. 1 – 1,000. Default 5. */
  attemptsMax?: number
  /** The fixed delay, or the first step of the exponential one, in ms. Default 1,000. */
  delayMs?: number
  /** The cap of the exponential delay before jitter, in ms. Default 60,000. */
  delayMsMax?: number
  /** `full` draws uniformly from 0 to the delay; `none` uses the delay as it is. Default `full`. */
  jitter?: 'full' | 'none'
}

/** What a submission may ask for. Absent fields take the queue's default. All durations in ms, 0 – 30 days. */
export interface SubmitOptions {
  /** 0 – 9; higher is delivered sooner. Default 5. */
  priority?: number
  /** Not delivered before this long after acceptance. Default 0. */
  delayMs?: number
  /** Must be delivered for the first time within this long after acceptance (the delay included), else dead letter `expired`. Default 0: no limit. */
  ttlMs?: number
  /** How long a delivery may go without a heartbeat, 100 ms – 24 h. Default 30,000. */
  leaseMs?: number
  /** How long a handler may run in all; enforced by the worker. Default 0: no limit. */
  timeLimitMs?: number
  /** How long the outcome is kept. Default 1 h. */
  resultTtlMs?: number
  retry?: RetryPolicy
}

// ─── client → broker ───────────────────────────────────────────────────────────────────────────────────────────────

export interface Hello {
  type: 'hello'
  versions: number[]
  roles: Role[]
  /** A label for people: program name, host. */
  name?: string
  token?: string
  /** This worker says `begin` where the broker understands it. Absent: each delivery counts as begun. */
  begins?: true
  /**
   * Take up an earlier session: its id, the leases that this side still works on, and the lease up to which, itself included, it has
   * begun its deliveries (0 for none).
   */
  resume?: { session: string; leases: number[]; begun?: number }
}

/**
 * A message whose items have bodies. All of them are of one content type; absent means `application/json`.
 *
 * `bodies` of a received message view its frame: copy what is kept for long. On the wire a text frame holds them inline (`bodies`
 * for JSON, `base64` otherwise); a binary frame holds their lengths (`bytes`) in the header and the bytes behind the header, in the
 * order of the messages.
 */
export interface WithBodies {
  contentType?: string
  /** As many as the message's other columns have items. */
  bodies: Bodies
}

/** One queue and one set of options for all tasks of the message; answered by `submitted` with the same `ref`. */
export interface Submit extends WithBodies {
  type: 'submit'
  ref: number
  queue: string
  options?: SubmitOptions
  /** Whether this session wants the outcomes and progress of these tasks. Default true. */
  watch?: boolean
  /** UUIDv7 (RFC 9562), minted by the submitter before anything is stored; lower case. */
  ids: string[]
}

/** The deliveries that this session is ready to hold in all, and from which queues. Absolute: replaces what was said before. */
export interface Credit {
  type: 'credit'
  credit: number
  queues: string[]
}

/**
 * Every delivery of this session up to the one of this lease, itself included, has been begun: leases ascend, and a worker begins its
 * deliveries in their order. Not answered.
 */
export interface Begin {
  type: 'begin'
  lease: number
}

/** The work of these leases lives: each is renewed for its full `leaseMs`. Answered by `renewed`. */
export interface Heartbeat {
  type: 'heartbeat'
  ref: number
  leases: number[]
}

/** Newest progress of tasks in work; any JSON value. Not answered. */
export interface ReportProgress {
  type: 'reportProgress'
  updates: { lease: number; progress: unknown }[]
}

/** Results; answered by `settled`. */
export interface Complete extends WithBodies {
  type: 'complete'
  ref: number
  leases: number[]
}

export interface TaskFailure {
  /** For people. */
  message: string
  /** The name of the error's class. */
  name?: string
  /** The application's or platform's own code, such as `ENOENT`. */
  code?: string
  /** Where it was thrown; behind that, the same of its causes. */
  stack?: string
}

/** Failed attempts; answered by `settled`. */
export interface Fail {
  type: 'fail'
  ref: number
  failures: FailedLease[]
}
export interface FailedLease {
  lease: number
  error: TaskFailure
  /** False sends the task to the dead letters at once. Default true. */
  retryable?: boolean
  /** The worker's own choice of delay instead of the retry policy's, in ms. */
  retryAfterMs?: number
}

/** Leases handed back unfinished: the tasks are ready again and no attempt is counted. Answered by `settled`. */
export interface Release {
  type: 'release'
  ref: number
  leases: number[]
}

/** Answered by `cancelled`. */
export interface Cancel {
  type: 'cancel'
  ref: number
  ids: string[]
}

/** Answered by `status`. */
export interface Query {
  type: 'query'
  ref: number
  ids: string[]
}

/** Send the outcomes (at once where there is one) and progress of these tasks here. Answered by `watched`. */
export interface Watch {
  type: 'watch'
  ref: number
  ids: string[]
}
export interface Unwatch {
  type: 'unwatch'
  ids: string[]
}

/** This session ends for good: its leases are released without waiting for the grace window. */
export interface Bye {
  type: 'bye'
}

export interface Ping {
  type: 'ping'
  ref: number
}
export interface Pong {
  type: 'pong'
  ref: number
}

export type ClientMessage =
  | Hello
  | Submit
  | Credit
  | Begin
  | Heartbeat
  | ReportProgress
  | Complete
  | Fail
  | Release
  | Cancel
  | Query
  | Watch
  | Unwatch
  | Bye
  | Ping
  | Pong

// ─── broker → client ───────────────────────────────────────────────────────────────────────────────────────────────

export interface Welcome {
  type: 'welcome'
  version: number
  /** Unguessable; whoever knows it may resume the session. */
  session: string
  resumed: boolean
  /** Of the leases named in `hello.resume`, those that this session does not hold any more. */
  lostLeases: number[]
  /** Tasks this session may have submitted without an answer. */
  submitCredit: number
  /** Send a heartbeat for every lease in work, and something at least, this often. */
  heartbeatMs: number
  /** How long the broker keeps the session of a lost connection. */
  graceMs: number
  durability: 'strict' | 'relaxed' | 'memory'
  /** The broker understands `begin`. */
  begins?: true
  limits: Limits
}

/** All tasks of the submission with this `ref` are durable, but for the refused ones. */
export interface Submitted {
  type: 'submitted'
  ref: number
  refused: { index: number; error: WireError }[]
}

/** The submit credit has changed: tasks this session may have submitted without an answer. */
export interface SubmitCredit {
  type: 'submitCredit'
  credit: number
}

/**
 * How the tasks of a delivery are to be begun. `announced`: `begin` leaves before the handler is called, for each task on its own.
 * `alone`: that too, and while its handler runs no other does.
 */
export type Start = 'announced' | 'alone'

export interface Deliver extends WithBodies {
  type: 'deliver'
  queue: string
  leaseMs: number
  timeLimitMs?: number
  /** Absent: as the worker likes, in the order of the leases. */
  start?: Start
  ids: string[]
  /** The fencing tokens, unique in the broker's life and growing: name them in heartbeat, progress, complete, fail, release. */
  leases: number[]
  /** 1 for the first delivery. Absent where that is true of all of them. */
  attempts?: number[]
}

export interface Renewed {
  type: 'renewed'
  ref: number
  lost: number[]
}

/** The settlements of the message with this `ref` are durable, but for the refused ones (index into its list). */
export interface Settled {
  type: 'settled'
  ref: number
  refused: { index: number; error: WireError }[]
}

/** Stop working on these leases; they are not held any more. */
export interface Revoke {
  type: 'revoke'
  leases: number[]
  reason: 'cancelled' | 'expired'
}

export interface Cancelled {
  type: 'cancelled'
  ref: number
  refused: { index: number; error: WireError }[]
}

export type TaskStateName = 'delayed' | 'ready' | 'leased' | 'succeeded' | 'dead' | 'cancelled'

export interface TaskStatus {
  id: string
  /** `unknown`: never submitted, or its record has expired. */
  state: TaskStateName | 'unknown'
  queue?: string
  /** Deliveries that count so far. */
  attempts?: number
  progress?: unknown
  /** How long ago it was accepted. */
  ageMs?: number
  /** Of a delayed task: how long until it is ready. */
  readyInMs?: number
  reason?: DeadReason
  error?: TaskFailure
}

export interface Status {
  type: 'status'
  ref: number
  /** True where the answer is too large for one frame and goes on in another `status` with this `ref`. */
  more?: boolean
  tasks: TaskStatus[]
}

export interface Watched {
  type: 'watched'
  ref: number
  /** Indices of ids that the broker does not know. */
  unknown: number[]
}

/** How a watched task is named: by its place in the submission, made over this connection, with this `ref`; or by its id. */
export type TaskName = { ref: number; index: number } | { id: string }

/** Why a task is a dead letter. `lease_expired`: its last attempt was lost with its worker. */
export type DeadReason = 'attempts_exhausted' | 'not_retryable' | 'expired' | 'lease_expired'

/** Watched tasks that have a result: some of one submission made over this connection, or tasks that `watch` asked for. */
export type Succeeded = WithBodies & { type: 'succeeded' } & ({ ref: number; indexes: number[] } | { ids: string[] })

/** Watched tasks that have ended without a result. */
export interface Ended {
  type: 'ended'
  tasks: EndedTask[]
}
export type EndedTask = TaskName & {
  /** `forgotten`: its record went before this connection had room for the outcome, which nobody will learn any more. */
  status: 'dead' | 'cancelled' | 'forgotten'
  attempts: number
  reason?: DeadReason
  error?: TaskFailure
}

export interface Progress {
  type: 'progress'
  tasks: (TaskName & { progress: unknown })[]
}

/** The broker is leaving: finish what is in work, submit nothing more, and reconnect after `retryAfterMs`. */
export interface Drain {
  type: 'drain'
  retryAfterMs: number
}

/** A whole message was refused (`ref` names it), or the connection is about to be closed. */
export interface ErrorMessage extends WireError {
  type: 'error'
  code: ErrorCode
  ref?: number
}

export type BrokerMessage =
  | Welcome
  | Submitted
  | SubmitCredit
  | Deliver
  | Renewed
  | Settled
  | Revoke
  | Cancelled
  | Status
  | Watched
  | Succeeded
  | Ended
  | Progress
  | Drain
  | Ping
  | Pong
  | ErrorMessage

export type Message = ClientMessage | BrokerMessage
