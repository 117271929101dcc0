import type { Session, Task } from './entities.ts'
import type { Event, EventOf, Revoked } from './events.ts'
import type { GrantTerms } from './grant-terms.ts'
import type { State } from './state.ts'

/**
 * What the host must do because of an event. If the event `mustBeDurable`, its effects leave only after its batch is
 * durable. A `task` in an effect is the engine's own object: read it at once and keep no reference.
 */
export type Effect =
  /** The first task has this lease; the other tasks have the leases after it. */
  | ({ type: 'deliver'; session: string; lease: number; tasks: readonly Task[] } & GrantTerms)
  | { type: 'revoke'; session: string; lease: number; reason: 'cancelled' | 'expired' }
  /** For all sessions that watch the task. */
  | { type: 'outcomes'; tasks: readonly Task[] }
  /** For a session that asked. */
  | { type: 'outcome'; session: Session; task: Task }
  | { type: 'progress'; task: Task; progress: unknown }
  | { type: 'refused'; event: EventOf<'refused'> }

const NONE: readonly Effect[] = Object.freeze([])

/** The effects of an event. Call it after `evolve` has applied the event and before it applies the next. */
export function effectsOf(event: Event, state: State): readonly Effect[] {
  switch (event.type) {
    case 'leasesGranted': {
      const { session, lease, start, durable } = event
      return [{ type: 'deliver', session, lease, tasks: numbered(state, event.tasks), start, durable }]
    }
    case 'tasksSucceeded':
      return [{ type: 'outcomes', tasks: numbered(state, event.tasks) }]
    case 'taskDied':
      return [...revoke(event.revoked, 'expired'), { type: 'outcomes', tasks: [known(state, event.id)] }]
    case 'taskCancelled':
      return [...revoke(event.revoked, 'cancelled'), { type: 'outcomes', tasks: [known(state, event.id)] }]
    case 'attemptFailed':
    case 'leaseReleased':
      return revoke(event.revoked, 'expired')
    case 'taskWatched': {
      const task = known(state, event.id)
      const session = state.sessions.get(event.session)
      const { state: name } = task.phase
      if (!session || (name !== 'succeeded' && name !== 'dead' && name !== 'cancelled')) return NONE
      return [{ type: 'outcome', session, task }]
    }
    case 'progressReported':
      return [{ type: 'progress', task: known(state, event.id), progress: event.progress }]
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

function numbered(state: State, numbers: readonly number[]): Task[] {
  return numbers.map((seq) => {
    const task = state.tasks.numbered(seq)
    if (!task) throw new Error(`invariant broken: an event names task number ${seq}, which is not held`)
    return task
  })
}

function revoke(revoked: Revoked | undefined, reason: 'cancelled' | 'expired'): readonly Effect[] {
  return revoked ? [{ type: 'revoke', ...revoked, reason }] : NONE
}
