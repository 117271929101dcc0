import type { DeadReason, Role, TaskFailure } from '@sluice/protocol'
import type { AttemptRecord, TaskOptions } from './events.ts'
import type { FinishRate } from './finish-rate.ts'
import type { HeapItem, IndexedHeap } from './indexed-heap.ts'
import type { LeaseTable } from './lease-table.ts'
import type { LinkedList } from './linked-list.ts'
import type { ReadyQueue } from './ready-queue.ts'

/** Tasks, queues and sessions. They refer to one another. */

/** The state of a task, with only the fields of that state. Tasks that entered a state together share one object. */
export type Phase =
  | { readonly state: 'delayed'; readonly readyAtMs: number }
  /**
   * `behind`: the number of the newest task at the time when this task's delay ended. The task waits behind it. 0 if
   * there was no delay.
   */
  | { readonly state: 'ready'; readonly behind: number }
  /** `endsAtMs`: no heartbeat renews the lease past this time. Infinite without a time limit, or before the work begins. */
  | {
      readonly state: 'leased'
      readonly session: Session
      readonly expiresAtMs: number
      readonly endsAtMs: number
    }
  | { readonly state: 'succeeded'; readonly contentType: string | undefined; readonly forgetAtMs: number }
  | {
      readonly state: 'dead'
      readonly reason: DeadReason
      readonly error: TaskFailure | undefined
      readonly forgetAtMs: number
    }
  | { readonly state: 'cancelled'; readonly forgetAtMs: number }

export type PhaseOf<S extends Phase['state']> = Extract<Phase, { state: S }>

/** What tasks that were accepted together share, except for fields that are read too often. */
export interface Acceptance {
  readonly atMs: number
  readonly contentType: string | undefined
  /** The principal that submitted them; undefined where the broker had no access control. */
  readonly owner: string | undefined
}

/** Data that only few tasks have. */
export interface Past {
  /** How often the task has been handed back, or lost before its attempt began. */
  readonly releases: number
  readonly history: readonly AttemptRecord[]
  /** The newest progress that a handler reported. */
  readonly progress: unknown
  /** Bytes of memory for `history` and `progress`; see `pastBytes`. */
  readonly bytes: number
}

/**
 * A task as the engine knows it: everything but its body. Only `evolve` changes it.
 *
 * There may be millions of tasks, and each survives several garbage collections, which take a quarter of a busy
 * broker's time. So tasks share objects where they can. No field holds a number of more than 31 bits, as long as
 * fewer tasks and leases than that have been counted, because V8 would store it as a separate object. Times are in
 * the shared objects, and references to bodies are kept in halves.
 */
export interface Task extends HeapItem {
  readonly id: string
  readonly queue: Queue
  /** The number in the order of acceptance. Events refer to the task by it. */
  readonly seq: number
  readonly acceptance: Acceptance
  /** The submission of the task, if its session watches it. */
  submission: Submission | null
  readonly options: TaskOptions
  /** Where the host stored the body, in halves; see `bodyOf`. */
  bodyHigh: number
  bodyLow: number
  readonly bytes: number
  readonly digest: number
  /**
   * Where the host stored the result, in halves, and its size. Meaningful once the task has succeeded; see
   * `resultOf`.
   */
  resultHigh: number
  resultLow: number
  resultBytes: number
  started: boolean
  /** Deliveries that count. */
  attempts: number
  past: Past
  /** Sessions that watch the task by its id. */
  watchers: Session | Session[] | null
  phase: Phase
  /** The latest lease. Meaningful while the task is leased. */
  lease: number
  next: Task | null
  prev: Task | null
  /** The row in the table of tasks. Only the table writes it. */
  row: number
}

/** The message that submitted tasks. `index + task.seq - seq` is the index of a task in the message `ref`. */
export interface Submission {
  readonly session: Session
  /** The number of the session's connection that carried it; see `Session.connections`. */
  readonly connection: number
  readonly ref: number
  readonly index: number
  readonly seq: number
}

export interface Queue {
  readonly name: string
  /** The principal that first named the queue; undefined where the broker had no access control. */
  readonly creator: string | undefined
  readonly ready: ReadyQueue<Task>
  /** Unfinished tasks by state, and the bytes of their bodies. */
  delayed: number
  bytes: number
  /** Leased tasks in the order in which their leases were granted or renewed. */
  readonly leased: LinkedList<Task>
  /** Succeeded and cancelled tasks, and separately dead letters, each in the order in which they finished. */
  readonly done: LinkedList<Task>
  readonly dead: LinkedList<Task>
  succeeded: number
  /** Bytes of the results that are kept. */
  resultBytes: number
  /** Bytes of memory for failures and progress of its tasks. */
  historyBytes: number
  /** How fast tasks have finished lately; from it comes `retryAfterMs`. */
  readonly finishRate: FinishRate
  /**
   * Connected sessions that take from this queue, have free credit and are neither silent nor resting. Freest first.
   */
  readonly available: IndexedHeap<Subscription>
  subscriptions: number
  /** Tasks were read back out of order. `brokerStarted` restores the order. */
  isUnordered: boolean
}

/** One queue that a session takes from. */
export interface Subscription extends HeapItem {
  readonly session: Session
  readonly queue: Queue
}

/** `heapIndex`: the position among the grace windows while disconnected, otherwise among the rests. */
export interface Session extends HeapItem {
  readonly id: string
  /** The number in the order in which sessions were opened. */
  readonly order: number
  roles: readonly Role[]
  /** The principal that opened it, the only one that may resume it; undefined where the broker had no access control. */
  owner: string | undefined
  phase: 'connected' | 'disconnected' | 'closed'
  /** How many connections the session has had. */
  connections: number
  /** Meaningful while disconnected. */
  graceEndsAtMs: number
  credit: number
  subscriptions: Subscription[]
  readonly leases: LeaseTable<Task>
  /** The number of held tasks that the session watches. */
  watches: number
  /** The latest lease. Among equally free sessions, the one with the lowest has waited longest and comes first. */
  lastLease: number
  /** The worker reports up to which lease it has begun its deliveries. Otherwise all leases count as begun. */
  begins: boolean
  /**
   * The last lease that the worker has begun; all earlier ones are begun too. 0 if it has begun none or never
   * reports.
   */
  begun: number
  /**
   * A session that let a lease expire is `silent` until a message arrives from it. Then it rests until `restUntilMs`.
   * In both states it is delivered nothing.
   */
  silence: 'none' | 'silent' | 'resting'
  /** How often the session has fallen silent since it last settled a lease. */
  expiries: number
  /** Meaningful while resting. */
  restUntilMs: number
}
