import type { PhaseOf } from './entities.ts'
import type { State } from './state.ts'

/** What `evolve` does after a stall. Only `evolve` may call this function. */

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
        phase = { ...before, expiresAtMs: before.expiresAtMs + ms }
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
