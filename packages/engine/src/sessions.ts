import type { Role } from '@sluice/protocol'
import { LeaseTable } from './lease-table.ts'
import { dropUnused, noteDispatchable, queueNamed } from './queues.ts'
import { freeCredit, type Queue, type Session, type State, type Subscription } from './state.ts'

/** What `evolve` does to sessions, their credit and their leases. Nothing else may call these. */

export function openSession(state: State, id: string, roles: readonly Role[]): Session {
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

export function resumeSession(state: State, session: Session): void {
  state.graces.remove(session)
  session.phase = 'connected'
  session.connections += 1
  refresh(state, session)
}

export function disconnectSession(state: State, session: Session, graceEndsAtMs: number): void {
  state.graces.remove(session)
  session.phase = 'disconnected'
  session.graceEndsAtMs = graceEndsAtMs
  state.graces.push(session)
  refresh(state, session)
}

/** Its leases have been ended by events before this one. */
export function closeSession(state: State, session: Session): void {
  if (session.leases.size > 0) throw new Error('invariant broken: a session closes with leases')
  state.graces.remove(session)
  setCredit(state, session, 0, [])
  session.phase = 'closed'
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
  const willing = session.phase === 'connected' && freeCredit(session) > 0
  for (const subscription of session.subscriptions) {
    const { available } = subscription.queue
    if (!willing) available.remove(subscription)
    else if (available.has(subscription)) available.update(subscription)
    else available.push(subscription)
    noteDispatchable(state, subscription.queue)
  }
}
