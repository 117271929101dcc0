import type { CommandOf, Env } from './commands.ts'
import { loseLease, trimmedDead } from './decide-attempt.ts'
import type { Session, Subscription, Task } from './entities.ts'
import type { Event, EventOf } from './events.ts'
import { type GrantTerms, grantTerms, isSameTerms } from './grant-terms.ts'
import { recordOf, sessionRecordOf } from './records.ts'
import { freeCredit, type State } from './state.ts'
import { deadlineOf } from './task.ts'

/** Commands of the broker itself: time passes, leases are granted, a state is taken up. */

/**
 * Skips every lease number that a crash can have kept out of the journal. Lease events stay unsynced only for a
 * moment.
 */
const LEASES_SKIPPED_AT_START = 10_000_000
/** Leases that one `dispatch` grants at most, so that one queue does not delay the others for long. */
const DISPATCH_MAX = 500
/**
 * Bytes of bodies that one grant contains at most, except for a single larger body. After that, the host checks
 * whether the session still reads.
 */
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
    // Nobody could renew while the broker was down.
    if (session.leases.size > 0)
      events.push({ type: 'leasesRenewed', session: session.id, leases: [...session.leases.keys()], atMs: nowMs })
  }
  return events
}

/**
 * Grants to the freest session until another one is as free. So work goes where there is room: a worker that is twice
 * as fast frees its credit twice as often and gets twice as much.
 */
export function dispatch(state: State, command: CommandOf<'dispatch'>, { nowMs }: Env): Event[] {
  const queue = state.queues.get(command.queue)
  const freest = queue?.available.peek()
  if (!queue || !freest) return []
  const lead = leadOf(queue.available.second(), freest.session)
  const tasks = queue.ready.peek(Math.min(lead, DISPATCH_MAX), command.below)
  const [first] = tasks
  if (!first) return []
  const terms = grantTerms(first)
  return [
    {
      type: 'leasesGranted',
      session: freest.session.id,
      lease: state.nextLease,
      tasks: oneGrant(tasks, first, terms),
      ...terms,
      atMs: nowMs,
    },
  ]
}

/** The numbers of the first of these tasks that fit in one grant and have the same terms. */
function oneGrant(tasks: readonly Task[], first: Task, terms: GrantTerms): number[] {
  const numbers: number[] = []
  let { options } = first
  let bytes = 0
  for (const task of tasks) {
    bytes += task.bytes
    if (task !== first && bytes > DISPATCH_BYTES_MAX) break
    if (task.options !== options) {
      // `peek` returns a task that was delivered before alone. The terms of the other tasks depend only on their
      // options.
      if (!isSameTerms(grantTerms(task), terms)) break
      options = task.options
    }
    numbers.push(task.seq)
  }
  return numbers
}

function leadOf(second: Subscription | undefined, freest: Session): number {
  return second ? Math.max(1, freeCredit(freest) - freeCredit(second.session)) : freeCredit(freest)
}

/** Time in which the broker could not receive does not count against anybody. */
export function stall(state: State, { ms }: CommandOf<'stall'>, { nowMs }: Env): Event[] {
  return ms > 0 && isAnythingRunning(state) ? [{ type: 'brokerStalled', ms, atMs: nowMs }] : []
}

function isAnythingRunning({ sessions, graces, rests }: State): boolean {
  if (graces.size + rests.size > 0) return true
  for (const { leases } of sessions.values()) if (leases.size > 0) return true
  return false
}

/**
 * Does one thing that is due. The end of a grace window comes before tasks, because it ends all leases of its
 * session.
 */
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
  const rested = state.rests.peek()
  if (rested && rested.restUntilMs <= nowMs) return [{ type: 'sessionRested', session: rested.id, atMs: nowMs }]
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
          error: { message: `it was not delivered for the first time within its ttlMs (${options.ttlMs})` },
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
  const sessions = [...state.sessions.values()].map(sessionRecordOf)
  const tasks = restate.flatMap((id): Event[] => {
    const task = state.tasks.get(id)
    return task ? [{ type: 'taskRestated', task: recordOf(task), atMs: nowMs }] : []
  })
  const { epoch, nextLease, nextSeq } = state
  const checkpointed: EventOf<'checkpointed'> = {
    type: 'checkpointed',
    epoch,
    nextLease,
    nextSeq,
    sessions,
    atMs: nowMs,
  }
  if (state.revocations.size > 0) checkpointed.revocations = [...state.revocations]
  return [checkpointed, ...tasks]
}
