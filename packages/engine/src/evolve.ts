import type { AttemptRecord, Event, EventOf, EventType, PhaseRecord, SessionRecord, TaskRecord } from './events.ts'
import { historyOf } from './history.ts'
import { assertTransition } from './lifecycle.ts'
import { dropUnused, noteDispatchable, queueGiven, queueNamed, release, restoreOrders, retain } from './queues.ts'
import {
  closeSession,
  disconnectSession,
  openSession,
  refresh,
  resumeSession,
  sessionFor,
  sessionNamed,
  setCredit,
} from './sessions.ts'
import { isWatching, mayHaveNews, type Session, type State, watchersOf } from './state.ts'
import {
  type Acceptance,
  bodyOf,
  createTask,
  type Phase,
  type PhaseOf,
  placeBody,
  placeResult,
  READY,
  resultOf,
  type Task,
} from './task.ts'

/**
 * The sole mutator. Throws on an event that the state cannot take: that is a broken invariant, never bad input.
 */
export function evolve(state: State, event: Event): void {
  switch (event.type) {
    case 'tasksAccepted':
      accept(state, event)
      return
    case 'leasesGranted':
      lease(state, event)
      return
    case 'tasksSucceeded':
      succeed(state, event)
      return
    case 'attemptFailed': {
      const task = held(state, event.id)
      remember(task, event.attempt)
      move(state, task, event.type, waiting(event.retryAtMs, event.atMs))
      return
    }
    case 'leaseReleased': {
      const task = held(state, event.id)
      task.attempts -= 1
      task.past = { ...task.past, releases: task.past.releases + 1 }
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
      move(state, held(state, event.id), event.type, { state: 'ready', behind: state.nextSeq - 1 })
      return
    case 'taskRedriven': {
      const task = held(state, event.id)
      assertTransition(task.phase.state, event.type, 'ready')
      leave(state, task)
      task.attempts = 0
      task.past = { ...task.past, releases: 0 }
      task.started = true
      enter(state, task, READY)
      noteDispatchable(state, task.queue)
      return
    }
    case 'taskForgotten':
      forget(state, [held(state, event.id)], event.type)
      return
    case 'oldestForgotten': {
      const tasks = event.tasks.map((seq) => numbered(state, seq))
      forget(state, tasks, event.type)
      return
    }
    case 'leasesRenewed':
      renew(state, event)
      return
    case 'progressReported': {
      const task = held(state, event.id)
      task.past = { ...task.past, progress: event.progress }
      return
    }
    case 'taskWatched':
      watch(held(state, event.id), sessionNamed(state, event.session))
      return
    case 'taskUnwatched':
      unwatch(held(state, event.id), sessionNamed(state, event.session))
      return
    case 'creditSet':
      setCredit(state, sessionNamed(state, event.session), event.credit, event.queues)
      return
    case 'sessionOpened':
      openSession(state, event.session, event.roles)
      return
    case 'sessionResumed':
      resumeSession(state, sessionNamed(state, event.session))
      return
    case 'sessionDisconnected':
      disconnectSession(state, sessionNamed(state, event.session), event.graceEndsAtMs)
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
      // The tasks with the last numbers may be gone, and what spoke of them discarded.
      state.nextSeq = Math.max(state.nextSeq, event.nextSeq)
      for (const session of event.sessions) restateSession(state, session)
      return
    case 'refused':
      return
    default:
      event satisfies never
  }
}

function accept(state: State, event: EventOf<'tasksAccepted'>): void {
  const { options, contentType, ids, bytes, digests, seq, atMs, ref, index } = event
  const watcher = event.watcher === undefined ? null : sessionNamed(state, event.watcher)
  const queue = queueGiven(state, event.queue, atMs)
  const submission = watcher && { session: watcher, connection: watcher.connections, ref, index, seq }
  const phase = waiting(atMs + options.delayMs, atMs)
  assertTransition('absent', event.type, phase.state)
  const acceptance: Acceptance = { atMs, contentType }
  let { body } = event
  for (let i = 0; i < ids.length; i += 1) {
    const size = bytes[i] as number
    const [id, digest] = [ids[i] as string, digests[i] as number]
    const task = createTask(id, seq + i, queue, options, acceptance, submission, body, size, digest)
    body += size
    state.tasks.add(task)
    enter(state, task, phase)
  }
  state.nextSeq = seq + ids.length
  noteDispatchable(state, queue)
}

function lease(state: State, event: EventOf<'leasesGranted'>): void {
  const { tasks, lease, atMs } = event
  const session = sessionNamed(state, event.session)
  let phase: PhaseOf<'leased'> | undefined
  for (let i = 0; i < tasks.length; i += 1) {
    const task = numbered(state, tasks[i] as number)
    assertTransition(task.phase.state, event.type, 'leased')
    leave(state, task)
    task.started = true
    task.attempts += 1
    task.lease = lease + i
    const expiresAtMs = atMs + task.options.leaseMs
    if (phase?.expiresAtMs !== expiresAtMs) phase = { state: 'leased', session, expiresAtMs }
    enter(state, task, phase)
    noteDispatchable(state, task.queue)
  }
  state.nextLease = lease + tasks.length
  session.lastLease = state.nextLease - 1
  refresh(state, session)
}

function succeed(state: State, event: EventOf<'tasksSucceeded'>): void {
  const { tasks, bytes, contentType, atMs } = event
  let { result } = event
  let session: Session | undefined
  let phase: PhaseOf<'succeeded'> | undefined
  for (let i = 0; i < tasks.length; i += 1) {
    const task = numbered(state, tasks[i] as number)
    assertTransition(task.phase.state, event.type, 'succeeded')
    const holder = leave(state, task)
    placeResult(task, result, bytes[i] as number)
    const forgetAtMs = atMs + task.options.resultTtlMs
    if (phase?.forgetAtMs !== forgetAtMs) phase = { state: 'succeeded', contentType, forgetAtMs }
    enter(state, task, phase)
    result += task.resultBytes
    task.queue.drain.note(atMs)
    if (session && session !== holder) refresh(state, session)
    session = holder
  }
  if (session) refresh(state, session)
}

function renew(state: State, event: EventOf<'leasesRenewed'>): void {
  const session = sessionNamed(state, event.session)
  let phase: PhaseOf<'leased'> | undefined
  for (const lease of event.leases) {
    const task = session.leases.get(lease)
    if (task === undefined) continue
    const expiresAtMs = event.atMs + task.options.leaseMs
    if (phase?.expiresAtMs !== expiresAtMs) phase = { state: 'leased', session, expiresAtMs }
    release(state, task.queue.leased, task)
    task.phase = phase
    retain(state, task.queue.leased, task)
  }
}

function waiting(readyAtMs: number, atMs: number): Phase {
  return readyAtMs > atMs ? { state: 'delayed', readyAtMs } : READY
}

function move(state: State, task: Task, event: EventType, phase: Phase): void {
  assertTransition(task.phase.state, event, phase.state)
  const holder = leave(state, task)
  enter(state, task, phase)
  if (holder) refresh(state, holder)
  noteDispatchable(state, task.queue)
}

/**
 * Takes a task out of everything that its state has put it in. Its phase stays to be read until `enter`. The caller then
 * puts in order again what is said of the queue (`noteDispatchable`) and of the session that held it, which is returned.
 */
function leave(state: State, task: Task): Session | undefined {
  const { queue, phase } = task
  let holder: Session | undefined
  switch (phase.state) {
    case 'ready':
      // First, because a returned task and a deadline use the same heap place, one at a time.
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
  return holder
}

/** Puts a task into everything that a state asks for, but for what the caller does after `leave`. */
function enter(state: State, task: Task, phase: Phase): void {
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
      }
      retain(state, queue.finished, task)
      return
    case 'dead':
      retain(state, queue.dead, task)
      return
    default:
      phase satisfies never
  }
  queue.bytes += task.bytes
}

function forget(state: State, tasks: readonly Task[], event: EventType): void {
  for (const task of tasks) {
    assertTransition(task.phase.state, event, 'gone')
    leave(state, task)
  }
  state.tasks.delete(tasks)
  for (const { queue } of tasks) dropUnused(state, queue)
}

function remember(task: Task, attempt: AttemptRecord): void {
  task.past = { ...task.past, history: historyOf([...task.past.history, attempt]) }
}

function watch(task: Task, session: Session): void {
  if (mayHaveNews(task) && !isWatching(task, session)) setWatchers(task, [task.watchers ?? [], session].flat())
}

function unwatch(task: Task, session: Session): void {
  if (task.submission?.session === session) task.submission = null
  setWatchers(
    task,
    [task.watchers ?? []].flat().filter((watcher) => watcher !== session),
  )
}

function setWatchers(task: Task, sessions: Session[]): void {
  const open = sessions.filter(({ phase }) => phase !== 'closed')
  task.watchers = open.length === 0 ? null : open.length === 1 ? (open[0] as Session) : open
}

function held(state: State, id: string): Task {
  const task = state.tasks.get(id)
  if (!task) throw new Error(`invariant broken: an event names task ${id}, which is not held`)
  return task
}

function numbered(state: State, seq: number): Task {
  const task = state.tasks.numbered(seq)
  if (!task) throw new Error(`invariant broken: an event names task number ${seq}, which is not held`)
  return task
}

/** The whole of a task as plain data. */
export function recordOf(task: Task): TaskRecord {
  return {
    id: task.id,
    queue: task.queue.name,
    options: task.options,
    body: bodyOf(task),
    bytes: task.bytes,
    contentType: task.acceptance.contentType,
    digest: task.digest,
    seq: task.seq,
    acceptedAtMs: task.acceptance.atMs,
    started: task.started,
    attempts: task.attempts,
    releases: task.past.releases,
    history: [...task.past.history],
    watchers: watchersOf(task).map((session) => session.id),
    progress: task.past.progress,
    phase: phaseRecordOf(task),
  }
}

function phaseRecordOf(task: Task): PhaseRecord {
  const { phase, lease } = task
  switch (phase.state) {
    case 'leased':
      return { state: phase.state, session: phase.session.id, lease, expiresAtMs: phase.expiresAtMs }
    case 'succeeded': {
      const { state, contentType, forgetAtMs } = phase
      return { state, result: resultOf(task), bytes: task.resultBytes, contentType, forgetAtMs }
    }
    default:
      return { ...phase }
  }
}

/** A task that is held keeps its state and takes the new places of its body and result; another one is made from the record. */
function restate(state: State, record: TaskRecord): void {
  const known = state.tasks.get(record.id)
  if (known) {
    placeBody(known, record.body)
    if (record.phase.state === 'succeeded') placeResult(known, record.phase.result, record.phase.bytes)
    // The oldest is always the task whose body has been stored for longest.
    state.tasks.renew(known)
    return
  }
  const { id, seq, bytes, digest, contentType, acceptedAtMs: atMs } = record
  const queue = queueNamed(state, record.queue)
  const options = state.options.share(record.options)
  const task = createTask(id, seq, queue, options, { atMs, contentType }, null, record.body, bytes, digest)
  task.started = record.started
  task.attempts = record.attempts
  const { releases, progress } = record
  const history = historyOf(record.history)
  if (releases > 0 || history.length > 0 || progress !== undefined) task.past = { releases, history, progress }
  const watchers = record.watchers.map((id) => sessionFor(state, id))
  setWatchers(task, watchers)
  state.tasks.add(task)
  // Its acceptance may be among the events that were discarded.
  state.nextSeq = Math.max(state.nextSeq, task.seq + 1)
  task.queue.isUnordered = true
  if (record.phase.state === 'leased') task.lease = record.phase.lease
  if (record.phase.state === 'succeeded') placeResult(task, record.phase.result, record.phase.bytes)
  const phase = phaseOf(state, record.phase)
  enter(state, task, phase)
  if (phase.state === 'leased') refresh(state, phase.session)
  noteDispatchable(state, task.queue)
}

function phaseOf(state: State, phase: PhaseRecord): Phase {
  switch (phase.state) {
    case 'ready':
      return phase.behind === 0 ? READY : phase
    case 'leased':
      return { state: 'leased', session: sessionFor(state, phase.session), expiresAtMs: phase.expiresAtMs }
    case 'succeeded':
      return { state: 'succeeded', contentType: phase.contentType, forgetAtMs: phase.forgetAtMs }
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
