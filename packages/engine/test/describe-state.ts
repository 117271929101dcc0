import { freeCredit, nextWakeAtMs, recordOf, type State, type Task } from '../src/index.ts'

/** Everything that a state knows, as plain comparable data. */
export function describeState(state: State): unknown {
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
      finished: idsOf(queue.finished.head),
      dead: idsOf(queue.dead.head),
      next: queue.ready.peek(1000).map(({ id }) => id),
      freest: queue.available.peek()?.session.id,
      subscriptions: queue.subscriptions,
      perSecond: queue.drain.perSecond(0),
    })),
    sessions: [...state.sessions.values()].map((session) => ({
      id: session.id,
      order: session.order,
      roles: session.roles,
      phase: session.phase,
      graceEndsAtMs: session.graceEndsAtMs,
      credit: session.credit,
      free: freeCredit(session),
      queues: session.subscriptions.map(({ queue }) => queue.name),
      leases: [...session.leases.keys()],
      lastLease: session.lastLease,
    })),
    dispatchable: [...state.dispatchable].map(({ name }) => name),
  }
}

function describeTask(task: Task): unknown {
  return { ...recordOf(task), deadlineMs: hasDeadline(task) ? task.deadlineMs : undefined }
}

/** Whether something is due for it some day. */
export function hasDeadline(task: Task): boolean {
  return task.phase.state !== 'ready' || (!task.started && task.options.ttlMs > 0)
}

export function idsOf(head: Task | null): string[] {
  const ids: string[] = []
  for (let task = head; task; task = task.next) ids.push(task.id)
  return ids
}
