import type { AttemptRecord } from '@sluice/engine'
import type { Body, DeadReason, SubmitOptions, TaskFailure, TaskStatus, WireError } from '@sluice/protocol'
import type { OutcomeReader } from './outcome-feed.ts'
import type { Purged } from './purge.ts'
import type { TaskListQuery } from './task-list.ts'

/** What the HTTP API and the command line ask of a running broker; the host implements it. */
export interface BrokerApi {
  /** Resolves once the accepted ones are durable: an error for each refused task, undefined for each accepted one. */
  submit(
    queue: string,
    options: SubmitOptions | undefined,
    tasks: readonly (Body & { id: string })[],
  ): Promise<(WireError | undefined)[]>
  /** Undefined when no such task is held. */
  task(id: string): Promise<TaskDetails | undefined>
  /** Resolves when the task has its outcome (at once when it has), or after `waitMs`, or when `signal` aborts. Waits are bounded in number: past that, an Error with code busy. */
  waitForOutcome(id: string, waitMs: number, signal?: AbortSignal): Promise<void>
  /** Undefined for each cancelled task, else why not. */
  cancel(ids: readonly string[]): Promise<(WireError | undefined)[]>
  queues(): QueueStats[]
  workers(): WorkerStats[]
  /**
   * Dead letters queue by queue, in the order of their death; `after` is the id that the previous page ended with. Where that
   * one was redriven meanwhile, its queue begins anew.
   * @throws an Error with code unknown_task where its record has gone and no `queue` says where to go on
   */
  dead(query: { queue?: string; limit: number; after?: string }): { tasks: DeadLetter[]; next?: string }
  /** Dead letters of these ids, or of a whole queue, made ready again. Resolves to how many. */
  redrive(target: { ids: readonly string[] } | { queue: string }): Promise<number>
  /** A page of the tasks that are held; see `taskPage`. */
  tasks(query: TaskListQuery): { tasks: TaskStatus[]; next?: string }
  /** Cancels what waits in a queue; see `purgeQueue`. */
  purge(queue: string): Promise<Purged>
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
