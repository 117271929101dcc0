import { check, same } from './check.ts'
import { hasDeadline, idsOf } from './describe-state.ts'
import type { Queue, Session, Task } from './entities.ts'
import { HISTORY_LENGTH_MAX, HISTORY_MAX, lengthOf } from './history.ts'
import { failureBytes, pastBytes } from './history-room.ts'
import { byReadiness } from './ready-queue.ts'
import { freeCredit, type State, unfinished } from './state.ts'
import { deadlineOf, isFinished, watchersOf } from './task.ts'

export { describeKept, describeState } from './describe-state.ts'
export { HistoryChecker } from './history-checker.ts'

/** Checks what must hold for every state between two commands. Each check throws an error that names the fault. */
export function checkState(state: State): void {
  checkLeases(state)
  checkQueues(state)
  checkDeadlines(state)
  checkSessions(state)
  checkHistories(state)
  checkOwners(state)
}

function checkLeases(state: State): void {
  const seen = new Map<number, string>()
  const holders = new Map<string, string>()
  for (const session of state.sessions.values()) {
    for (const [lease, task] of session.leases) {
      check(!seen.has(lease), () => `lease ${lease} is held twice`)
      check(!holders.has(task.id), () => `task ${task.id} is leased to ${holders.get(task.id)} and to ${session.id}`)
      check(lease <= session.lastLease, () => `lease ${lease} is later than the latest of ${session.id}`)
      seen.set(lease, task.id)
      holders.set(task.id, session.id)
      check(lease < state.nextLease, () => `lease ${lease} is not below the next one`)
      const { phase } = task
      check(
        phase.state === 'leased' && task.lease === lease && phase.session === session,
        () => `session ${session.id} holds lease ${lease} of task ${task.id}, which does not know`,
      )
      check(state.tasks.get(task.id) === task, () => `lease ${lease} is of a task that is not held`)
    }
  }
  for (const { id, phase } of state.tasks.values()) {
    if (phase.state === 'leased') same(holders.get(id), phase.session.id, `the holder of ${id}`)
  }
}

function checkQueues(state: State): void {
  const { config } = state
  const byQueue = Map.groupBy(state.tasks.values(), ({ queue }) => queue)
  for (const [queue] of byQueue) check(state.queues.get(queue.name) === queue, () => `queue ${queue.name} is not held`)
  check(state.queues.size <= config.queuesMax, () => `${state.queues.size} queues are too many`)
  check(state.sessions.size <= config.sessionsMax, () => `${state.sessions.size} sessions are too many`)
  check(state.tasks.size <= config.tasksMax, () => `${state.tasks.size} tasks are too many`)
  const dispatchable: string[] = []
  const creators: string[] = []
  let allBytes = 0
  let allHistoryBytes = 0
  for (const queue of state.queues.values()) {
    if (queue.creator !== undefined) creators.push(queue.creator)
    const tasks = byQueue.get(queue) ?? []
    const count = (...names: string[]) => tasks.filter(({ phase }) => names.includes(phase.state)).length
    same(
      [queue.ready.size, queue.delayed, queue.leased.size, queue.succeeded, queue.done.size, queue.dead.size],
      [
        count('ready'),
        count('delayed'),
        count('leased'),
        count('succeeded'),
        count('succeeded', 'cancelled'),
        count('dead'),
      ],
      `the count of ${queue.name}`,
    )
    const bytes = tasks.reduce((sum, task) => sum + (isFinished(task) ? 0 : task.bytes), 0)
    same(queue.bytes, bytes, `the bytes of ${queue.name}`)
    const resultBytes = tasks.reduce((sum, task) => sum + (task.phase.state === 'succeeded' ? task.resultBytes : 0), 0)
    same(queue.resultBytes, resultBytes, `the bytes of the results of ${queue.name}`)
    allBytes += bytes + resultBytes
    for (const { phase, bytes } of tasks) if (phase.state === 'dead') allBytes += bytes
    const historyBytes = tasks.reduce((sum, task) => sum + historyBytesOf(task), 0)
    same(queue.historyBytes, historyBytes, `the bytes of the histories of ${queue.name}`)
    check(historyBytes <= config.queueHistoryBytesMax, () => `queue ${queue.name} keeps histories that are too long`)
    allHistoryBytes += historyBytes
    same(idsOf(queue.leased.head).length, queue.leased.size, `the list of leased tasks of ${queue.name}`)
    same(idsOf(queue.done.head).length, queue.done.size, `the list of done tasks of ${queue.name}`)
    same(idsOf(queue.dead.head).length, queue.dead.size, `the list of dead letters of ${queue.name}`)
    check(unfinished(queue) <= config.queueTasksMax, () => `queue ${queue.name} holds too many tasks`)
    check(queue.bytes <= config.queueBytesMax, () => `queue ${queue.name} holds too many bytes`)
    check(queue.done.size <= config.queueResultsMax, () => `queue ${queue.name} keeps too many results`)
    check(queue.resultBytes <= config.queueResultBytesMax, () => `queue ${queue.name} keeps too many bytes of results`)
    check(queue.dead.size <= config.queueDeadMax, () => `queue ${queue.name} keeps too many dead letters`)
    check(tasks.length + queue.subscriptions > 0, () => `queue ${queue.name} is unused and still there`)
    checkAvailable(state, queue)
    checkNext(queue, tasks)
    if (count('ready') > 0 && willing(state, queue).length > 0) dispatchable.push(queue.name)
  }
  same(state.bytes, allBytes, 'the bytes of all queues')
  same(state.historyBytes, allHistoryBytes, 'the bytes of the histories of all queues')
  check(allHistoryBytes <= config.historyBytesMax, () => `histories of ${allHistoryBytes} bytes are too long`)
  const counts = [...Map.groupBy(creators, (name) => name)].map(([name, all]) => [name, all.length])
  same([...state.queuesOf].sort(), counts.sort(), 'the queues of each principal')
  same([...state.dispatchable].map(({ name }) => name).sort(), dispatchable.sort(), 'the dispatchable set')
}

function historyBytesOf({ past, phase }: Task): number {
  check(past.bytes === pastBytes(past), () => `a history takes ${pastBytes(past)} bytes, and ${past.bytes} are counted`)
  return past.bytes + (phase.state === 'dead' ? failureBytes(phase.error) : 0)
}

function willing(state: State, queue: Queue) {
  return [...state.sessions.values()].filter(
    (session) =>
      session.phase === 'connected' &&
      session.silence === 'none' &&
      freeCredit(session) > 0 &&
      session.subscriptions.some((subscription) => subscription.queue === queue),
  )
}

function checkAvailable(state: State, queue: Queue): void {
  const sessions = willing(state, queue).sort(
    (a, b) => freeCredit(b) - freeCredit(a) || a.lastLease - b.lastLease || a.order - b.order,
  )
  same(queue.available.size, sessions.length, `the number of sessions available to ${queue.name}`)
  same(queue.available.peek()?.session.id, sessions[0]?.id, `the freest session of ${queue.name}`)
  same(queue.available.second()?.session.id, sessions[1]?.id, `the second freest session of ${queue.name}`)
  const subscribed = [...state.sessions.values()].filter((s) => s.subscriptions.some((one) => one.queue === queue))
  same(queue.subscriptions, subscribed.length, `the subscriptions of ${queue.name}`)
}

/**
 * The next task has the highest priority. Among these, a task that was delivered before comes first, in the order of
 * acceptance.
 */
function checkNext(queue: Queue, tasks: readonly Task[]): void {
  const ready = tasks.filter(({ phase }) => phase.state === 'ready')
  const [next] = queue.ready.peek(1)
  check((next === undefined) === (ready.length === 0), () => `queue ${queue.name} does not show its next task`)
  if (!next) return
  const level = ready.filter(({ options }) => options.priority >= next.options.priority)
  check(
    level.every(({ options }) => options.priority === next.options.priority),
    () => `queue ${queue.name} passes over a higher priority`,
  )
  const first = level.find((task) => isBefore(task, next))
  check(
    first === undefined,
    () => `the next task of ${queue.name} is ${next.id}, and ${first?.id} has to be delivered before it`,
  )
}

function isBefore(a: Task, b: Task): boolean {
  if (a.started !== b.started) return a.started
  return a.started ? a.seq < b.seq : byReadiness(a, b) < 0
}

function checkDeadlines(state: State): void {
  const due = [...state.tasks.values()].filter(hasDeadline)
  for (const task of due) {
    // A leased or finished task is in the heap of deadlines only if it is due before the task in front of it.
    const isBehind =
      (isFinished(task) || task.phase.state === 'leased') &&
      task.prev !== null &&
      deadlineOf(task.prev) <= deadlineOf(task)
    check(isBehind || state.deadlines.has(task), () => `task ${task.id} has no deadline`)
    same(deadlineOf(task), dueAtMs(task), `the deadline of ${task.id}`)
  }
  const earliest = due.sort((a, b) => deadlineOf(a) - deadlineOf(b))[0]
  const first = state.deadlines.peek()
  same(first && deadlineOf(first), earliest && deadlineOf(earliest), 'the first deadline')
  const waiting = due.filter(({ heapIndex }) => heapIndex >= 0)
  same(state.deadlines.size, waiting.length, 'the number of deadlines')
  const idle = [...state.tasks.values()].filter((task) => !hasDeadline(task))
  for (const { id, heapIndex, started } of idle) same(heapIndex >= 0, started, `whether ready task ${id} is in a heap`)
}

function dueAtMs(task: Task): number {
  const { phase, options } = task
  const ttlEndsAtMs =
    task.started || options.ttlMs === 0 ? Number.POSITIVE_INFINITY : task.acceptance.atMs + options.ttlMs
  switch (phase.state) {
    case 'ready':
      return ttlEndsAtMs
    case 'delayed':
      return Math.min(phase.readyAtMs, ttlEndsAtMs)
    case 'leased':
      return phase.expiresAtMs
    default:
      return phase.forgetAtMs
  }
}

function checkSessions(state: State): void {
  const away = [...state.sessions.values()].filter(({ phase }) => phase === 'disconnected')
  same(state.graces.size, away.length, 'the number of grace windows')
  const first = away.sort((a, b) => a.graceEndsAtMs - b.graceEndsAtMs || a.order - b.order)[0]
  same(state.graces.peek()?.id, first?.id, 'the first grace window to end')
  const resting = [...state.sessions.values()].filter((s) => s.phase === 'connected' && s.silence === 'resting')
  same(state.rests.size, resting.length, 'the number of rests')
  const firstRested = resting.sort((a, b) => a.restUntilMs - b.restUntilMs || a.order - b.order)[0]
  same(state.rests.peek()?.id, firstRested?.id, 'the first rest to end')
  for (const { id, phase, begins, begun, lastLease, silence, expiries, restUntilMs } of state.sessions.values()) {
    check(phase !== 'closed', () => `session ${id} is closed and held`)
    check(begins ? begun <= lastLease : begun === 0, () => `session ${id} has begun its leases up to ${begun}`)
    same(restUntilMs > 0, silence === 'resting', `whether session ${id} rests`)
    check(silence !== 'silent' || expiries > 0, () => `session ${id} is silent and let nothing expire`)
  }
  const watches = new Map<Session, number>()
  for (const { watchers } of state.tasks.values())
    for (const session of [watchers ?? []].flat()) watches.set(session, (watches.get(session) ?? 0) + 1)
  for (const session of state.sessions.values())
    check(
      session.watches === (watches.get(session) ?? 0),
      () => `session ${session.id} counts ${session.watches} watches`,
    )
  for (const task of state.tasks.values()) {
    const watchers = [task.watchers ?? []].flat().filter(({ phase }) => phase !== 'closed')
    check(new Set(watchers).size === watchers.length, () => `task ${task.id} has a watcher twice`)
    check(watchersOf(task).length <= state.config.watchersMax, () => `task ${task.id} has too many watchers`)
  }
}

function checkHistories(state: State): void {
  for (const { id, past } of state.tasks.values()) {
    const { history } = past
    check(history.length <= HISTORY_MAX, () => `task ${id} keeps ${history.length} attempts`)
    const older = history.slice(0, -1).flatMap(({ error }) => error ?? [])
    check(
      older.every(({ stack }) => stack === undefined),
      () => `task ${id} keeps the stack of an older attempt`,
    )
    const length = older.reduce((sum, error) => sum + lengthOf(error), 0)
    check(length <= HISTORY_LENGTH_MAX, () => `task ${id} keeps errors of ${length} characters of older attempts`)
  }
}

function checkOwners(state: State): void {
  const unfinishedOf = new Map<string, number>()
  for (const task of state.tasks.values()) {
    const { owner } = task.acceptance
    if (owner !== undefined && !isFinished(task)) unfinishedOf.set(owner, (unfinishedOf.get(owner) ?? 0) + 1)
  }
  same(state.unfinishedOf.size, unfinishedOf.size, 'principals with unfinished tasks')
  for (const [owner, count] of unfinishedOf)
    same(state.unfinishedOf.get(owner), count, `the unfinished tasks of ${owner}`)
  const watchesOf = new Map<string, number>()
  for (const { owner, watches } of state.sessions.values())
    if (owner !== undefined && watches > 0) watchesOf.set(owner, (watchesOf.get(owner) ?? 0) + watches)
  same(state.watchesOf.size, watchesOf.size, 'principals with watches')
  for (const [owner, count] of watchesOf) same(state.watchesOf.get(owner), count, `the watches of ${owner}`)
}
