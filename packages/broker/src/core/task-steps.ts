import { type Event, evolve, type LifecycleState, type State, type Task } from '@sluice/engine'
import type { HostPlatform } from './platform.ts'
import { sessionStep } from './session-steps.ts'

/**
 * Takes an event, and tells what it does to each task, and to a session whose grace window is over. All of it follows
 * from the states before and after, so the engine need not know that anybody listens.
 */
export function evolveAloud(state: State, event: Event, listener: Pick<HostPlatform, 'onTransition'>): void {
  const before = tasksBefore(state, event).map((task): [Task, LifecycleState] => [task, task.phase.state])
  const expired = event.type === 'sessionClosed' && state.sessions.get(event.session)?.phase === 'disconnected'
  evolve(state, event)
  for (const [task, from] of before) {
    const to = state.tasks.get(task.id) === task ? task.phase.state : 'gone'
    listener.onTransition?.({ machine: 'task', id: task.id, from, to, event: event.type })
  }
  if (event.type === 'tasksAccepted') {
    for (const id of event.ids) {
      const to = (state.tasks.get(id) as Task).phase.state
      listener.onTransition?.({ machine: 'task', id, from: 'absent', to, event: event.type })
    }
  } else if (expired) sessionStep(listener, event.session, 'disconnected', 'expire')
}

/** The tasks that the event takes from one state to another. */
function tasksBefore({ tasks }: State, event: Event): Task[] {
  switch (event.type) {
    case 'leasesGranted':
    case 'tasksSucceeded':
    case 'oldestForgotten':
      return event.tasks.map((seq) => tasks.numbered(seq)).filter((task) => task !== undefined)
    case 'taskReadied':
    case 'attemptFailed':
    case 'leaseReleased':
    case 'taskDied':
    case 'taskCancelled':
    case 'taskRedriven':
    case 'taskForgotten': {
      const task = tasks.get(event.id)
      return task === undefined ? [] : [task]
    }
    default:
      return []
  }
}
