import type { Observation } from '../observation.ts'

/** One submission, as its producer saw it. Times are world time. */
export interface Submission {
  id: string
  node: string
  queue: string
  /** The producer's name for what it wants. All submissions of one wish have the same. */
  wish: string
  /** From 1. */
  attempt: number
  submittedAtMs: number
  acceptedAtMs?: number
  /** When a result came; undefined if none did. */
  succeededAtMs?: number
  deadAtMs?: number
}

/** Every submission in the order in which they were made. */
export function submissionsOf(seen: readonly Observation[]): Submission[] {
  const byId = new Map<string, Submission>()
  for (const observation of seen) {
    if (observation.type === 'submitting') {
      if (byId.has(observation.id)) continue
      const { id, node, queue, body, attempt, atMs } = observation
      const wish = body.slice(0, body.indexOf(' '))
      byId.set(id, { id, node, queue, wish, attempt, submittedAtMs: atMs })
    } else if (observation.type === 'accepted') {
      const submission = byId.get(observation.id)
      if (submission) submission.acceptedAtMs ??= observation.atMs
    } else if (observation.type === 'outcome') {
      const submission = byId.get(observation.id)
      if (!submission) continue
      if (observation.status === 'succeeded') submission.succeededAtMs ??= observation.atMs
      else if (observation.status === 'dead') submission.deadAtMs ??= observation.atMs
    }
  }
  return [...byId.values()]
}

/** The times from submission to result, in ms, of the submissions that have one. */
export function latenciesOf(submissions: readonly Submission[]): number[] {
  return submissions.flatMap(({ submittedAtMs, succeededAtMs }) =>
    succeededAtMs === undefined ? [] : [succeededAtMs - submittedAtMs],
  )
}

/** The submissions whose result came within `usefulMs`. */
export function usefulOf(
  submissions: readonly Submission[],
  usefulMs: number,
): (Submission & { succeededAtMs: number })[] {
  return submissions.flatMap((submission) => {
    const { submittedAtMs, succeededAtMs } = submission
    return succeededAtMs !== undefined && succeededAtMs - submittedAtMs <= usefulMs
      ? [{ ...submission, succeededAtMs }]
      : []
  })
}
