import type { Event } from './events.ts'
import { evolve } from './evolve.ts'
import { openSession, sessionFor } from './sessions.ts'
import type { State } from './state.ts'

/**
 * `evolve` for events read back from a journal whose oldest batches have been discarded. What was discarded spoke only of
 * tasks that are gone or restated later, so an event of a task that is not held is passed over, and a session that is not
 * known is taken to be one in its grace window.
 */
export function replay(state: State, event: Event): void {
  if ('id' in event && !state.tasks.has(event.id)) return
  if (
    'session' in event &&
    event.session !== undefined &&
    event.type !== 'sessionOpened' &&
    !state.sessions.has(event.session)
  ) {
    if (event.type === 'sessionClosed') return
    openSession(state, event.session, ['producer', 'worker'])
  }
  switch (event.type) {
    case 'tasksAccepted':
      if (event.watcher !== undefined) sessionFor(state, event.watcher)
      break
    case 'leasesGranted':
      for (const run of runsHeld(state, event.tasks)) {
        const lease = event.lease + run.first
        evolve(state, { ...event, lease, tasks: event.tasks.slice(run.first, run.end) })
      }
      return
    case 'tasksSucceeded':
      for (const run of runsHeld(state, event.tasks)) {
        let { result } = event
        for (const bytes of event.bytes.slice(0, run.first)) result += bytes
        const [tasks, bytes] = [event.tasks.slice(run.first, run.end), event.bytes.slice(run.first, run.end)]
        evolve(state, { ...event, tasks, result, bytes })
      }
      return
    case 'oldestForgotten':
      evolve(state, { ...event, tasks: event.tasks.filter((seq) => state.tasks.numbered(seq)) })
      return
  }
  evolve(state, event)
}

/** Where tasks stand that are held, one behind the other. */
function runsHeld(state: State, tasks: readonly number[]): { first: number; end: number }[] {
  const runs: { first: number; end: number }[] = []
  tasks.forEach((seq, i) => {
    if (!state.tasks.numbered(seq)) return
    const last = runs.at(-1)
    if (last?.end === i) last.end += 1
    else runs.push({ first: i, end: i + 1 })
  })
  return runs
}
