import type { Role, SubmitOptions, TaskFailure } from '@sluice/protocol'

/** What the outside asks of the queue. Whatever is typed here has passed the protocol's checks of form. */
export type Command =
  /** Once, after replay and before anything else. */
  | { type: 'start' }
  /** `begins`: it will say which of its leases it has begun, by `begin`. */
  | { type: 'openSession'; session: string; roles: Role[]; begins?: boolean }
  /**
   * `leases`: those that the client still works on; others of the session are released. `begun`: it has begun those up to
   * this one; left out, all that it holds.
   */
  | { type: 'resumeSession'; session: string; leases: readonly number[]; begins?: boolean; begun?: number }
  | { type: 'disconnectSession'; session: string }
  | { type: 'closeSession'; session: string }
  | { type: 'setCredit'; session: string; credit: number; queues: readonly string[] }
  | {
      type: 'submit'
      /** Undefined: by HTTP. */
      session: string | undefined
      ref: number
      queue: string
      options: SubmitOptions | undefined
      watch: boolean
      contentType: string | undefined
      /** The place of the first of these tasks in the submission. */
      index: number
      ids: readonly string[]
      /** The bodies stay with the host; these are their sizes, in the order of the ids. */
      bytes: readonly number[]
      /** Digests of body, content type, queue and options: the same id with another digest is another task. */
      digests: readonly number[]
    }
  | { type: 'watch'; session: string; ref: number; ids: readonly string[] }
  | { type: 'unwatch'; session: string; ids: readonly string[] }
  /** It has begun its leases up to this one: it begins them in the order of their numbers. */
  | { type: 'begin'; session: string; lease: number }
  /** Whatever message came from a session that is silent: see `isSilent`. */
  | { type: 'heard'; session: string }
  | { type: 'heartbeat'; session: string; leases: readonly number[] }
  | { type: 'reportProgress'; session: string; updates: readonly { lease: number; progress: unknown }[] }
  | {
      type: 'complete'
      session: string
      ref: number
      contentType: string | undefined
      /** The place of the first of these leases in the message. */
      index: number
      leases: readonly number[]
      /** The sizes of the results, in the order of the leases. */
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
  | { type: 'redrive'; ids: readonly string[] }
  /** Forget these dead letters before their time. */
  | { type: 'forget'; ids: readonly string[] }
  /**
   * Grant leases of ready tasks of one queue to its freest session. The host repeats it until it yields nothing. A task
   * that was never delivered is granted only if its number is below `below`: those from there on are not durable yet.
   */
  | { type: 'dispatch'; queue: string; below: number }
  /** The broker could not listen for so long. Before anything else that is decided after that. */
  | { type: 'stall'; ms: number }
  /** Do what is due: see `nextWakeAtMs`. Bounded work a call; the host repeats it while something is due. */
  | { type: 'tick' }
  /** Restate everything but tasks, and these tasks whole, so that older events may be discarded. */
  | { type: 'checkpoint'; restate: readonly string[] }

export type CommandOf<T extends Command['type']> = Extract<Command, { type: T }>

/** What `decide` may know of the world. */
export interface Env {
  /** ms of the broker's clock, never going back. */
  readonly nowMs: number
  /** Uniform in [0, 1). */
  readonly random: () => number
}
