import type { AttemptRecord } from '@sluice/engine'
import type { Body, DeadReason, Labels, SubmitOptions, TaskFailure, TaskStatus, WireError } from '@sluice/protocol'
import type { Principal } from './access/access-control.ts'
import type { OutcomeReader } from './outcome-feed.ts'
import type { Purged } from './purge.ts'
import type { TaskListQuery } from './task-list.ts'

/** The calls of the HTTP API and the command line to a running broker. The host implements it. */
export interface BrokerApi {
  /** The API restricted to this principal. Each call throws an Error with code not_permitted if a scope is missing. */
  as(principal: Principal): BrokerApi
  /** Why this principal may do nothing at all, for example a revocation. Undefined if it may. */
  refusalOf(principal: Principal): WireError | undefined
  /**
   * Closes all connections of a principal at once and refuses all tokens of it that were issued up to now; or ends one
   * session, by the id that `workers` shows. When that is durable, resolves to the number of closed connections.
   */
  revoke(target: { principal: string } | { session: string }): Promise<number>
  /** Resolves when the accepted tasks are durable: an error for each refused task, undefined for each accepted one. */
  submit(
    queue: string,
    options: SubmitOptions | undefined,
    tasks: readonly (Body & { id: string })[],
  ): Promise<(WireError | undefined)[]>
  /** Undefined if no such task is held. */
  task(id: string): Promise<TaskDetails | undefined>
  /**
   * Resolves when the task has its outcome (at once if it has one already), after `waitMs`, or when `signal` aborts.
   * The function that it resolves to returns what `task` would, and also an outcome whose record was removed as soon as
   * the task ended. The number of waits is bounded; past the bound it rejects with an Error with code busy.
   */
  waitForOutcome(id: string, waitMs: number, signal?: AbortSignal): Promise<() => Promise<TaskDetails | undefined>>
  /** Undefined for each cancelled task, otherwise the reason why it was not cancelled. */
  cancel(ids: readonly string[]): Promise<(WireError | undefined)[]>
  queues(): QueueStats[]
  /** Workers in the order of their sessions. `after` is the last id of the previous page. */
  workers(query: { limit: number; after?: string }): { workers: WorkerStats[]; next?: string }
  /**
   * Dead letters queue by queue, in the order of their death. `after` is the last id of the previous page. If that one
   * was redriven meanwhile, its queue starts again from the front.
   * @throws an Error with code unknown_task if its record has gone and `queue` does not tell where to continue
   */
  dead(query: { queue?: string; limit: number; after?: string }): { tasks: DeadLetter[]; next?: string }
  /**
   * Makes dead letters ready again, by id or of a whole queue. Resolves to how many there were, and why others were
   * not.
   * @throws an Error with code unknown_task if no such queue is held
   */
  redrive(target: { ids: readonly string[] } | { queue: string }): Promise<Redriven>
  /** A page of the held tasks; see `taskPage`. */
  tasks(query: TaskListQuery): { tasks: TaskStatus[]; next?: string }
  /** Cancels the waiting tasks of a queue; see `purgeQueue`. */
  purge(queue: string): Promise<Purged>
  /** Cancels all tasks of a queue and drops its records; see `dropQueue`. */
  dropQueue(queue: string): Promise<Purged>
  /** Forgets dead letters; see `purgeDead`. */
  purgeDead(target: { ids: readonly string[] } | { queue: string }): Promise<Purged>
  /**
   * Tells `reader` every outcome from now on. The returned function ends that. The number of readers is bounded.
   * @throws an Error with code busy past the bound
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
  /** Succeeded tasks whose outcomes are kept. */
  succeeded: number
  dead: number
  cancelled: number
  /** Bytes of the bodies of unfinished tasks. */
  bytes: number
  tasksMax: number
  bytesMax: number
  /** Connected workers that take from the queue, and the deliveries that they would still take. */
  workers: number
  freeCredit: number
  /** Tasks finished per second, over the last seconds. */
  drainPerSecond: number
  oldestReadyAgeMs: number
}

export interface WorkerStats {
  /** A short public name. The session's id is secret. */
  id: string
  name: string
  /** What it announced when it connected. Empty while it is away. */
  labels: Labels
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
  /** Tasks held in any state, and connected sessions. */
  tasks: number
  connections: number
  journal: { batches: number; bytes: number }
  /** Why the broker is read-only. */
  reason?: string
}
