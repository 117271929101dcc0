import type { DeadReason, ErrorCode, RetryPolicy, Role, TaskFailure } from '@sluice/protocol'

/**
 * A submission's options with every default filled in. They are part of the event, so replay never reads the
 * configuration.
 */
export interface TaskOptions {
  readonly priority: number
  readonly delayMs: number
  /** 0: no limit. */
  readonly ttlMs: number
  readonly leaseMs: number
  /** 0: no limit. */
  readonly timeLimitMs: number
  readonly resultTtlMs: number
  readonly retry: Readonly<Required<RetryPolicy>>
}

/** A session as a checkpoint restates it. An optional field is left out if it has its initial value. */
export interface SessionRecord {
  id: string
  roles: Role[]
  owner?: string
  credit: number
  queues: string[]
  lastLease?: number
  begins?: true
  begun?: number
  silence?: 'silent' | 'resting'
  expiries?: number
  restUntilMs?: number
  /** Set if the session is disconnected. */
  graceEndsAtMs?: number
}

/** The session that loses a lease and must be told. */
export interface Revoked {
  session: string
  lease: number
}

/** How a lease is lost with its holder. */
export type Loss = 'lease_expired' | 'session_lost'

/** One ended attempt. The task keeps it while it is retried and as a dead letter. */
export interface AttemptRecord {
  attempt: number
  endedAtMs: number
  how: 'failed' | Loss
  error?: TaskFailure
  /** What was left out for lack of room: the stack, the whole error, or also the attempts before this one. */
  cut?: 'stack' | 'error' | 'history'
}

/** A task completely as data. Compaction writes it so that the task outlives the events that made it. */
export interface TaskRecord {
  id: string
  queue: string
  options: TaskOptions
  /** Reference to the body (see `BodyRef`), its size in bytes and its type. */
  body: number
  bytes: number
  contentType?: string
  /** The principal that submitted it. */
  owner?: string
  digest: number
  /** The number in the order of acceptance. */
  seq: number
  acceptedAtMs: number
  /** Whether the task has ever been delivered. After that its time-to-live does not count. */
  started: boolean
  attempts: number
  releases: number
  history: AttemptRecord[]
  watchers: string[]
  progress?: unknown
  phase: PhaseRecord
}

export type PhaseRecord =
  | { state: 'delayed'; readyAtMs: number }
  /** `behind`: the number of the newest task when this task's delay ended; 0 if there was no delay. */
  | { state: 'ready'; behind: number }
  /** `endsAtMs`: no heartbeat renews the lease past this time. Left out if there is no such time. */
  | { state: 'leased'; session: string; lease: number; expiresAtMs: number; endsAtMs?: number }
  | { state: 'succeeded'; result: number; bytes: number; contentType?: string; forgetAtMs: number }
  | { state: 'dead'; reason: DeadReason; error?: TaskFailure; forgetAtMs: number }
  | { state: 'cancelled'; forgetAtMs: number }

/**
 * Everything that happens to the queue. All times are in ms of the broker's clock. `decide` made all times and random
 * draws, so replay only repeats the changes.
 */
export type Event =
  /** A broker took up this state. `nextLease` is higher than every lease that an earlier epoch can have given out. */
  | { type: 'brokerStarted'; epoch: number; nextLease: number; atMs: number }
  /** What the earlier events said of everything but tasks. Written before old events are discarded. */
  | {
      type: 'checkpointed'
      epoch: number
      nextLease: number
      nextSeq: number
      sessions: SessionRecord[]
      /** Principals and the instants up to which their tokens are revoked. Left out where there are none. */
      revocations?: [principal: string, atMs: number][]
      atMs: number
    }
  /** Tokens of this principal that were issued up to now are refused from now on. */
  | { type: 'principalRevoked'; principal: string; atMs: number }
  /** `begins`: the session reports which of its leases it has begun. `owner`: the principal that opened it. */
  | { type: 'sessionOpened'; session: string; roles: Role[]; begins?: true; owner?: string; atMs: number }
  /** `begun`: the session has begun its leases up to this one. If it is left out, all count as begun. */
  | { type: 'sessionResumed'; session: string; begins?: true; begun?: number; atMs: number }
  /** The connection is gone. The session and its leases stay until the grace window ends. */
  | { type: 'sessionDisconnected'; session: string; graceEndsAtMs: number; atMs: number }
  | { type: 'sessionClosed'; session: string; atMs: number }
  /** A message arrived from a silent session. It now rests before it is delivered anything. */
  | { type: 'sessionHeard'; session: string; restUntilMs: number; atMs: number }
  | { type: 'sessionRested'; session: string; atMs: number }
  /** The broker could not receive for this long. Running leases, grace windows and rests are extended by that time. */
  | { type: 'brokerStalled'; ms: number; atMs: number }
  | { type: 'creditSet'; session: string; credit: number; queues: string[]; atMs: number }
  /** Tasks of one submission that were accepted one after the other. */
  | {
      type: 'tasksAccepted'
      queue: string
      options: TaskOptions
      contentType: string | undefined
      /** The session that watches them, or undefined. */
      watcher: string | undefined
      /** The principal that submitted them, where the broker has access control. */
      owner?: string
      /** The message that submitted them, and the index of the first of them in it. */
      ref: number
      index: number
      /** The number of the first task in the order of acceptance, from 1. The others follow. */
      seq: number
      /**
       * The reference to the first body; the others follow it. `decide` puts here how many bytes of the command's
       * bodies lie before it. The host replaces that by the reference to where it stored the body, before `evolve`.
       * Opaque to `evolve`.
       */
      body: number
      ids: readonly string[]
      bytes: readonly number[]
      digests: readonly number[]
      atMs: number
    }
  /** A complete task, restated for compaction. Replaces what is known of it. */
  | { type: 'taskRestated'; task: TaskRecord; atMs: number }
  | { type: 'taskWatched'; id: string; session: string; atMs: number }
  | { type: 'taskUnwatched'; id: string; session: string; atMs: number }
  /** A delay is over. */
  | { type: 'taskReadied'; id: string; atMs: number }
  /**
   * These tasks, by number, are leased to the session for their full `leaseMs` from `atMs`. Each counts as an
   * attempt.
   */
  | {
      type: 'leasesGranted'
      session: string
      /** The lease of the first task. The others follow. */
      lease: number
      tasks: readonly number[]
      /** How the worker must start each of them; see `GrantTerms`. */
      start?: 'announced' | 'alone'
      /** The event must be durable before the delivery leaves; see `GrantTerms`. */
      durable?: true
      atMs: number
    }
  /** The session has begun its leases up to this one. */
  | { type: 'leasesBegun'; session: string; lease: number; atMs: number }
  /** Each lease lasts its task's full `leaseMs` from `atMs`. */
  | { type: 'leasesRenewed'; session: string; leases: number[]; atMs: number }
  | { type: 'progressReported'; id: string; progress: unknown; atMs: number }
  /** These tasks, by number, succeeded. Their results are kept for their `resultTtlMs` from `atMs`. */
  | {
      type: 'tasksSucceeded'
      tasks: readonly number[]
      contentType: string | undefined
      /** The reference to the first result, as `body` of `tasksAccepted`. */
      result: number
      bytes: readonly number[]
      atMs: number
    }
  /** An attempt ended without a result. Another one follows, not before `retryAtMs`. */
  | {
      type: 'attemptFailed'
      id: string
      attempt: AttemptRecord
      retryAtMs: number
      /** Set if the lease expired. */
      revoked?: Revoked
      atMs: number
    }
  /** A lease was handed back, its delivery never left, or it was lost before its attempt began. No attempt counts. */
  | {
      type: 'leaseReleased'
      id: string
      retryAtMs: number
      /** Set if the lease was lost. */
      lost?: Loss
      /** Set if the lease expired. */
      revoked?: Revoked
      atMs: number
    }
  | {
      type: 'taskDied'
      id: string
      reason: DeadReason
      error: TaskFailure | undefined
      /** The attempt that ended the task; undefined if none was running. */
      attempt: AttemptRecord | undefined
      forgetAtMs: number
      /** Set if the lease expired. */
      revoked?: Revoked
      atMs: number
    }
  | {
      type: 'taskCancelled'
      id: string
      forgetAtMs: number
      /** Set if the task was leased. */
      revoked?: Revoked
      atMs: number
    }
  /** A dead letter becomes ready again, with all its attempts. */
  | { type: 'taskRedriven'; id: string; atMs: number }
  /** The record of a finished task is dropped, because its time is over. */
  | { type: 'taskForgotten'; id: string; atMs: number }
  /** The records that finished first are dropped, because their queue exceeds its bound. */
  | { type: 'oldestForgotten'; tasks: readonly number[]; atMs: number }
  /** A command, or one item of it, was refused. This changes nothing and is never stored. */
  | {
      type: 'refused'
      session: string | undefined
      ref: number | undefined
      index: number | undefined
      code: ErrorCode
      message: string
      field: string | undefined
      limit: number | undefined
      retryAfterMs: number | undefined
    }

export type EventType = Event['type']
export type EventOf<T extends EventType> = Extract<Event, { type: T }>

/**
 * Whether an acknowledgement depends on this event. If so, its effects leave only once it is durable. A crash may
 * lose the other events (leases, renewals, progress, sessions). Then work is repeated, but nothing that was told is
 * undone. A grant is durable before its delivery leaves if the work must not be repeated, or if its task would
 * otherwise be found expired.
 */
export function mustBeDurable(event: Event): boolean {
  switch (event.type) {
    case 'tasksAccepted':
    case 'taskRestated':
    case 'tasksSucceeded':
    case 'taskDied':
    case 'taskCancelled':
    case 'taskRedriven':
    case 'attemptFailed':
    case 'principalRevoked':
    case 'checkpointed':
    case 'brokerStarted':
      return true
    case 'leasesGranted':
      return event.durable === true
    default:
      return false
  }
}
