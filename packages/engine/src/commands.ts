import type { Role, SubmitOptions, TaskFailure } from '@sluice/protocol'

/** What callers ask of the queue. All values here have passed the protocol's format checks. */
export type Command =
  /** Must come once, after replay and before any other command. */
  | { type: 'start' }
  /** `begins`: the session reports with `begin` which of its leases it has begun. `owner`: the principal that opens it. */
  | { type: 'openSession'; session: string; roles: Role[]; begins?: boolean; owner?: string | undefined }
  /**
   * `leases`: the leases that the client still works on; the session's other leases are released. `begun`: the
   * session has begun its leases up to this one. If it is left out, all leases count as begun.
   */
  | { type: 'resumeSession'; session: string; leases: readonly number[]; begins?: boolean; begun?: number }
  | { type: 'disconnectSession'; session: string }
  | { type: 'closeSession'; session: string }
  | { type: 'setCredit'; session: string; credit: number; queues: readonly string[] }
  | {
      type: 'submit'
      /** Undefined for a submission by HTTP. */
      session: string | undefined
      /** The principal that submits, where the broker has access control. */
      owner?: string | undefined
      ref: number
      queue: string
      options: SubmitOptions | undefined
      watch: boolean
      contentType: string | undefined
      /** The index of the first of these tasks in the submission. */
      index: number
      ids: readonly string[]
      /** Sizes of the bodies, in the order of the ids. The host keeps the bodies. */
      bytes: readonly number[]
      /** Digests of body, content type, queue and options. The same id with another digest is another task. */
      digests: readonly number[]
    }
  | { type: 'watch'; session: string; ref: number; ids: readonly string[] }
  | { type: 'unwatch'; session: string; ids: readonly string[] }
  /** The session has begun its leases up to this one. It begins them in the order of their numbers. */
  | { type: 'begin'; session: string; lease: number }
  /** Any message arrived from a silent session; see `isSilent`. */
  | { type: 'heard'; session: string }
  | { type: 'heartbeat'; session: string; leases: readonly number[] }
  | { type: 'reportProgress'; session: string; updates: readonly { lease: number; progress: unknown }[] }
  | {
      type: 'complete'
      session: string
      ref: number
      contentType: string | undefined
      /** The index of the first of these leases in the message. */
      index: number
      leases: readonly number[]
      /** Sizes of the results, in the order of the leases. */
      bytes: readonly number[]
    }
  | {
      type: 'fail'
      session: string
      ref: number
      failures: readonly { lease: number; error: TaskFailure; retryable?: boolean; retryAfterMs?: number }[]
    }
  | { type: 'release'; session: string; ref: number; leases: readonly number[] }
  | { type: 'cancel'; session: string | undefined; ref: number; ids: readonly string[] }
  /** Drops up to `max` records of a queue, dead letters included. */
  | { type: 'dropRecords'; queue: string; max: number }
  | { type: 'redrive'; ids: readonly string[] }
  /** Refuse the tokens of this principal that were issued up to now. */
  | { type: 'revokePrincipal'; principal: string }
  /** Forget these dead letters before their time. */
  | { type: 'forget'; ids: readonly string[] }
  /**
   * Grants leases of ready tasks of one queue to its freest session. The host repeats it until it yields no events.
   * Tasks that were never delivered are granted only with a number below `below`; the others are not durable yet.
   */
  | { type: 'dispatch'; queue: string; below: number }
  /** The broker could not receive for this long. Must come before any later decision. */
  | { type: 'stall'; ms: number }
  /**
   * Does what is due; see `nextWakeAtMs`. One call does a bounded amount of work; the host repeats it while something
   * is due.
   */
  | { type: 'tick' }
  /** Restates everything but the tasks, and these tasks completely, so that older events may be discarded. */
  | { type: 'checkpoint'; restate: readonly string[] }

export type CommandOf<T extends Command['type']> = Extract<Command, { type: T }>

/** Everything that `decide` may read besides the state. */
export interface Env {
  /** ms of the broker's clock, which never goes back. */
  readonly nowMs: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}
