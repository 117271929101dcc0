import type { AttemptRecord } from '@sluice/engine'
import type { Body, DeadReason, SubmitOptions, TaskFailure, TaskStatus, WireError } from '@sluice/protocol'
import type { Principal } from './access/access-control.ts'
import type { OutcomeReader } from './outcome-feed.ts'
import type { Purged } from './purge.ts'
import type { TaskListQuery } from './task-list.ts'

/** What the HTTP API and the command line ask of a running broker; the host implements it. */
export interface BrokerApi {
  /** What this principal may see and do. Each call @throws an Error with code not_permitted where a scope is missing. */
  as(principal: Principal): BrokerApi
  /** Why this principal may do nothing at all, such as a revocation; undefined where it may. */
  refusalOf(principal: Principal): WireError | undefined
  /**
   * Ends what a principal has open at once, and refuses all tokens of it that were issued up to now. Or ends one session, by
   * the id that `workers` shows. Resolves, once it is durable, to the number of connections that were closed.
   */
  revoke(target: { principal: string } | { session: string }): Promise<number>
  /** Resolves once the accepted ones are durable: an error for each refused task, undefined for each accepted one. */
  submit(
    queue: string,
    options: SubmitOptions | undefined,
    tasks: readonly (Body & { id: string })[],
  ): Promise<(WireError | undefined)[]>
  /** Undefined when no such task is held. */
  task(id: string): Promise<TaskDetails | undefined>
  /**
   * Resolves when the task has its outcome (at once where it has), or after `waitMs`, or when `signal` aborts. What it resolves
   * to tells as `task` does, and tells an outcome also where its record went in the moment it ended. Waits are bounded in number:
   * past that, an Error with code busy.
   */
  waitForOutcome(id: string, waitMs: number, signal?: AbortSignal): Promise<() => Promise<TaskDetails | undefined>>
  /** Undefined for each cancelled task, else why not. */
  cancel(ids: readonly string[]): Promise<(WireError | undefined)[]>
  queues(): QueueStats[]
  /** Workers in the order of their sessions. `after` is the id that the previous page ended with. */
  workers(query: { limit: number; after?: string }): { workers: WorkerStats[]; next?: string }
  /**
   * Dead letters queue by queue, in the order of their death; `after` is the id that the previous page ended with. Where that
   * one was redriven meanwhile, its queue begins anew.
   * @throws an Error with code unknown_task where its record has gone and no `queue` says where to go on
   */
  dead(query: { queue?: string; limit: number; after?: string }): { tasks: DeadLetter[]; next?: string }
  /**
   * Dead letters of these ids, or of a whole queue, made ready again. Resolves to how many, and why others were not.
   * @throws an Error with code unknown_task where no such queue is held
   */
  redrive(target: { ids: readonly string[] } | { queue: string }): Promise<Redriven>
  /** A page of the tasks that are held; see `taskPage`. */
  tasks(query: TaskListQuery): { tasks: TaskStatus[]; next?: string }
  /** Cancels what waits in a queue; see `purgeQueue`. */
  purge(queue: string): Promise<Purged>
  /** Cancels all tasks of a queue and drops its records; see `dropQueue`. */
  dropQueue(queue: string): Promise<Purged>
  /** Forgets dead letters; see `purgeDead`. */
  purgeDead(target: { ids: readonly string[] } | { queue: string }): Promise<Purged>
  /**
   * Tells `reader` of every outcome from now on; the returned function ends that. Readers are bounded in number.
   * @throws an Error with code busy past that
   */
  follow(reader: OutcomeReader): () => void
  health(): Health
}

export interface TaskDetails extends TaskStatus {
  history: AttemptRecord[]
  /** Of a succeeded task. */
  result?: Body
}

export interface Redriven {
  redriven: number
  refused: { id: string; error: WireError }[]
}

export interface QueueStats {
  name: string
  ready: number
  delayed: number
  leased: number
  /** Outcomes still kept. */
  succeeded: number
  dead: number
  cancelled: number
  /** Bytes of unfinished tasks' bodies. */
  bytes: number
  tasksMax: number
  bytesMax: number
  /** Connected workers that take from it, and the deliveries that they would still take. */
  workers: number
  freeCredit: number
  /** Tasks finished a second, as observed over the last seconds. */
  drainPerSecond: number
  oldestReadyAgeMs: number
}

export interface WorkerStats {
  /** A short public handle, not the session's secret id. */
  id: string
  name: string
  connected: boolean
  credit: number
  leased: number
  queues: string[]
}

export interface DeadLetter {
  id: string
  queue: string
  reason: DeadReason
  error?: TaskFailure
  attempts: number
  history: AttemptRecord[]
  ageMs: number
}

export interface Health {
  status: 'ready' | 'starting' | 'draining' | 'read_only' | 'stopped'
  durability: 'strict' | 'relaxed' | 'memory'
  version: string
  /** Tasks held in any state, sessions connected. */
  tasks: number
  connections: number
  journal: { batches: number; bytes: number }
  /** Why the broker is read-only. */
  reason?: string
}
