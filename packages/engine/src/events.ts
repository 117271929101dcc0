import type { DeadReason, ErrorCode, RetryPolicy, Role, TaskFailure } from '@sluice/protocol'

/** A submission's options with every default filled in: part of the event, so that replay never consults configuration. */
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

/** A session as a checkpoint restates it. What is optional is left out where there is nothing to say. */
export interface SessionRecord {
  id: string
  roles: Role[]
  credit: number
  queues: string[]
  lastLease?: number
  begins?: true
  begun?: number
  silence?: 'silent' | 'resting'
  expiries?: number
  restUntilMs?: number
  /** Where it is disconnected. */
  graceEndsAtMs?: number
}

/** Who loses a lease and has to be told. */
export interface Revoked {
  session: string
  lease: number
}

/** How a lease is lost with its holder. */
export type Loss = 'lease_expired' | 'session_lost'

/** One ended attempt, kept with the task while it is retried and as a dead letter. */
export interface AttemptRecord {
  attempt: number
  endedAtMs: number
  how: 'failed' | Loss
  error?: TaskFailure
}

/** What a finished or unfinished task is, whole: how compaction carries it past the events that made it. */
export interface TaskRecord {
  id: string
  queue: string
  options: TaskOptions
  /** Where the body is (see `BodyRef`), its size in bytes and its type. */
  body: number
  bytes: number
  contentType?: string
  digest: number
  /** Its place in the order of acceptance. */
  seq: number
  acceptedAtMs: number
  /** Whether it has ever been delivered, after which its time-to-live does not count. */
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
  /** `behind`: the newest task, by number, when its delay ended; 0 where it had none. */
  | { state: 'ready'; behind: number }
  | { state: 'leased'; session: string; lease: number; expiresAtMs: number }
  | { state: 'succeeded'; result: number; bytes: number; contentType?: string; forgetAtMs: number }
  | { state: 'dead'; reason: DeadReason; error?: TaskFailure; forgetAtMs: number }
  | { state: 'cancelled'; forgetAtMs: number }

/**
 * Everything that ever happens to the queue. All instants are in ms of the broker's own clock; all of them and every
 * random draw were made by `decide`, so that replay repeats nothing but the change.
 */
export type Event =
  /** A broker took up this state. `nextLease` is past every lease that an earlier epoch can have told anyone. */
  | { type: 'brokerStarted'; epoch: number; nextLease: number; atMs: number }
  /** What the events before this one said of everything but tasks; written before old events are discarded. */
  | { type: 'checkpointed'; epoch: number; nextLease: number; nextSeq: number; sessions: SessionRecord[]; atMs: number }
  /** `begins`: it will say which of its leases it has begun. */
  | { type: 'sessionOpened'; session: string; roles: Role[]; begins?: true; atMs: number }
  /** `begun`: it has begun its leases up to this one; all of them where it does not say. */
  | { type: 'sessionResumed'; session: string; begins?: true; begun?: number; atMs: number }
  /** The connection is gone; the session and its leases stay until the grace window ends. */
  | { type: 'sessionDisconnected'; session: string; graceEndsAtMs: number; atMs: number }
  | { type: 'sessionClosed'; session: string; atMs: number }
  /** A session that let a lease expire is heard again, and rests before it is given anything. */
  | { type: 'sessionHeard'; session: string; restUntilMs: number; atMs: number }
  | { type: 'sessionRested'; session: string; atMs: number }
  /** The broker could not listen for so long: leases, grace windows and rests that were running last so much longer. */
  | { type: 'brokerStalled'; ms: number; atMs: number }
  | { type: 'creditSet'; session: string; credit: number; queues: string[]; atMs: number }
  /** Tasks of one submission that were accepted one after the other. */
  | {
      type: 'tasksAccepted'
      queue: string
      options: TaskOptions
      contentType: string | undefined
      /** The session that wants to hear of them, or undefined. */
      watcher: string | undefined
      /** The message that brought them, and the place of the first of them in it. */
      ref: number
      index: number
      /** The place of the first one in the order of acceptance, from 1: its number. The others follow. */
      seq: number
      /**
       * The place of the first body; the others lie behind it. `decide` says how many bytes lie before it among the
       * bodies of the command; the host then puts here where it stored it, before `evolve`. Opaque to `evolve`.
       */
      body: number
      ids: readonly string[]
      bytes: readonly number[]
      digests: readonly number[]
      atMs: number
    }
  /** The whole of a task, restated for compaction; replaces what is known of it. */
  | { type: 'taskRestated'; task: TaskRecord; atMs: number }
  | { type: 'taskWatched'; id: string; session: string; atMs: number }
  | { type: 'taskUnwatched'; id: string; session: string; atMs: number }
  /** A delay is over. */
  | { type: 'taskReadied'; id: string; atMs: number }
  /** These tasks, by number, are leased to the session for their full `leaseMs` from `atMs`; each counts as an attempt. */
  | {
      type: 'leasesGranted'
      session: string
      /** The lease of the first one. The others follow. */
      lease: number
      tasks: readonly number[]
      /** How the worker has to start each of them; see `GrantTerms`. */
      start?: 'announced' | 'alone'
      /** It must be durable before the delivery leaves; see `GrantTerms`. */
      durable?: true
      atMs: number
    }
  /** The session has begun its leases up to this one. */
  | { type: 'leasesBegun'; session: string; lease: number; atMs: number }
  /** Each lease lives its task's full `leaseMs` from `atMs`. */
  | { type: 'leasesRenewed'; session: string; leases: number[]; atMs: number }
  | { type: 'progressReported'; id: string; progress: unknown; atMs: number }
  /** These tasks, by number, have results that are kept for their `resultTtlMs` from `atMs`. */
  | {
      type: 'tasksSucceeded'
      tasks: readonly number[]
      contentType: string | undefined
      /** The place of the first result, as `body` of `tasksAccepted`. */
      result: number
      bytes: readonly number[]
      atMs: number
    }
  /** An attempt ended without a result and another one will follow, not before `retryAtMs`. */
  | {
      type: 'attemptFailed'
      id: string
      attempt: AttemptRecord
      retryAtMs: number
      /** Where the lease expired. */
      revoked?: Revoked
      atMs: number
    }
  /** A lease was handed back unfinished, its delivery never left, or it was lost unbegun: no attempt is counted. */
  | {
      type: 'leaseReleased'
      id: string
      retryAtMs: number
      /** Where it was lost. */
      lost?: Loss
      /** Where it expired. */
      revoked?: Revoked
      atMs: number
    }
  | {
      type: 'taskDied'
      id: string
      reason: DeadReason
      error: TaskFailure | undefined
      /** The attempt that ended it; undefined where none was running. */
      attempt: AttemptRecord | undefined
      forgetAtMs: number
      /** Where its lease expired. */
      revoked?: Revoked
      atMs: number
    }
  | {
      type: 'taskCancelled'
      id: string
      forgetAtMs: number
      /** Where it was leased. */
      revoked?: Revoked
      atMs: number
    }
  /** A dead letter starts anew with all its attempts. */
  | { type: 'taskRedriven'; id: string; atMs: number }
  /** The record of a finished task is gone, its time being over. */
  | { type: 'taskForgotten'; id: string; atMs: number }
  /** The records that finished first are gone, because their queue keeps no more than its bound. */
  | { type: 'oldestForgotten'; tasks: readonly number[]; atMs: number }
  /** A command, or one item of it, was refused. Changes nothing and is never stored. */
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
 * Whether an acknowledgement depends on this event, so that its effects may leave only once it is durable. The others
 * (leases, renewals, progress, sessions) may be lost in a crash: the work is then done again, and nothing told is undone.
 * A lease whose work must not be done again, or whose task would be found too old, is durable before its delivery leaves.
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
    case 'checkpointed':
    case 'brokerStarted':
      return true
    case 'leasesGranted':
      return event.durable === true
    default:
      return false
  }
}
