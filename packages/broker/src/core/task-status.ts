import { type State, stateNameOf, type Task } from '@sluice/engine'
import type { TaskStatus } from '@sluice/protocol'
import type { Principal } from './access/access-control.ts'
import { authorizeTask } from './access/authorize.ts'

/** The status that a principal sees of a task. A task that it may not see is unknown. */
export function statusOf(
  { state, nowMs }: { state: State; nowMs: number },
  id: string,
  principal: Principal | undefined,
): TaskStatus {
  const task = state.tasks.get(id)
  return task && authorizeTask(principal, 'read', task) ? statusOfTask(task, nowMs) : { id, state: 'unknown' }
}

export function statusOfTask(task: Task, nowMs: number): TaskStatus {
  const { phase } = task
  const status: TaskStatus = {
    id: task.id,
    state: stateNameOf(task),
    queue: task.queue.name,
    attempts: task.attempts,
    ageMs: Math.max(0, Math.round(nowMs - task.acceptance.atMs)),
  }
  if (task.past.progress !== undefined) status.progress = task.past.progress
  if (phase.state === 'delayed') status.readyInMs = Math.max(0, Math.round(phase.readyAtMs - nowMs))
  if (phase.state === 'dead') {
    status.reason = phase.reason
    if (phase.error) status.error = phase.error
  }
  return status
}
