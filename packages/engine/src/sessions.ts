import type { Role } from '@sluice/protocol'
import type { Queue, Session, Subscription } from './entities.ts'
import { LeaseTable } from './lease-table.ts'
import { dropUnused, noteDispatchable, queueNamed } from './queues.ts'
import { freeCredit, type State } from './state.ts'

/** What `evolve` does to sessions, their credit and their leases. Nothing else may call these. */

export function openSession(state: State, id: string, roles: readonly Role[], begins = false): Session {
  const session: Session = {
    id,
    order: state.nextSessionOrder,
    roles,
    phase: 'connected',
    connections: 1,
    graceEndsAtMs: 0,
    credit: 0,
    subscriptions: [],
    leases: new LeaseTable(),
    lastLease: 0,
    begins,
    begun: 0,
    silence: 'none',
    expiries: 0,
    restUntilMs: 0,
    heapIndex: -1,
  }
  state.nextSessionOrder += 1
  state.sessions.set(id, session)
  return session
}

export function sessionNamed(state: State, id: string): Session {
  const session = state.sessions.get(id)
  if (!session) throw new Error('invariant broken: an event names a session that is not held')
  return session
}

/** A session that events speak of; one whose opening has been discarded is taken to be either. */
export function sessionFor(state: State, id: string): Session {
  return state.sessions.get(id) ?? openSession(state, id, ['producer', 'worker'])
}

/** `begun`: the last lease that it has begun; undefined where it has begun all. */
export function resumeSession(state: State, session: Session, begins = false, begun: number | undefined): void {
  leaveHeap(state, session)
  session.phase = 'connected'
  session.connections += 1
  session.begins = begins
  takeAsBegun(session)
  if (begins && begun !== undefined) session.begun = begun
  enterHeap(state, session)
  refresh(state, session)
}

export function disconnectSession(state: State, session: Session, graceEndsAtMs: number): void {
  leaveHeap(state, session)
  session.phase = 'disconnected'
  session.graceEndsAtMs = graceEndsAtMs
  enterHeap(state, session)
  refresh(state, session)
}

/** A session waits in one heap at most: for the end of its grace window, or connected for that of its rest. */
function enterHeap(state: State, session: Session): void {
  if (session.phase === 'disconnected') state.graces.push(session)
  else if (session.phase === 'connected' && session.silence === 'resting') state.rests.push(session)
}

function leaveHeap(state: State, session: Session): void {
  if (session.phase === 'disconnected') state.graces.remove(session)
  else state.rests.remove(session)
}

/** All leases that it holds count as begun. */
export function takeAsBegun(session: Session): void {
  session.begun = session.begins ? session.lastLease : 0
}

/** A lease of it has expired. Those that expire while nothing is heard of it are one silence; of one that is away none is expected. */
export function fallSilent(state: State, session: Session): void {
  if (session.phase !== 'connected' || session.silence === 'silent') return
  session.expiries += 1
  setSilence(state, session, 'silent')
}

/** It has settled a lease: the expiries before that are forgotten, but for the one that it has not been heard of since. */
export function forgetExpiries(session: Session): void {
  session.expiries = session.silence === 'silent' ? 1 : 0
}

export function setSilence(state: State, session: Session, silence: Session['silence'], restUntilMs = 0): void {
  leaveHeap(state, session)
  session.silence = silence
  session.restUntilMs = restUntilMs
  enterHeap(state, session)
  refresh(state, session)
}

/** Its leases have been ended by events before this one. */
export function closeSession(state: State, session: Session): void {
  if (session.leases.size > 0) throw new Error('invariant broken: a session closes with leases')
  leaveHeap(state, session)
  session.phase = 'closed'
  setCredit(state, session, 0, [])
  state.sessions.delete(session.id)
}

export function setCredit(state: State, session: Session, credit: number, queues: readonly string[]): void {
  session.credit = credit
  const before = session.subscriptions
  if (before.length !== queues.length || before.some(({ queue }, i) => queue.name !== queues[i])) {
    for (const subscription of before) {
      subscription.queue.available.remove(subscription)
      subscription.queue.subscriptions -= 1
      noteDispatchable(state, subscription.queue)
    }
    session.subscriptions = [...new Set(queues)].map((name) => subscribe(session, queueNamed(state, name)))
    for (const { queue } of before) dropUnused(state, queue)
  }
  refresh(state, session)
}

function subscribe(session: Session, queue: Queue): Subscription {
  queue.subscriptions += 1
  return { session, queue, heapIndex: -1 }
}

/** Puts a session where its free credit says in each of its queues; after every change of its leases, credit or phase. */
export function refresh(state: State, session: Session): void {
  const willing = session.phase === 'connected' && session.silence === 'none' && freeCredit(session) > 0
  for (const subscription of session.subscriptions) {
    const { available } = subscription.queue
    if (!willing) available.remove(subscription)
    else if (available.has(subscription)) available.update(subscription)
    else available.push(subscription)
    noteDispatchable(state, subscription.queue)
  }
}
