import type { Role } from '@sluice/protocol'
import type { Queue, Session, Subscription } from './entities.ts'
import { LeaseTable } from './lease-table.ts'
import { addWatches } from './owners.ts'
import { dropUnused, noteDispatchable, queueNamed } from './queues.ts'
import { freeCredit, type State } from './state.ts'

/** What `evolve` does to sessions, their credit and their leases. Only `evolve` may call these functions. */

export function openSession(
  state: State,
  id: string,
  roles: readonly Role[],
  begins = false,
  owner: string | undefined = undefined,
): Session {
  const session: Session = {
    id,
    order: state.nextSessionOrder,
    roles,
    owner,
    phase: 'connected',
    connections: 1,
    graceEndsAtMs: 0,
    credit: 0,
    subscriptions: [],
    leases: new LeaseTable(),
    watches: 0,
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

/** The session that events refer to. If the event that opened it was discarded, it counts as producer and worker. */
export function sessionFor(state: State, id: string): Session {
  return state.sessions.get(id) ?? openSession(state, id, ['producer', 'worker'])
}

/** `begun`: the last lease that the session has begun; undefined if it has begun all. */
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

/**
 * A session is in at most one heap: by the end of its grace window if disconnected, or by the end of its rest if
 * connected.
 */
function enterHeap(state: State, session: Session): void {
  if (session.phase === 'disconnected') state.graces.push(session)
  else if (session.phase === 'connected' && session.silence === 'resting') state.rests.push(session)
}

function leaveHeap(state: State, session: Session): void {
  if (session.phase === 'disconnected') state.graces.remove(session)
  else state.rests.remove(session)
}

/** All leases that the session holds count as begun. */
export function takeAsBegun(session: Session): void {
  session.begun = session.begins ? session.lastLease : 0
}

/**
 * A lease of the session has expired. Leases that expire while it is silent count as one expiry. A disconnected
 * session does not become silent.
 */
export function fallSilent(state: State, session: Session): void {
  if (session.phase !== 'connected' || session.silence === 'silent') return
  session.expiries += 1
  setSilence(state, session, 'silent')
}

/**
 * The session has settled a lease, so its earlier expiries are forgotten. If it is silent, the present one still
 * counts.
 */
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

/** Earlier events have ended the session's leases. */
export function closeSession(state: State, session: Session): void {
  if (session.leases.size > 0) throw new Error('invariant broken: a session closes with leases')
  leaveHeap(state, session)
  addWatches(state, session, -session.watches)
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
    session.subscriptions = [...new Set(queues)].map((name) =>
      subscribe(session, queueNamed(state, name, session.owner)),
    )
    for (const { queue } of before) dropUnused(state, queue)
  }
  refresh(state, session)
}

function subscribe(session: Session, queue: Queue): Subscription {
  queue.subscriptions += 1
  return { session, queue, heapIndex: -1 }
}

/**
 * Updates the position of a session in each of its queues by its free credit. Call it after every change of its
 * leases, credit or phase.
 */
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
