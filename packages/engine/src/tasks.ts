import type { Past, Phase, Session, Task } from './entities.ts'
import type { AttemptRecord, EventType } from './events.ts'
import { historyOf } from './history.ts'
import { failureBytes, pastBytes } from './history-room.ts'
import { assertTransition } from './lifecycle.ts'
import { addUnfinished, addWatches } from './owners.ts'
import { noteDispatchable, release, retain } from './queues.ts'
import { refresh } from './sessions.ts'
import type { State } from './state.ts'
import { isFinished, isWatching, mayHaveNews, READY } from './task.ts'

/** What `evolve` does to tasks. Only `evolve` may call these functions. */

export function waiting(readyAtMs: number, atMs: number): Phase {
  return readyAtMs > atMs ? { state: 'delayed', readyAtMs } : READY
}

export function move(state: State, task: Task, event: EventType, phase: Phase): void {
  assertTransition(task.phase.state, event, phase.state)
  const holder = leave(state, task)
  enter(state, task, phase)
  if (isFinished(task)) addUnfinished(state, task.acceptance.owner, -1)
  if (holder) refresh(state, holder)
  noteDispatchable(state, task.queue)
}

/**
 * Removes a task from all lists and counts of its state. Its phase stays readable until `enter`. Afterwards the
 * caller must update the queue (`noteDispatchable`) and the session that held it, which is returned.
 */
export function leave(state: State, task: Task): Session | undefined {
  const { queue, phase } = task
  let holder: Session | undefined
  switch (phase.state) {
    case 'ready':
      // This comes first, because a returned task and a deadline share `heapIndex`, one at a time.
      if (!task.started) state.deadlines.remove(task)
      queue.ready.remove(task)
      break
    case 'delayed':
      state.deadlines.remove(task)
      queue.delayed -= 1
      break
    case 'leased':
      holder = phase.session
      holder.leases.delete(task, task.lease)
      release(state, queue.leased, task)
      break
    case 'succeeded':
      queue.succeeded -= 1
      queue.resultBytes -= task.resultBytes
      state.bytes -= task.resultBytes
      release(state, queue.done, task)
      return
    case 'cancelled':
      release(state, queue.done, task)
      return
    case 'dead':
      state.bytes -= task.bytes
      addHistoryBytes(state, task, -failureBytes(phase.error))
      release(state, queue.dead, task)
      return
    default:
      phase satisfies never
  }
  queue.bytes -= task.bytes
  state.bytes -= task.bytes
  return holder
}

/** Adds a task to all lists and counts of its new state, except for what the caller updates after `leave`. */
export function enter(state: State, task: Task, phase: Phase): void {
  const { queue } = task
  task.phase = phase
  switch (phase.state) {
    case 'ready':
      queue.ready.push(task)
      if (!task.started && task.options.ttlMs > 0) state.deadlines.push(task)
      break
    case 'delayed':
      queue.delayed += 1
      state.deadlines.push(task)
      break
    case 'leased':
      phase.session.leases.add(task, task.lease)
      retain(state, queue.leased, task)
      break
    case 'succeeded':
    case 'cancelled':
      if (phase.state === 'succeeded') {
        queue.succeeded += 1
        queue.resultBytes += task.resultBytes
        state.bytes += task.resultBytes
      }
      retain(state, queue.done, task)
      return
    case 'dead':
      state.bytes += task.bytes
      addHistoryBytes(state, task, failureBytes(phase.error))
      retain(state, queue.dead, task)
      return
    default:
      phase satisfies never
  }
  queue.bytes += task.bytes
  state.bytes += task.bytes
}

export function remember(state: State, task: Task, attempt: AttemptRecord): void {
  setPast(state, task, { ...task.past, history: historyOf([...task.past.history, attempt]) })
}

export function setPast(state: State, task: Task, past: Omit<Past, 'bytes'>): void {
  const bytes = pastBytes(past)
  addHistoryBytes(state, task, bytes - task.past.bytes)
  task.past = { ...past, bytes }
}

export function addHistoryBytes(state: State, { queue }: Task, bytes: number): void {
  queue.historyBytes += bytes
  state.historyBytes += bytes
}

export function watch(state: State, task: Task, session: Session): void {
  if (mayHaveNews(task) && !isWatching(task, session)) setWatchers(state, task, [task.watchers ?? [], session].flat())
}

export function unwatch(state: State, task: Task, session: Session): void {
  if (task.submission?.session === session) task.submission = null
  setWatchers(
    state,
    task,
    [task.watchers ?? []].flat().filter((watcher) => watcher !== session),
  )
}

export function setWatchers(state: State, task: Task, sessions: Session[]): void {
  const open = sessions.filter(({ phase }) => phase !== 'closed')
  const count = (session: Session, change: 1 | -1): void => {
    session.watches += change
    addWatches(state, session, change)
  }
  for (const session of [task.watchers ?? []].flat()) count(session, -1)
  for (const session of open) count(session, 1)
  task.watchers = open.length === 0 ? null : open.length === 1 ? (open[0] as Session) : open
}

export function held(state: State, id: string): Task {
  const task = state.tasks.get(id)
  if (!task) throw new Error(`invariant broken: an event names task ${id}, which is not held`)
  return task
}

export function numbered(state: State, seq: number): Task {
  const task = state.tasks.numbered(seq)
  if (!task) throw new Error(`invariant broken: an event names task number ${seq}, which is not held`)
  return task
}
