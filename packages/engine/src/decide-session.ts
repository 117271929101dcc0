import type { CommandOf, Env } from './commands.ts'
import { handBack, trimmedDead } from './decide-attempt.ts'
import type { Session } from './entities.ts'
import type { Event, EventOf } from './events.ts'
import { newQueueRefusal, newQueuesLimit } from './new-queues.ts'
import { refusal } from './refusal.ts'
import { isSilent, restMs } from './silence.ts'
import type { State } from './state.ts'

/** Commands about sessions: they open, resume, fall silent, end, and state what they take. */

export function open(state: State, command: CommandOf<'openSession'>, { nowMs }: Env): Event[] {
  const { session, roles, begins, owner } = command
  if (state.sessions.has(session)) throw new Error('invariant broken: a session is opened twice')
  const { sessionsMax, retryAfterMsMax } = state.config
  const isFull = state.sessions.size >= sessionsMax
  const absent = isFull ? dispensableSession(state) : undefined
  if (isFull && absent === undefined) {
    return [
      refusal(
        session,
        'busy',
        `the broker has no room for another session (sessionsMax is ${sessionsMax}): try again later`,
        {
          limit: sessionsMax,
          retryAfterMs: retryAfterMsMax,
        },
      ),
    ]
  }
  const opened: EventOf<'sessionOpened'> = { type: 'sessionOpened', session, roles, atMs: nowMs }
  if (begins) opened.begins = true
  if (owner !== undefined) opened.owner = owner
  return absent === undefined ? [opened] : [{ type: 'sessionClosed', session: absent.id, atMs: nowMs }, opened]
}

/** The number of disconnected sessions among which a dispensable one is looked for. */
const LOOKED_AT_MAX = 100

/** A disconnected session without leases, which may end early. One without watches and queues is preferred. */
function dispensableSession({ graces }: State): Session | undefined {
  let found: Session | undefined
  for (const session of graces.some(LOOKED_AT_MAX)) {
    if (session.leases.size > 0) continue
    if (session.watches === 0 && session.subscriptions.length === 0) return session
    found ??= session
  }
  return found
}

/** A delivery that the client does not name never arrived. It is handed back and counts no attempt. */
export function resume(state: State, command: CommandOf<'resumeSession'>, env: Env): Event[] {
  const { session, leases, begins, begun } = command
  const held = state.sessions.get(session)
  if (!held) return []
  const { nowMs } = env
  const named = new Set(leases)
  const resumed: EventOf<'sessionResumed'> = { type: 'sessionResumed', session, atMs: nowMs }
  if (begins) resumed.begins = true
  if (begins && begun !== undefined) resumed.begun = Math.min(begun, held.lastLease)
  const events: Event[] = [resumed]
  if (held.silence === 'silent') events.push(heardAgain(held, nowMs))
  const kept: number[] = []
  for (const [lease, task] of held.leases) {
    if (named.has(lease)) kept.push(lease)
    else events.push(handBack(state, task, env))
  }
  if (kept.length > 0) events.push({ type: 'leasesRenewed', session, leases: kept, atMs: env.nowMs })
  return [...events, ...trimmedDead(state, events, env.nowMs)]
}

export function disconnect(state: State, { session }: CommandOf<'disconnectSession'>, { nowMs }: Env): Event[] {
  if (state.sessions.get(session)?.phase !== 'connected') return []
  return [{ type: 'sessionDisconnected', session, graceEndsAtMs: nowMs + state.config.graceMs, atMs: nowMs }]
}

/** `bye`: the client gave up its leases on purpose. */
export function close(state: State, { session }: CommandOf<'closeSession'>, env: Env): Event[] {
  const held = state.sessions.get(session)
  if (!held) return []
  const events = [...held.leases.values()].map((task) => handBack(state, task, env))
  return [...events, ...trimmedDead(state, events, env.nowMs), { type: 'sessionClosed', session, atMs: env.nowMs }]
}

export function setCredit(state: State, { session, credit, queues }: CommandOf<'setCredit'>, { nowMs }: Env): Event[] {
  const held = state.sessions.get(session)
  if (!held) return []
  const wanted = [...new Set(queues)]
  const unknown = wanted.filter((name) => !state.queues.has(name)).length
  const limit = newQueuesLimit(state, held.owner, unknown)
  if (limit !== undefined) return [newQueueRefusal(state.config, session, limit, { field: 'queues' })]
  return [{ type: 'creditSet', session, credit, queues: wanted, atMs: nowMs }]
}

/** The worker begins its leases in order, so it has also begun all earlier ones. */
export function begin(state: State, { session, lease }: CommandOf<'begin'>, { nowMs }: Env): Event[] {
  const held = state.sessions.get(session)
  if (!held?.begins) return []
  const begun = Math.min(lease, held.lastLease)
  return begun > held.begun ? [{ type: 'leasesBegun', session, lease: begun, atMs: nowMs }] : []
}

export function hear(state: State, { session }: CommandOf<'heard'>, { nowMs }: Env): Event[] {
  const held = state.sessions.get(session)
  return held?.phase === 'connected' && isSilent(held) ? [heardAgain(held, nowMs)] : []
}

function heardAgain(session: Session, nowMs: number): Event {
  return { type: 'sessionHeard', session: session.id, restUntilMs: nowMs + restMs(session.expiries), atMs: nowMs }
}
