import type { RoundCheck } from './loaded-fault.ts'
import { lostAttempts } from './recorded.ts'

/** Against an estimate from outside, where the broker's own memory was lost with its process. */
export const moreThanLive: RoundCheck = {
  name: 'rounds with more duplicates than live leases',
  of: ({ duplicates, live }) => Math.max(0, duplicates - live),
}

/**
 * Against what the broker says: each further start of a task needs a lease of it that had ended without an answer. That is in the
 * task's history, or, where the worker had not begun it, in what the worker was told.
 */
export const withoutExpiry: RoundCheck = {
  name: 'rounds with a duplicate whose lease had not expired',
  of({ starts, views, revoked }) {
    const times = timesOf(starts.map(({ id }) => id))
    const revocations = timesOf(revoked)
    let unexplained = 0
    for (const [id, view] of views) {
      const ended = Math.max(lostAttempts(view), revocations.get(id) ?? 0)
      unexplained += Math.max(0, (times.get(id) ?? 0) - 1 - ended)
    }
    return unexplained
  },
}

function timesOf(ids: readonly string[]): Map<string, number> {
  const times = new Map<string, number>()
  for (const id of ids) times.set(id, (times.get(id) ?? 0) + 1)
  return times
}
