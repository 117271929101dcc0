import type { Event, EventOf } from './events.ts'
import { type Session, type State, type Task, watchersOf } from './state.ts'

/**
 * What an event asks of the host. Effects of an event that `mustBeDurable` leave after its batch is durable.
 * A `task` in an effect is the engine's own: read it right after `evolve` took the event, and keep nothing of it.
 */
export type Effect =
  | { type: 'deliver'; session: string; task: Task; lease: number; attempt: number }
  | { type: 'revoke'; session: string; lease: number; reason: 'cancelled' | 'expired' }
  | { type: 'outcome'; sessions: readonly Session[]; task: Task }
  | { type: 'progress'; sessions: readonly Session[]; id: string; progress: unknown }
  | { type: 'refused'; event: EventOf<'refused'> }

const NONE: readonly Effect[] = Object.freeze([])

/** The effects of an event, asked before `evolve` takes it: a revoked lease is still to be seen then. */
export function effectsOf(event: Event, state: State): readonly Effect[] {
  switch (event.type) {
    case 'leaseGranted':
      return [
        {
          type: 'deliver',
          session: event.session,
          task: known(state, event.id),
          lease: event.lease,
          attempt: event.attempt,
        },
      ]
    case 'taskSucceeded':
      return outcome(known(state, event.id))
    case 'taskDied':
    case 'taskCancelled': {
      const task = known(state, event.id)
      // A worker that failed or lost its session knows; the others have to be told.
      const lost =
        event.type === 'taskCancelled' ? 'cancelled' : event.attempt?.how === 'lease_expired' ? 'expired' : undefined
      return [...(lost ? revoke(task, lost) : NONE), ...outcome(task)]
    }
    case 'attemptFailed':
      return event.attempt.how === 'lease_expired' ? revoke(known(state, event.id), 'expired') : NONE
    case 'taskWatched': {
      const task = known(state, event.id)
      const session = state.sessions.get(event.session)
      const { state: name } = task.phase
      if (!session || (name !== 'succeeded' && name !== 'dead' && name !== 'cancelled')) return NONE
      return [{ type: 'outcome', sessions: [session], task }]
    }
    case 'progressReported': {
      const sessions = watchersOf(known(state, event.id))
      return sessions.length === 0 ? NONE : [{ type: 'progress', sessions, id: event.id, progress: event.progress }]
    }
    case 'refused':
      return [{ type: 'refused', event }]
    default:
      return NONE
  }
}

function known(state: State, id: string): Task {
  const task = state.tasks.get(id)
  if (!task) throw new Error(`invariant broken: an event names task ${id}, which is not held`)
  return task
}

function outcome(task: Task): readonly Effect[] {
  const sessions = watchersOf(task)
  return sessions.length === 0 ? NONE : [{ type: 'outcome', sessions, task }]
}

function revoke(task: Task, reason: 'cancelled' | 'expired'): readonly Effect[] {
  if (task.phase.state !== 'leased') return NONE
  return [{ type: 'revoke', session: task.phase.session.id, lease: task.phase.lease, reason }]
}
