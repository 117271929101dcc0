import type { Role, SubmitOptions, TaskFailure } from '@sluice/protocol'

/** A task as the host presents it: the body stays with the host, and only what the engine decides on comes along. */
export interface SubmittedItem {
  id: string
  bytes: number
  contentType?: string
  /** A digest of body, content type, queue and options: the same id with another digest is another task. */
  digest: number
}

/** What the outside asks of the queue. Whatever is typed here has passed the protocol's checks of form. */
export type Command =
  /** Once, after replay and before anything else. */
  | { type: 'start' }
  | { type: 'openSession'; session: string; roles: Role[] }
  /** `leases`: those that the client still works on; others of the session are released. */
  | { type: 'resumeSession'; session: string; leases: readonly number[] }
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
      items: readonly SubmittedItem[]
    }
  | { type: 'watch'; session: string; ref: number; ids: readonly string[] }
  | { type: 'unwatch'; session: string; ids: readonly string[] }
  | { type: 'heartbeat'; session: string; leases: readonly number[] }
  | { type: 'reportProgress'; session: string; updates: readonly { lease: number; progress: unknown }[] }
  | {
      type: 'complete'
      session: string
      ref: number
      results: readonly { lease: number; bytes: number; contentType?: string }[]
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
  /** Grant leases of ready tasks of one queue to its freest session. The host repeats it until it yields nothing. */
  | { type: 'dispatch'; queue: string }
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
