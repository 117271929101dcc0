import type { Bodies } from './bodies.ts'
import type { ErrorCode, WireError } from './errors.ts'
import type { Labels } from './labels.ts'
import type { Limits } from './limits.ts'

/** The WebSocket subprotocol, RFC 6455 §1.9. */
export const SUBPROTOCOL = 'sluice.v1'
/** Protocol versions that this code speaks, newest first. */
export const VERSIONS: readonly number[] = [1]

export type Role = 'producer' | 'worker'

/** When and how a failed attempt is retried. */
export interface RetryPolicy {
  kind: 'none' | 'fixed' | 'exponential'
  /** All deliveries, including the first. 1 – 1,000. Default 5. */
  attemptsMax?: number
  /** The fixed delay, or the first step of the exponential delay, in ms. Default 1,000. */
  delayMs?: number
  /** The upper limit of the exponential delay before jitter, in ms. Default 60,000. */
  delayMsMax?: number
  /** `full` draws the wait uniformly from 0 to the delay; `none` uses the delay itself. Default `full`. */
  jitter?: 'full' | 'none'
}

/** Options of a submission. Absent fields take the queue's default. All durations are in ms, 0 – 30 days. */
export interface SubmitOptions {
  /** 0 – 9; a higher one is delivered sooner. Default 5. */
  priority?: number
  /** The task is not delivered until this long after acceptance. Default 0. */
  delayMs?: number
  /**
   * The first delivery must happen within this time after acceptance, delay included. Otherwise the task becomes a
   * dead letter with the reason `expired`. Default 0: no limit.
   */
  ttlMs?: number
  /** How long a delivery may last without a heartbeat, 100 ms – 24 h. Default 30,000. */
  leaseMs?: number
  /** How long a handler may run in total. The worker enforces it. Default 0: no limit. */
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
  /** A label for people, such as a program name or host. */
  name?: string
  /** What this worker has, until its next `hello`. */
  labels?: Labels
  token?: string
  /** This worker sends `begin` if the broker supports it. Absent: each delivery counts as begun. */
  begins?: true
  /**
   * Resumes an earlier session: its id, the leases that this side still works on, and the last lease that it has
   * begun (0 for none).
   */
  resume?: { session: string; leases: number[]; begun?: number }
}

/** A new token for this session, of the principal that opened it; answered by `tokenRenewed`. */
export interface Renew {
  type: 'renew'
  ref: number
  token: string
}

/**
 * A message whose items have bodies. All of them have one content type; absent means `application/json`.
 *
 * `bodies` of a received message are views of its frame: copy what you keep for long. A text frame contains them
 * inline (`bodies` for JSON, `base64` otherwise). A binary frame has their lengths (`bytes`) in the header and their
 * bytes after the header, in the order of the messages.
 */
export interface WithBodies {
  contentType?: string
  /** One for each item of the message's other columns. */
  bodies: Bodies
}

/** One queue and one set of options for all tasks of the message. Answered by `submitted` with the same `ref`. */
export interface Submit extends WithBodies {
  type: 'submit'
  ref: number
  queue: string
  options?: SubmitOptions
  /** Whether this session is told the outcomes and progress of these tasks. Default true. */
  watch?: boolean
  /** Received only: why the broker accepts none of these tasks. `field` is a path in this message. The rest of it is valid. */
  fault?: WireError
  /** UUIDv7 (RFC 9562) in lower case, made by the submitter before anything is stored. */
  ids: string[]
}

/**
 * How many deliveries this session is ready to hold in total, and from which queues. Absolute: replaces the previous
 * one.
 */
export interface Credit {
  type: 'credit'
  credit: number
  queues: string[]
}

/**
 * This session has begun the delivery with this lease and all earlier ones. Leases ascend, and a worker begins its
 * deliveries in their order. Not answered.
 */
export interface Begin {
  type: 'begin'
  lease: number
}

/** The worker still works on these leases. Each is renewed for its full `leaseMs`. Answered by `renewed`. */
export interface Heartbeat {
  type: 'heartbeat'
  ref: number
  leases: number[]
}

/** The newest progress of running tasks: any JSON value. Not answered. */
export interface ReportProgress {
  type: 'reportProgress'
  updates: { lease: number; progress: unknown }[]
}

/** Results. Answered by `settled`. */
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

/** Failed attempts. Answered by `settled`. */
export interface Fail {
  type: 'fail'
  ref: number
  failures: FailedLease[]
}
export interface FailedLease {
  lease: number
  error: TaskFailure
  /** False makes the task a dead letter at once. Default true. */
  retryable?: boolean
  /** A delay chosen by the worker instead of the retry policy's, in ms. */
  retryAfterMs?: number
}

/** Leases that are handed back unfinished. Their tasks are ready again and no attempt counts. Answered by `settled`. */
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

/** Sends the outcomes (at once if there is one) and progress of these tasks to this session. Answered by `watched`. */
export interface Watch {
  type: 'watch'
  ref: number
  ids: string[]
}
export interface Unwatch {
  type: 'unwatch'
  ids: string[]
}

/** Ends this session for good. Its leases are released without waiting for the grace window. */
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
  | Renew
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
  /** Cannot be guessed. A client that knows it may resume the session. */
  session: string
  resumed: boolean
  /** The leases named in `hello.resume` that this session does not hold any more. */
  lostLeases: number[]
  /** How many tasks this session may have submitted without an answer. */
  submitCredit: number
  /** The client must send something at least this often, and a heartbeat for every lease that it works on. In ms. */
  heartbeatMs: number
  /** How long the broker keeps the session of a lost connection, in ms. */
  graceMs: number
  durability: 'strict' | 'relaxed' | 'memory'
  /** The broker supports `begin`. */
  begins?: true
  /** Where the broker has access control: how long the token is good for from now. */
  tokenExpiresInMs?: number
  limits: Limits
}

/** The token of this session expires so soon: say `renew` with a new one, or the connection is closed with `token_expired`. */
export interface TokenExpiring {
  type: 'tokenExpiring'
  inMs: number
}

/** The new token counts from now on. */
export interface TokenRenewed {
  type: 'tokenRenewed'
  ref: number
  expiresInMs: number
}

/** All tasks of the submission with this `ref` are durable, except the refused ones. */
export interface Submitted {
  type: 'submitted'
  ref: number
  refused: { index: number; error: WireError }[]
}

/**
 * How a worker must begin the tasks of a delivery. `announced`: `begin` leaves before the handler is called, for each
 * task separately. `alone`: the same, and no other handler runs while this one does.
 */
export type Start = 'announced' | 'alone'

export interface Deliver extends WithBodies {
  type: 'deliver'
  queue: string
  leaseMs: number
  timeLimitMs?: number
  /** Absent: in the order of the leases, with no further condition. */
  start?: Start
  ids: string[]
  /**
   * The fencing tokens. They are unique and grow over the broker's life. Use them in heartbeat, progress, complete,
   * fail and release.
   */
  leases: number[]
  /** 1 for the first delivery. Absent if it is 1 for all of them. */
  attempts?: number[]
}

export interface Renewed {
  type: 'renewed'
  ref: number
  lost: number[]
}

/** The settlements of the message with this `ref` are durable, except the refused ones (index into its list). */
export interface Settled {
  type: 'settled'
  ref: number
  refused: { index: number; error: WireError }[]
}

/** Stop working on these leases: the session does not hold them any more. */
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
  /** `unknown`: the task was never submitted, or its record has expired. */
  state: TaskStateName | 'unknown'
  queue?: string
  /** Deliveries that count so far. */
  attempts?: number
  progress?: unknown
  /** How long ago the task was accepted, in ms. */
  ageMs?: number
  /** For a delayed task: how long until it is ready, in ms. */
  readyInMs?: number
  reason?: DeadReason
  error?: TaskFailure
}

export interface Status {
  type: 'status'
  ref: number
  /** True if the answer is too large for one frame and continues in another `status` with this `ref`. */
  more?: boolean
  tasks: TaskStatus[]
}

export interface Watched {
  type: 'watched'
  ref: number
  /** Indices of ids that the broker does not know. */
  unknown: number[]
}

/**
 * How the broker refers to a watched task: by its index in the submission made over this connection with this `ref`,
 * or by its id.
 */
export type TaskName = { ref: number; index: number } | { id: string }

/** Why a task is a dead letter. `lease_expired`: its last attempt was lost with its worker. */
export type DeadReason = 'attempts_exhausted' | 'not_retryable' | 'expired' | 'lease_expired'

/** Watched tasks that have a result: some of one submission made over this connection, or tasks that `watch` named. */
export type Succeeded = WithBodies & { type: 'succeeded' } & ({ ref: number; indexes: number[] } | { ids: string[] })

/** Watched tasks that have ended without a result. */
export interface Ended {
  type: 'ended'
  tasks: EndedTask[]
}
export type EndedTask = TaskName & {
  /**
   * `forgotten`: the record was dropped before this connection had room for the outcome. The outcome cannot be
   * learned any more.
   */
  status: 'dead' | 'cancelled' | 'forgotten'
  attempts: number
  reason?: DeadReason
  error?: TaskFailure
}

export interface Progress {
  type: 'progress'
  tasks: (TaskName & { progress: unknown })[]
}

/** The broker is leaving: finish the work that has begun, submit nothing more, and reconnect after `retryAfterMs`. */
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
  | TokenExpiring
  | TokenRenewed
  | Submitted
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
