import type { CommandOf, Env } from './commands.ts'
import { handBack, loseLease, trimmedDead } from './decide-attempt.ts'
import type { Event } from './events.ts'
import { recordOf } from './evolve.ts'
import { refusal } from './refusal.ts'
import { freeCredit, type Session, type State, type Subscription } from './state.ts'
import { deadlineOf, type Task } from './task.ts'

/** What the broker itself does: sessions come and go, time passes, leases are granted, a state is taken up. */

/** Past every lease number that a crash can have kept out of the journal: lease events may leave unsynced for a moment only. */
const LEASES_SKIPPED_AT_START = 10_000_000
/** Leases granted by one `dispatch`: keeps one queue from holding up the others for long. */
const DISPATCH_MAX = 500
/** Bytes of their bodies, but for one that is larger: how much a session is given before the host looks whether it reads. */
const DISPATCH_BYTES_MAX = 1024 ** 2

export function start(state: State, { nowMs }: Env): Event[] {
  const events: Event[] = [
    {
      type: 'brokerStarted',
      epoch: state.epoch + 1,
      nextLease: state.nextLease + (state.epoch > 0 ? LEASES_SKIPPED_AT_START : 0),
      atMs: nowMs,
    },
  ]
  for (const session of state.sessions.values()) {
    events.push({
      type: 'sessionDisconnected',
      session: session.id,
      graceEndsAtMs: nowMs + state.config.graceMs,
      atMs: nowMs,
    })
    // Nobody could renew while the broker was away.
    if (session.leases.size > 0)
      events.push({ type: 'leasesRenewed', session: session.id, leases: [...session.leases.keys()], atMs: nowMs })
  }
  return events
}

export function open(state: State, { session, roles }: CommandOf<'openSession'>, { nowMs }: Env): Event[] {
  if (state.sessions.has(session)) throw new Error('invariant broken: a session is opened twice')
  const { sessionsMax, retryAfterMsMax } = state.config
  if (state.sessions.size >= sessionsMax) {
    return [
      refusal(session, 'busy', `the broker holds ${sessionsMax} sessions`, {
        limit: sessionsMax,
        retryAfterMs: retryAfterMsMax,
      }),
    ]
  }
  return [{ type: 'sessionOpened', session, roles, atMs: nowMs }]
}

/** A delivery that the client does not name never arrived: it is handed back, at no attempt. */
export function resume(state: State, { session, leases }: CommandOf<'resumeSession'>, env: Env): Event[] {
  const held = state.sessions.get(session)
  if (!held) return []
  const named = new Set(leases)
  const events: Event[] = [{ type: 'sessionResumed', session, atMs: env.nowMs }]
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

/** `bye`: whatever is still leased was given up on purpose. */
export function close(state: State, { session }: CommandOf<'closeSession'>, env: Env): Event[] {
  const held = state.sessions.get(session)
  if (!held) return []
  const events = [...held.leases.values()].map((task) => handBack(state, task, env))
  return [...events, ...trimmedDead(state, events, env.nowMs), { type: 'sessionClosed', session, atMs: env.nowMs }]
}

export function setCredit(state: State, { session, credit, queues }: CommandOf<'setCredit'>, { nowMs }: Env): Event[] {
  if (!state.sessions.has(session)) return []
  const wanted = [...new Set(queues)]
  const unknown = wanted.filter((name) => !state.queues.has(name)).length
  const { queuesMax, retryAfterMsMax } = state.config
  if (unknown > 0 && state.queues.size + unknown > queuesMax) {
    return [
      refusal(session, 'busy', `the broker holds ${queuesMax} queues and takes no new one`, {
        field: 'queues',
        limit: queuesMax,
        retryAfterMs: retryAfterMsMax,
      }),
    ]
  }
  return [{ type: 'creditSet', session, credit, queues: wanted, atMs: nowMs }]
}

/**
 * Grants to the freest session until it is no freer than the next one, so that work goes where room is: a worker twice
 * as fast frees its credit twice as often and is given twice as much.
 */
export function dispatch(state: State, command: CommandOf<'dispatch'>, { nowMs }: Env): Event[] {
  const queue = state.queues.get(command.queue)
  const freest = queue?.available.peek()
  if (!queue || !freest) return []
  const lead = leadOf(queue.available.second(), freest.session)
  const tasks = withinBytes(queue.ready.peek(Math.min(lead, DISPATCH_MAX), command.below))
  if (tasks.length === 0) return []
  return [
    {
      type: 'leasesGranted',
      session: freest.session.id,
      lease: state.nextLease,
      tasks: tasks.map(({ seq }) => seq),
      atMs: nowMs,
    },
  ]
}

function withinBytes(tasks: readonly Task[]): readonly Task[] {
  let bytes = 0
  const end = tasks.findIndex((task, i) => {
    bytes += task.bytes
    return i > 0 && bytes > DISPATCH_BYTES_MAX
  })
  return end === -1 ? tasks : tasks.slice(0, end)
}

function leadOf(second: Subscription | undefined, freest: Session): number {
  return second ? Math.max(1, freeCredit(freest) - freeCredit(second.session)) : freeCredit(freest)
}

/** One thing that is due: the end of a grace window before a task, for it ends all leases of its session. */
export function tick(state: State, env: Env): Event[] {
  const { nowMs } = env
  const session = state.graces.peek()
  if (session && session.graceEndsAtMs <= nowMs) {
    const events = [...session.leases.values()].map((task) => loseLease(state, task, 'session_lost', env))
    return [
      ...events,
      ...trimmedDead(state, events, nowMs),
      { type: 'sessionClosed', session: session.id, atMs: nowMs },
    ]
  }
  const task = state.deadlines.peek()
  if (!task || deadlineOf(task) > nowMs) return []
  const { phase, options } = task
  switch (phase.state) {
    case 'leased': {
      const events = [loseLease(state, task, 'lease_expired', env)]
      return [...events, ...trimmedDead(state, events, nowMs)]
    }
    case 'delayed':
    case 'ready': {
      const isExpired = !task.started && options.ttlMs > 0 && task.acceptance.atMs + options.ttlMs <= nowMs
      if (!isExpired) return [{ type: 'taskReadied', id: task.id, atMs: nowMs }]
      const events: Event[] = [
        {
          type: 'taskDied',
          id: task.id,
          reason: 'expired',
          error: undefined,
          attempt: undefined,
          forgetAtMs: nowMs + state.config.deadTtlMs,
          atMs: nowMs,
        },
      ]
      return [...events, ...trimmedDead(state, events, nowMs)]
    }
    default:
      return [{ type: 'taskForgotten', id: task.id, atMs: nowMs }]
  }
}

export function checkpoint(state: State, { restate }: CommandOf<'checkpoint'>, { nowMs }: Env): Event[] {
  const sessions = [...state.sessions.values()].map(({ id, roles, credit, subscriptions }) => ({
    id,
    roles: [...roles],
    credit,
    queues: subscriptions.map(({ queue }) => queue.name),
  }))
  const tasks = restate.flatMap((id): Event[] => {
    const task = state.tasks.get(id)
    return task ? [{ type: 'taskRestated', task: recordOf(task), atMs: nowMs }] : []
  })
  const { epoch, nextLease, nextSeq } = state
  return [{ type: 'checkpointed', epoch, nextLease, nextSeq, sessions, atMs: nowMs }, ...tasks]
}
