import type { DeadReason, Role, TaskFailure } from '@sluice/protocol'
import type { DrainRate } from './drain-rate.ts'
import type { AttemptRecord, TaskOptions } from './events.ts'
import type { HeapItem, IndexedHeap } from './indexed-heap.ts'
import type { LeaseTable } from './lease-table.ts'
import type { LinkedList } from './linked-list.ts'
import type { ReadyQueue } from './ready-queue.ts'

/** Tasks, queues and sessions, each of which refers to the others. */

/** What a task is in, with only the fields that make sense there; tasks that got there together share it. */
export type Phase =
  | { readonly state: 'delayed'; readonly readyAtMs: number }
  /** `behind`: the newest task, by number, that it waits behind because its delay ended only then; 0 where it had none. */
  | { readonly state: 'ready'; readonly behind: number }
  | { readonly state: 'leased'; readonly session: Session; readonly expiresAtMs: number }
  | { readonly state: 'succeeded'; readonly contentType: string | undefined; readonly forgetAtMs: number }
  | {
      readonly state: 'dead'
      readonly reason: DeadReason
      readonly error: TaskFailure | undefined
      readonly forgetAtMs: number
    }
  | { readonly state: 'cancelled'; readonly forgetAtMs: number }

export type PhaseOf<S extends Phase['state']> = Extract<Phase, { state: S }>

/** What tasks that were accepted together have in common, besides what is asked for too often for a detour. */
export interface Acceptance {
  readonly atMs: number
  readonly contentType: string | undefined
}

/** What few tasks have to tell. */
export interface Past {
  /** How often it has been handed back, or lost before it was begun. */
  readonly releases: number
  readonly history: readonly AttemptRecord[]
  /** The latest that a handler has reported. */
  readonly progress: unknown
}

/**
 * A task as the engine knows it: everything but its body. Written by `evolve` alone.
 *
 * There may be millions of them, and each lives through several garbage collections, a quarter of what a busy broker does.
 * So what tasks share they share, and no field holds a number of more than 31 bits while fewer tasks and leases have been
 * counted than that: it would be an object of its own. Instants are in what is shared, and where bodies are is kept in
 * halves.
 */
export interface Task extends HeapItem {
  readonly id: string
  readonly queue: Queue
  /** Its place in the order of acceptance: the number by which events name it. */
  readonly seq: number
  readonly acceptance: Acceptance
  /** The submission that brought it, where its session wants to hear of it. */
  submission: Submission | null
  readonly options: TaskOptions
  /** Where the host stored the body, in halves; see `bodyOf`. */
  bodyHigh: number
  bodyLow: number
  readonly bytes: number
  readonly digest: number
  /** Where the host stored the result, in halves, and its size; meaningful once the task has succeeded. See `resultOf`. */
  resultHigh: number
  resultLow: number
  resultBytes: number
  started: boolean
  /** Deliveries that count. */
  attempts: number
  past: Past
  /** Sessions that asked for it by its id. */
  watchers: Session | Session[] | null
  phase: Phase
  /** Its latest lease; meaningful while it is leased. */
  lease: number
  next: Task | null
  prev: Task | null
  /** Its place in the table of tasks. Written by the table alone. */
  slot: number
}

/** Which message brought tasks: `index + task.seq - seq` is the place of a task in the message `ref`. */
export interface Submission {
  readonly session: Session
  /** Which of the session's connections it came over, as its `connections` counted then. */
  readonly connection: number
  readonly ref: number
  readonly index: number
  readonly seq: number
}

export interface Queue {
  readonly name: string
  readonly ready: ReadyQueue<Task>
  /** Unfinished tasks by state, and the bytes of their bodies. */
  delayed: number
  bytes: number
  /** Leased tasks in the order in which their leases were granted or renewed. */
  readonly leased: LinkedList<Task>
  /** Finished tasks in the order they finished: succeeded and cancelled ones, and dead letters. */
  readonly finished: LinkedList<Task>
  readonly dead: LinkedList<Task>
  succeeded: number
  /** Bytes of the results that are kept. */
  resultBytes: number
  readonly drain: DrainRate
  /** Connected sessions with free credit, none of them silent or resting, that take from this queue, freest first. */
  readonly available: IndexedHeap<Subscription>
  subscriptions: number
  /** Tasks have been read back out of their order; `brokerStarted` puts them in order. */
  isUnordered: boolean
}

/** A session's wish to take from a queue. */
export interface Subscription extends HeapItem {
  readonly session: Session
  readonly queue: Queue
}

/** `heapIndex`: its place among the grace windows while disconnected, else among the rests. */
export interface Session extends HeapItem {
  readonly id: string
  /** Its place in the order of opening. */
  readonly order: number
  roles: readonly Role[]
  phase: 'connected' | 'disconnected' | 'closed'
  /** How many connections it has had. */
  connections: number
  /** Meaningful while disconnected. */
  graceEndsAtMs: number
  credit: number
  subscriptions: Subscription[]
  readonly leases: LeaseTable<Task>
  /** Its latest lease: among equally free sessions the one that has waited longest comes first. */
  lastLease: number
  /** It says up to which of its leases it has begun its deliveries; of a session that does not, all count as begun. */
  begins: boolean
  /** The last lease that it has begun, and with it all before; 0 where it has begun none or never says so. */
  begun: number
  /**
   * Whether it is heard of. One that let a lease expire is `silent` until it is heard again, and then rests until
   * `restUntilMs`; meanwhile it is given nothing.
   */
  silence: 'none' | 'silent' | 'resting'
  /** How often it has fallen silent since it settled a lease last. */
  expiries: number
  /** Meaningful while resting. */
  restUntilMs: number
}
