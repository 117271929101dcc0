import { type EngineConfig, OptionsResolver } from './config.ts'
import type { Queue, Session, Subscription, Task } from './entities.ts'
import { FinishRate } from './finish-rate.ts'
import { IndexedHeap } from './indexed-heap.ts'
import { LinkedList } from './linked-list.ts'
import { ReadyQueue } from './ready-queue.ts'
import { deadlineOf } from './task.ts'
import { TaskTable } from './task-table.ts'

/** Everything that the queue knows. Only `evolve` changes it. The host owns the clock, the sockets and the disk. */
export interface State {
  readonly config: EngineConfig
  readonly options: OptionsResolver
  epoch: number
  nextLease: number
  nextSeq: number
  nextSessionOrder: number
  readonly tasks: TaskTable
  /** Bytes of bodies and results over all queues, bodies of dead letters included. */
  bytes: number
  /** Bytes of memory for failures and progress over all queues. */
  historyBytes: number
  readonly queues: Map<string, Queue>
  /** The number of queues that each principal first named. */
  readonly queuesOf: Map<string, number>
  readonly sessions: Map<string, Session>
  /** Principals and the instants up to which their tokens are revoked. */
  readonly revocations: Map<string, number>
  /** The number of unfinished tasks of each principal that has some. */
  readonly unfinishedOf: Map<string, number>
  /** The number of watches of the sessions of each principal that has some. */
  readonly watchesOf: Map<string, number>
  /** Tasks for which something will become due, earliest first. */
  readonly deadlines: IndexedHeap<Task>
  /** Disconnected sessions, by the end of their grace window. */
  readonly graces: IndexedHeap<Session>
  /** Connected sessions that rest, by the end of their rest. */
  readonly rests: IndexedHeap<Session>
  /** Exactly the queues that have a ready task and an available session. */
  readonly dispatchable: Set<Queue>
}

/** `seed` is for the hash table of tasks and has no visible effect. */
export function createState(config: EngineConfig, seed = 0): State {
  return {
    config,
    options: new OptionsResolver(config.defaults),
    epoch: 0,
    nextLease: 1,
    nextSeq: 1,
    nextSessionOrder: 1,
    tasks: new TaskTable(seed),
    bytes: 0,
    historyBytes: 0,
    queues: new Map(),
    queuesOf: new Map(),
    sessions: new Map(),
    revocations: new Map(),
    unfinishedOf: new Map(),
    watchesOf: new Map(),
    deadlines: new IndexedHeap(
      (a, b) => deadlineOf(a) < deadlineOf(b) || (deadlineOf(a) === deadlineOf(b) && a.seq < b.seq),
    ),
    graces: new IndexedHeap(
      (a, b) => a.graceEndsAtMs < b.graceEndsAtMs || (a.graceEndsAtMs === b.graceEndsAtMs && a.order < b.order),
    ),
    rests: new IndexedHeap(
      (a, b) => a.restUntilMs < b.restUntilMs || (a.restUntilMs === b.restUntilMs && a.order < b.order),
    ),
    dispatchable: new Set(),
  }
}

export function createQueue(name: string, creator?: string): Queue {
  return {
    name,
    creator,
    ready: new ReadyQueue(),
    delayed: 0,
    bytes: 0,
    leased: new LinkedList(),
    done: new LinkedList(),
    dead: new LinkedList(),
    succeeded: 0,
    resultBytes: 0,
    historyBytes: 0,
    finishRate: new FinishRate(),
    available: new IndexedHeap(freerFirst),
    subscriptions: 0,
    isUnordered: false,
  }
}

function freerFirst(a: Subscription, b: Subscription): boolean {
  const difference = freeCredit(a.session) - freeCredit(b.session)
  if (difference !== 0) return difference > 0
  if (a.session.lastLease !== b.session.lastLease) return a.session.lastLease < b.session.lastLease
  return a.session.order < b.session.order
}

/** How many deliveries a session can still take. Negative after it lowered its credit. */
export function freeCredit(session: Session): number {
  return session.credit - session.leases.size
}

/** Tasks of a queue that have no outcome yet: what `queueTasksMax` bounds. */
export function unfinished(queue: Queue): number {
  return queue.ready.size + queue.delayed + queue.leased.size
}

/** When the host must run `tick` next, in ms of its clock; null if nothing will become due. */
export function nextWakeAtMs(state: State): number | null {
  const first = state.deadlines.peek()
  const task = first ? deadlineOf(first) : Number.POSITIVE_INFINITY
  const grace = state.graces.peek()?.graceEndsAtMs ?? Number.POSITIVE_INFINITY
  const rest = state.rests.peek()?.restUntilMs ?? Number.POSITIVE_INFINITY
  const next = Math.min(task, grace, rest)
  return next === Number.POSITIVE_INFINITY ? null : next
}
