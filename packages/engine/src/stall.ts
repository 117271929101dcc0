import type { PhaseOf } from './entities.ts'
import type { State } from './state.ts'

/** What `evolve` does to running times after a stall or a restart. Only `evolve` may call these functions. */

/**
 * Extends leases, grace windows and rests by `ms`. Grace windows and rests keep their order among themselves, because
 * all move alike. Only leases share the heap of deadlines with other things.
 */
export function prolong(state: State, ms: number): void {
  for (const queue of state.queues.values()) {
    let before: PhaseOf<'leased'> | undefined
    let phase: PhaseOf<'leased'> | undefined
    for (let task = queue.leased.head; task; task = task.next) {
      if (task.phase.state !== 'leased')
        throw new Error(`invariant broken: task ${task.phase.state} among the leased ones`)
      // Tasks that shared a phase go on sharing it.
      if (task.phase !== before || phase === undefined) {
        before = task.phase
        phase = { ...before, expiresAtMs: before.expiresAtMs + ms, endsAtMs: before.endsAtMs + ms }
      }
      task.phase = phase
      if (state.deadlines.has(task)) state.deadlines.update(task)
    }
  }
  for (const session of state.sessions.values()) {
    if (session.phase === 'disconnected') session.graceEndsAtMs += ms
    if (session.silence === 'resting') session.restUntilMs += ms
  }
}

/** After a restart, time limits count anew. The time that the broker was away does not count against anybody. */
export function forgetLeaseEnds(state: State): void {
  for (const queue of state.queues.values())
    for (let task = queue.leased.head; task; task = task.next)
      if (task.phase.state === 'leased' && task.phase.endsAtMs < Number.POSITIVE_INFINITY)
        task.phase = { ...task.phase, endsAtMs: Number.POSITIVE_INFINITY }
}
