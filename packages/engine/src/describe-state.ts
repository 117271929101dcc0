import type { Task } from './entities.ts'
import { recordOf } from './records.ts'
import { freeCredit, nextWakeAtMs, type State } from './state.ts'
import { deadlineOf } from './task.ts'

/** Everything in a state, as plain comparable data. */
export function describeState(state: State) {
  return {
    epoch: state.epoch,
    nextLease: state.nextLease,
    nextSeq: state.nextSeq,
    nextWakeAtMs: nextWakeAtMs(state),
    tasks: [...state.tasks.values()].map(describeTask),
    queues: [...state.queues.values()].map((queue) => ({
      name: queue.name,
      ready: queue.ready.size,
      delayed: queue.delayed,
      leased: queue.leased.size,
      bytes: queue.bytes,
      succeeded: queue.succeeded,
      done: idsOf(queue.done.head),
      dead: idsOf(queue.dead.head),
      next: queue.ready.peek(1000).map(({ id }) => id),
      freest: queue.available.peek()?.session.id,
      subscriptions: queue.subscriptions,
      perSecond: queue.finishRate.perSecond(0),
    })),
    sessions: [...state.sessions.values()].map((session) => ({
      id: session.id,
      order: session.order,
      roles: session.roles,
      owner: session.owner,
      phase: session.phase,
      graceEndsAtMs: session.graceEndsAtMs,
      credit: session.credit,
      free: freeCredit(session),
      queues: session.subscriptions.map(({ queue }) => queue.name),
      leases: [...session.leases.keys()],
      lastLease: session.lastLease,
      begins: session.begins,
      begun: session.begun,
      silence: session.silence,
      expiries: session.expiries,
      restUntilMs: session.restUntilMs,
    })),
    revocations: [...state.revocations],
    unfinishedOf: [...state.unfinishedOf].sort(([a], [b]) => order(a, b)),
    watchesOf: [...state.watchesOf].sort(([a], [b]) => order(a, b)),
    dispatchable: [...state.dispatchable].map(({ name }) => name),
  }
}

function describeTask(task: Task) {
  return { ...recordOf(task), deadlineMs: hasDeadline(task) ? deadlineOf(task) : undefined }
}

/** Whether something will become due for the task. */
export function hasDeadline(task: Task): boolean {
  return task.phase.state !== 'ready' || (!task.started && task.options.ttlMs > 0)
}

export function idsOf(head: Task | null): string[] {
  const ids: string[] = []
  for (let task = head; task; task = task.next) ids.push(task.id)
  return ids
}

/**
 * What compaction must preserve of a state that a broker has just loaded. It leaves out positions in heaps, ties
 * between workers and data that only estimates use.
 */
export function describeKept(state: State) {
  const { tasks, sessions, queues, epoch, nextLease, unfinishedOf } = describeState(state)
  return {
    epoch,
    nextLease,
    unfinishedOf,
    tasks: [...tasks].sort((a, b) => order(a.id, b.id)),
    sessions: sessions
      .map(({ id, credit, queues, leases, phase, lastLease, begins, begun, silence, expiries, restUntilMs }) => ({
        id,
        credit,
        queues,
        phase,
        lastLease,
        begins,
        begun,
        silence,
        expiries,
        restUntilMs,
        leases: leases.sort((a, b) => a - b),
      }))
      .sort((a, b) => order(a.id, b.id)),
    queues: queues
      .map(({ name, ready, delayed, leased, bytes, succeeded, next }) => ({
        name,
        ready,
        delayed,
        leased,
        bytes,
        succeeded,
        next,
      }))
      .sort((a, b) => order(a.name, b.name)),
  }
}

function order(a: string, b: string): number {
  return a < b ? -1 : 1
}
