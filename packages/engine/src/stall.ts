import type { PhaseOf } from './entities.ts'
import type { State } from './state.ts'

/** What `evolve` does after a stall. Nothing else may call it. */

/**
 * Leases, grace windows and rests last so much longer. Whatever lies among its like keeps its place, for all move alike;
 * only leases have others beside them in the heap of deadlines.
 */
export function prolong(state: State, ms: number): void {
  for (const queue of state.queues.values()) {
    let before: PhaseOf<'leased'> | undefined
    let phase: PhaseOf<'leased'> | undefined
    for (let task = queue.leased.head; task; task = task.next) {
      if (task.phase.state !== 'leased')
        throw new Error(`invariant broken: task ${task.phase.state} among the leased ones`)
      // What tasks share they go on sharing.
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
