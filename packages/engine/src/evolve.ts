import type { AttemptRecord, Event, EventOf, EventType, PhaseRecord, SessionRecord, TaskRecord } from './events.ts'
import { assertTransition } from './lifecycle.ts'
import { dropUnused, noteDispatchable, queueNamed, release, restoreOrders, retain } from './queues.ts'
import { closeSession, dropLease, holdLease, openSession, sessionNamed, setConnected, setCredit } from './sessions.ts'
import { isWatching, mayHaveNews, type Phase, READY, type Session, type State, type Task, watchersOf } from './state.ts'

/** Ended attempts kept with a task; older ones are dropped. */
export const HISTORY_MAX = 20

/**
 * The sole mutator. Throws on an event that the state cannot take: that is a broken invariant, never bad input.
 */
export function evolve(state: State, event: Event): void {
  switch (event.type) {
    case 'taskAccepted':
      accept(state, event)
      return
    case 'leaseGranted':
      lease(state, event)
      return
    case 'taskSucceeded': {
      const task = held(state, event.id)
      move(state, task, event.type, {
        state: 'succeeded',
        result: event.result,
        bytes: event.bytes,
        contentType: event.contentType,
        forgetAtMs: event.forgetAtMs,
      })
      task.queue.drain.note(event.atMs)
      return
    }
    case 'attemptFailed': {
      const task = held(state, event.id)
      remember(task, event.attempt)
      move(state, task, event.type, waiting(event.retryAtMs, event.atMs))
      return
    }
    case 'leaseReleased': {
      const task = held(state, event.id)
      task.attempts -= 1
      task.releases += 1
      move(state, task, event.type, waiting(event.retryAtMs, event.atMs))
      return
    }
    case 'taskDied': {
      const task = held(state, event.id)
      if (event.attempt) remember(task, event.attempt)
      move(state, task, event.type, {
        state: 'dead',
        reason: event.reason,
        error: event.error,
        forgetAtMs: event.forgetAtMs,
      })
      task.queue.drain.note(event.atMs)
      return
    }
    case 'taskCancelled': {
      const task = held(state, event.id)
      move(state, task, event.type, { state: 'cancelled', forgetAtMs: event.forgetAtMs })
      return
    }
    case 'taskReadied':
      move(state, held(state, event.id), event.type, READY)
      return
    case 'taskRedriven': {
      const task = held(state, event.id)
      leave(state, task)
      task.attempts = 0
      task.releases = 0
      task.started = true
      arrive(state, task, event.type, READY)
      return
    }
    case 'taskForgotten':
      forget(state, event.id, event.type)
      return
    case 'oldestForgotten':
      for (const id of event.ids) forget(state, id, event.type)
      return
    case 'leasesRenewed':
      renew(state, event)
      return
    case 'progressReported':
      held(state, event.id).progress = event.progress
      return
    case 'taskWatched':
      watch(held(state, event.id), sessionNamed(state, event.session))
      return
    case 'taskUnwatched':
      removeWatcher(held(state, event.id), event.session)
      return
    case 'creditSet':
      setCredit(state, sessionNamed(state, event.session), event.credit, event.queues)
      return
    case 'sessionOpened':
      openSession(state, event.session, event.roles)
      return
    case 'sessionResumed':
      setConnected(state, sessionNamed(state, event.session), true, 0)
      return
    case 'sessionDisconnected':
      setConnected(state, sessionNamed(state, event.session), false, event.graceEndsAtMs)
      return
    case 'sessionClosed':
      closeSession(state, sessionNamed(state, event.session))
      return
    case 'taskRestated':
      restate(state, event.task)
      return
    case 'brokerStarted':
      state.epoch = event.epoch
      state.nextLease = event.nextLease
      restoreOrders(state)
      return
    case 'checkpointed':
      state.epoch = event.epoch
      state.nextLease = Math.max(state.nextLease, event.nextLease)
      for (const session of event.sessions) restateSession(state, session)
      return
    case 'refused':
      return
    default:
      event satisfies never
  }
}

/**
 * `evolve` for events read back from a journal whose oldest batches have been discarded. What was discarded spoke only of
 * tasks that are gone or restated later, so an event of a task that is not held is passed over, and a session that is not
 * known is taken to be one in its grace window.
 */
export function replay(state: State, event: Event): void {
  if ('id' in event && event.type !== 'taskAccepted' && !state.tasks.has(event.id)) return
  if (
    'session' in event &&
    event.session !== undefined &&
    event.type !== 'sessionOpened' &&
    !state.sessions.has(event.session)
  ) {
    if (event.type === 'sessionClosed') return
    openSession(state, event.session, ['producer', 'worker'])
  }
  if (event.type === 'taskAccepted' && event.watcher !== undefined) sessionFor(state, event.watcher)
  if (event.type === 'oldestForgotten') {
    evolve(state, { ...event, ids: event.ids.filter((id) => state.tasks.has(id)) })
    return
  }
  evolve(state, event)
}

function accept(state: State, event: EventOf<'taskAccepted'>): void {
  const { options, atMs } = event
  const watcher = event.watcher === undefined ? null : sessionNamed(state, event.watcher)
  const task: Task = {
    id: event.id,
    queue: queueNamed(state, event.queue),
    seq: event.seq,
    options,
    body: event.body,
    bytes: event.bytes,
    contentType: event.contentType,
    digest: event.digest,
    acceptedAtMs: atMs,
    started: false,
    attempts: 0,
    releases: 0,
    history: null,
    watchers: watcher,
    progress: undefined,
    phase: READY,
    deadlineMs: 0,
    heapIndex: -1,
    next: null,
    prev: null,
  }
  // The count tells whether the id was held without a second look-up.
  const before = state.tasks.size
  state.tasks.set(task.id, task)
  if (state.tasks.size === before) throw new Error(`invariant broken: task ${task.id} is accepted twice`)
  state.nextSeq = event.seq + 1
  assertTransition('absent', event.type, options.delayMs > 0 ? 'delayed' : 'ready')
  enter(state, task, waiting(atMs + options.delayMs, atMs))
}

function lease(state: State, event: EventOf<'leaseGranted'>): void {
  const task = held(state, event.id)
  const session = sessionNamed(state, event.session)
  leave(state, task)
  task.started = true
  task.attempts = event.attempt
  state.nextLease = event.lease + 1
  session.lastLease = event.lease
  arrive(state, task, event.type, { state: 'leased', session, lease: event.lease, expiresAtMs: event.expiresAtMs })
}

function renew(state: State, event: EventOf<'leasesRenewed'>): void {
  const session = sessionNamed(state, event.session)
  for (const lease of event.leases) {
    const task = session.leases.get(lease)
    if (task?.phase.state !== 'leased') continue
    task.phase.expiresAtMs = event.atMs + task.options.leaseMs
    task.deadlineMs = task.phase.expiresAtMs
    state.deadlines.update(task)
  }
}

function waiting(readyAtMs: number, atMs: number): Phase {
  return readyAtMs > atMs ? { state: 'delayed', readyAtMs } : READY
}

function move(state: State, task: Task, event: EventType, phase: Phase): void {
  leave(state, task)
  arrive(state, task, event, phase)
}

function arrive(state: State, task: Task, event: EventType, phase: Phase): void {
  assertTransition(task.phase.state, event, phase.state)
  enter(state, task, phase)
}

/** Takes a task out of everything that its state has put it in. Its phase stays to be read until `enter`. */
function leave(state: State, task: Task): void {
  const { queue, phase } = task
  switch (phase.state) {
    case 'ready':
      // First, because a returned task and a deadline use the same heap place, one at a time.
      if (!task.started) state.deadlines.remove(task)
      queue.ready.remove(task)
      noteDispatchable(state, queue)
      break
    case 'delayed':
      state.deadlines.remove(task)
      queue.delayed -= 1
      break
    case 'leased':
      state.deadlines.remove(task)
      queue.leased -= 1
      dropLease(state, phase.session, phase.lease)
      break
    case 'succeeded':
      queue.succeeded -= 1
      queue.resultBytes -= phase.bytes
      release(state, queue.finished, task)
      return
    case 'cancelled':
      release(state, queue.finished, task)
      return
    case 'dead':
      release(state, queue.dead, task)
      return
    default:
      phase satisfies never
  }
  queue.bytes -= task.bytes
}

function enter(state: State, task: Task, phase: Phase): void {
  const { queue } = task
  task.phase = phase
  const expiresUnstartedAtMs =
    task.started || task.options.ttlMs === 0 ? Number.POSITIVE_INFINITY : task.acceptedAtMs + task.options.ttlMs
  switch (phase.state) {
    case 'ready':
      queue.ready.push(task)
      if (expiresUnstartedAtMs !== Number.POSITIVE_INFINITY) wake(state, task, expiresUnstartedAtMs)
      noteDispatchable(state, queue)
      break
    case 'delayed':
      queue.delayed += 1
      wake(state, task, Math.min(phase.readyAtMs, expiresUnstartedAtMs))
      break
    case 'leased':
      queue.leased += 1
      holdLease(state, phase.session, phase.lease, task)
      wake(state, task, phase.expiresAtMs)
      break
    case 'succeeded':
    case 'cancelled':
      if (phase.state === 'succeeded') {
        queue.succeeded += 1
        queue.resultBytes += phase.bytes
      }
      retain(state, queue.finished, task, phase.forgetAtMs)
      return
    case 'dead':
      retain(state, queue.dead, task, phase.forgetAtMs)
      return
    default:
      phase satisfies never
  }
  queue.bytes += task.bytes
}

function wake(state: State, task: Task, atMs: number): void {
  task.deadlineMs = atMs
  state.deadlines.push(task)
}

function forget(state: State, id: string, event: EventType): void {
  const task = held(state, id)
  assertTransition(task.phase.state, event, 'gone')
  leave(state, task)
  state.tasks.delete(id)
  dropUnused(state, task.queue)
}

function remember(task: Task, attempt: AttemptRecord): void {
  task.history = [...(task.history ?? []), attempt].slice(-HISTORY_MAX)
}

function watch(task: Task, session: Session): void {
  if (!mayHaveNews(task) || isWatching(task, session)) return
  const others = watchersOf(task)
  task.watchers = others.length === 0 ? session : [...others, session]
}

function removeWatcher(task: Task, session: string): void {
  const others = watchersOf(task).filter((watcher) => watcher.id !== session)
  task.watchers = others.length === 0 ? null : others.length === 1 ? (others[0] as Session) : others
}

function held(state: State, id: string): Task {
  const task = state.tasks.get(id)
  if (!task) throw new Error(`invariant broken: an event names task ${id}, which is not held`)
  return task
}

/** The whole of a task as plain data. */
export function recordOf(task: Task): TaskRecord {
  return {
    id: task.id,
    queue: task.queue.name,
    options: task.options,
    body: task.body,
    bytes: task.bytes,
    contentType: task.contentType,
    digest: task.digest,
    seq: task.seq,
    acceptedAtMs: task.acceptedAtMs,
    started: task.started,
    attempts: task.attempts,
    releases: task.releases,
    history: task.history ?? [],
    watchers: watchersOf(task).map((session) => session.id),
    progress: task.progress,
    phase: task.phase.state === 'leased' ? { ...task.phase, session: task.phase.session.id } : { ...task.phase },
  }
}

/** A task that is held keeps its state and takes the new places of its body and result; another one is made from the record. */
function restate(state: State, record: TaskRecord): void {
  const known = state.tasks.get(record.id)
  if (known) {
    known.body = record.body
    if (known.phase.state === 'succeeded' && record.phase.state === 'succeeded')
      known.phase.result = record.phase.result
    // To the end: the first entry is always the task whose body has been stored for longest.
    state.tasks.delete(known.id)
    state.tasks.set(known.id, known)
    return
  }
  const watchers = record.watchers.map((id) => sessionFor(state, id))
  const task: Task = {
    id: record.id,
    queue: queueNamed(state, record.queue),
    seq: record.seq,
    options: state.options.share(record.options),
    body: record.body,
    bytes: record.bytes,
    contentType: record.contentType,
    digest: record.digest,
    acceptedAtMs: record.acceptedAtMs,
    started: record.started,
    attempts: record.attempts,
    releases: record.releases,
    history: record.history.length === 0 ? null : record.history,
    watchers: watchers.length === 0 ? null : watchers.length === 1 ? (watchers[0] as Session) : watchers,
    progress: record.progress,
    phase: READY,
    deadlineMs: 0,
    heapIndex: -1,
    next: null,
    prev: null,
  }
  state.tasks.set(task.id, task)
  // Its acceptance may be among the events that were discarded.
  state.nextSeq = Math.max(state.nextSeq, task.seq + 1)
  task.queue.isUnordered = true
  enter(state, task, phaseOf(state, record.phase))
}

function phaseOf(state: State, phase: PhaseRecord): Phase {
  switch (phase.state) {
    case 'ready':
      return READY
    case 'leased':
      return { ...phase, session: sessionFor(state, phase.session) }
    case 'succeeded':
      return { ...phase, contentType: phase.contentType }
    case 'dead':
      return { ...phase, error: phase.error }
    default:
      return phase
  }
}

function restateSession(state: State, record: SessionRecord): void {
  const session = sessionFor(state, record.id)
  session.roles = record.roles
  setCredit(state, session, record.credit, record.queues)
}

function sessionFor(state: State, id: string): Session {
  return state.sessions.get(id) ?? openSession(state, id, ['producer', 'worker'])
}
