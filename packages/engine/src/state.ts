import type { Role, TaskStateName } from '@sluice/protocol'
import { type EngineConfig, OptionsResolver } from './config.ts'
import { DrainRate } from './drain-rate.ts'
import { type HeapItem, IndexedHeap } from './indexed-heap.ts'
import type { LeaseTable } from './lease-table.ts'
import { ReadyQueue } from './ready-queue.ts'
import { deadlineOf, type Task } from './task.ts'
import { TaskList } from './task-list.ts'
import { TaskTable } from './task-table.ts'

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
  readonly ready: ReadyQueue
  /** Unfinished tasks by state, and the bytes of their bodies. */
  delayed: number
  bytes: number
  /** Leased tasks in the order in which their leases were granted or renewed. */
  readonly leased: TaskList
  /** Finished tasks in the order they finished: succeeded and cancelled ones, and dead letters. */
  readonly finished: TaskList
  readonly dead: TaskList
  succeeded: number
  /** Bytes of the results that are kept. */
  resultBytes: number
  readonly drain: DrainRate
  /** Connected sessions with free credit that take from this queue, freest first. */
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
  readonly leases: LeaseTable
  /** Its latest lease: among equally free sessions the one that has waited longest comes first. */
  lastLease: number
}

/** Everything the queue knows. Only `evolve` writes it; `now`, sockets and disks are the host's. */
export interface State {
  readonly config: EngineConfig
  readonly options: OptionsResolver
  epoch: number
  nextLease: number
  nextSeq: number
  nextSessionOrder: number
  readonly tasks: TaskTable
  readonly queues: Map<string, Queue>
  readonly sessions: Map<string, Session>
  /** Tasks with something due, earliest first. */
  readonly deadlines: IndexedHeap<Task>
  /** Disconnected sessions, by the end of their grace window. */
  readonly graces: IndexedHeap<Session>
  /** Exactly the queues that have a ready task and an available session. */
  readonly dispatchable: Set<Queue>
}

/** `seed` is for the table of tasks; it changes nothing that can be seen. */
export function createState(config: EngineConfig, seed = 0): State {
  return {
    config,
    options: new OptionsResolver(config.defaults),
    epoch: 0,
    nextLease: 1,
    nextSeq: 1,
    nextSessionOrder: 1,
    tasks: new TaskTable(seed),
    queues: new Map(),
    sessions: new Map(),
    deadlines: new IndexedHeap(
      (a, b) => deadlineOf(a) < deadlineOf(b) || (deadlineOf(a) === deadlineOf(b) && a.seq < b.seq),
    ),
    graces: new IndexedHeap(
      (a, b) => a.graceEndsAtMs < b.graceEndsAtMs || (a.graceEndsAtMs === b.graceEndsAtMs && a.order < b.order),
    ),
    dispatchable: new Set(),
  }
}

export function createQueue(name: string): Queue {
  return {
    name,
    ready: new ReadyQueue(),
    delayed: 0,
    bytes: 0,
    leased: new TaskList(),
    finished: new TaskList(),
    dead: new TaskList(),
    succeeded: 0,
    resultBytes: 0,
    drain: new DrainRate(),
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

/** Deliveries that a session would still take; negative after it lowered its credit. */
export function freeCredit(session: Session): number {
  return session.credit - session.leases.size
}

/** Tasks of a queue that have no outcome yet: what its bound counts. */
export function unfinished(queue: Queue): number {
  return queue.ready.size + queue.delayed + queue.leased.size
}

export function attemptsMax(task: Task): number {
  return task.options.retry.kind === 'none' ? 1 : task.options.retry.attemptsMax
}

export function isFinished(task: Task): boolean {
  const { state } = task.phase
  return state === 'succeeded' || state === 'dead' || state === 'cancelled'
}

/** Whether there is anything more to tell of it: a dead letter may be redriven, other outcomes are the last word. */
export function mayHaveNews(task: Task): boolean {
  return task.phase.state !== 'succeeded' && task.phase.state !== 'cancelled'
}

/** Whether a session has asked for a task by its id. */
export function isWatching(task: Task, session: Session): boolean {
  return task.watchers === session || (Array.isArray(task.watchers) && task.watchers.includes(session))
}

/** The sessions that want to hear of a task and have not closed. */
export function watchersOf(task: Task): readonly Session[] {
  const sessions = new Set([task.submission?.session ?? [], task.watchers ?? []].flat())
  return [...sessions].filter((session) => session.phase !== 'closed')
}

export function stateNameOf(task: Task): TaskStateName {
  return task.phase.state
}

/** When the host has to run `tick` next, in ms of its clock; null when nothing is due ever. */
export function nextWakeAtMs(state: State): number | null {
  const first = state.deadlines.peek()
  const task = first ? deadlineOf(first) : Number.POSITIVE_INFINITY
  const grace = state.graces.peek()?.graceEndsAtMs ?? Number.POSITIVE_INFINITY
  const next = Math.min(task, grace)
  return next === Number.POSITIVE_INFINITY ? null : next
}
