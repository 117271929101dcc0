import type { Acceptance, PhaseOf, Session, Task } from './entities.ts'
import type { AttemptRecord, Event, EventOf, EventType, Revoked } from './events.ts'
import { assertTransition } from './lifecycle.ts'
import { addUnfinished } from './owners.ts'
import { dropUnused, noteDispatchable, queueGiven, release, restoreOrders, retain } from './queues.ts'
import { restate, restateSession } from './restate.ts'
import {
  closeSession,
  disconnectSession,
  fallSilent,
  forgetExpiries,
  openSession,
  refresh,
  resumeSession,
  sessionNamed,
  setCredit,
  setSilence,
  takeAsBegun,
} from './sessions.ts'
import { forgetLeaseEnds, prolong } from './stall.ts'
import type { State } from './state.ts'
import { createTask, READY, setResultRef } from './task.ts'
import {
  addHistoryBytes,
  enter,
  held,
  leave,
  move,
  numbered,
  remember,
  setPast,
  setWatchers,
  unwatch,
  waiting,
  watch,
} from './tasks.ts'

/**
 * The only function that changes the state. Throws on an event that does not fit the state: that is a broken
 * invariant, never bad input.
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
      noteLoss(state, task, event.revoked, event.attempt.how)
      remember(state, task, event.attempt)
      move(state, task, event.type, waiting(event.retryAtMs, event.atMs))
      return
    }
    case 'leaseReleased': {
      const task = held(state, event.id)
      noteLoss(state, task, event.revoked, event.lost)
      task.attempts -= 1
      task.past = { ...task.past, releases: task.past.releases + 1 }
      move(state, task, event.type, waiting(event.retryAtMs, event.atMs))
      return
    }
    case 'taskDied': {
      const task = held(state, event.id)
      noteLoss(state, task, event.revoked, event.attempt?.how)
      if (event.attempt) remember(state, task, event.attempt)
      move(state, task, event.type, {
        state: 'dead',
        reason: event.reason,
        error: event.error,
        forgetAtMs: event.forgetAtMs,
      })
      task.queue.finishRate.note(event.atMs)
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
      addUnfinished(state, task.acceptance.owner, 1)
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
      setPast(state, task, { ...task.past, progress: event.progress })
      return
    }
    case 'taskWatched':
      watch(state, held(state, event.id), sessionNamed(state, event.session))
      return
    case 'taskUnwatched':
      unwatch(state, held(state, event.id), sessionNamed(state, event.session))
      return
    case 'creditSet':
      setCredit(state, sessionNamed(state, event.session), event.credit, event.queues)
      return
    case 'sessionOpened':
      openSession(state, event.session, event.roles, event.begins, event.owner)
      return
    case 'sessionResumed':
      resumeSession(state, sessionNamed(state, event.session), event.begins, event.begun)
      return
    case 'sessionDisconnected':
      disconnectSession(state, sessionNamed(state, event.session), event.graceEndsAtMs)
      return
    case 'sessionClosed':
      closeSession(state, sessionNamed(state, event.session))
      return
    case 'sessionHeard':
      setSilence(state, sessionNamed(state, event.session), 'resting', event.restUntilMs)
      return
    case 'sessionRested':
      setSilence(state, sessionNamed(state, event.session), 'none')
      return
    case 'leasesBegun':
      sessionNamed(state, event.session).begun = event.lease
      return
    case 'brokerStalled':
      prolong(state, event.ms)
      return
    case 'taskRestated':
      restate(state, event.task)
      return
    case 'brokerStarted':
      state.epoch = event.epoch
      state.nextLease = event.nextLease
      restoreOrders(state)
      // The last `begin` of a session may be lost. So all its leases count as begun: work that has begun must not
      // count as unbegun.
      for (const session of state.sessions.values()) takeAsBegun(session)
      forgetLeaseEnds(state)
      return
    case 'checkpointed':
      state.epoch = event.epoch
      state.nextLease = Math.max(state.nextLease, event.nextLease)
      // The tasks with the last numbers may be gone and their events discarded.
      state.nextSeq = Math.max(state.nextSeq, event.nextSeq)
      for (const session of event.sessions) restateSession(state, session)
      for (const [principal, atMs] of event.revocations ?? []) state.revocations.set(principal, atMs)
      return
    case 'principalRevoked':
      state.revocations.set(event.principal, event.atMs)
      return
    case 'refused':
      return
    default:
      event satisfies never
  }
}

function accept(state: State, event: EventOf<'tasksAccepted'>): void {
  const { options, contentType, owner, ids, bytes, digests, seq, atMs, ref, index } = event
  const watcher = event.watcher === undefined ? null : sessionNamed(state, event.watcher)
  const queue = queueGiven(state, event.queue, owner, atMs)
  const submission = watcher && { session: watcher, connection: watcher.connections, ref, index, seq }
  const phase = waiting(atMs + options.delayMs, atMs)
  assertTransition('absent', event.type, phase.state)
  const acceptance: Acceptance = { atMs, contentType, owner }
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
  addUnfinished(state, owner, ids.length)
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
    const endsAtMs = session.begins ? Number.POSITIVE_INFINITY : workEndsAtMs(state, task, atMs)
    if (phase?.expiresAtMs !== expiresAtMs || phase.endsAtMs !== endsAtMs)
      phase = { state: 'leased', session, expiresAtMs, endsAtMs }
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
    setResultRef(task, result, bytes[i] as number)
    const forgetAtMs = atMs + task.options.resultTtlMs
    if (phase?.forgetAtMs !== forgetAtMs) phase = { state: 'succeeded', contentType, forgetAtMs }
    enter(state, task, phase)
    addUnfinished(state, task.acceptance.owner, -1)
    result += task.resultBytes
    task.queue.finishRate.note(atMs)
    if (session !== holder) {
      if (session) refresh(state, session)
      session = holder
      if (session) forgetExpiries(session)
    }
  }
  if (session) refresh(state, session)
}

function renew(state: State, event: EventOf<'leasesRenewed'>): void {
  const session = sessionNamed(state, event.session)
  let phase: PhaseOf<'leased'> | undefined
  for (const lease of event.leases) {
    const task = session.leases.get(lease)
    if (task === undefined) continue
    const endsAtMs = renewableUntilMs(state, task, session, event.atMs)
    const expiresAtMs = Math.min(event.atMs + task.options.leaseMs, endsAtMs)
    if (phase?.expiresAtMs !== expiresAtMs || phase.endsAtMs !== endsAtMs)
      phase = { state: 'leased', session, expiresAtMs, endsAtMs }
    release(state, task.queue.leased, task)
    task.phase = phase
    retain(state, task.queue.leased, task)
  }
}

/** The latest time to which a lease of work that begins now can be renewed. Infinite if the task has no time limit. */
function workEndsAtMs({ config }: State, { options: { timeLimitMs, leaseMs } }: Task, atMs: number): number {
  return timeLimitMs === 0 ? Number.POSITIVE_INFINITY : atMs + timeLimitMs + leaseMs + config.graceMs
}

/** The time limit counts from when the attempt is first known to have begun. Until then its lease has no end. */
function renewableUntilMs(state: State, task: Task, session: Session, atMs: number): number {
  const { phase, lease } = task
  if (session.begins && lease > session.begun) return Number.POSITIVE_INFINITY
  const endsAtMs = phase.state === 'leased' ? phase.endsAtMs : Number.POSITIVE_INFINITY
  return endsAtMs < Number.POSITIVE_INFINITY ? endsAtMs : workEndsAtMs(state, task, atMs)
}

/** Must be called before the task leaves its holder. */
function noteLoss(
  state: State,
  { phase }: Task,
  revoked: Revoked | undefined,
  how: AttemptRecord['how'] | undefined,
): void {
  if (phase.state !== 'leased') return
  if (revoked) fallSilent(state, phase.session)
  // A session that settles its work is alive.
  else if (how === 'failed') forgetExpiries(phase.session)
}

function forget(state: State, tasks: readonly Task[], event: EventType): void {
  for (const task of tasks) {
    assertTransition(task.phase.state, event, 'gone')
    leave(state, task)
    addHistoryBytes(state, task, -task.past.bytes)
    if (task.watchers !== null) setWatchers(state, task, [])
  }
  state.tasks.delete(tasks)
  for (const { queue } of tasks) dropUnused(state, queue)
}
