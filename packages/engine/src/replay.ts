import type { Event } from './events.ts'
import { evolve } from './evolve.ts'
import { fitHistories } from './history-room.ts'
import { sessionFor } from './sessions.ts'
import type { State } from './state.ts'

/**
 * `evolve` for events read from a journal whose oldest batches have been discarded. The discarded events were about
 * tasks that are gone or restated later. So an event about a task that is not held is skipped, and an unknown session
 * is taken to be in its grace window. Failures and progress are cut to the room
 * there is: the broker that wrote them may have had more. So every broker starts on what it accepted.
 */
export function replay(state: State, event: Event): void {
  switch (event.type) {
    case 'attemptFailed':
    case 'leaseReleased':
    case 'taskDied':
    case 'taskCancelled':
    case 'taskReadied':
    case 'taskRedriven':
    case 'taskForgotten':
    case 'progressReported':
      if (!state.tasks.has(event.id)) return
      for (const fitting of fitHistories(state, [event])) evolve(state, fitting)
      return
    case 'taskWatched':
    case 'taskUnwatched':
      if (!state.tasks.has(event.id)) return
      sessionFor(state, event.session)
      break
    case 'sessionClosed':
      if (!state.sessions.has(event.session)) return
      break
    case 'sessionResumed':
    case 'sessionDisconnected':
    case 'sessionHeard':
    case 'sessionRested':
    case 'creditSet':
    case 'leasesBegun':
    case 'leasesRenewed':
      sessionFor(state, event.session)
      break
    case 'tasksAccepted':
      if (event.watcher !== undefined) sessionFor(state, event.watcher)
      break
    case 'leasesGranted':
      sessionFor(state, event.session)
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
    case 'brokerStarted':
    case 'brokerStalled':
    case 'checkpointed':
    case 'principalRevoked':
    case 'sessionOpened':
    case 'refused':
      break
    case 'taskRestated':
      fitHistories(state, [event])
      break
    default:
      event satisfies never
  }
  evolve(state, event)
}

/** The index ranges of the tasks that are held. */
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
