import { type State, stateNameOf, type Task } from '@sluice/engine'
import type { TaskStatus } from '@sluice/protocol'

/** What is told of a task to whoever asks for it by its id. */
export function statusOf({ state, nowMs }: { state: State; nowMs: number }, id: string): TaskStatus {
  const task = state.tasks.get(id)
  return task ? statusOfTask(task, nowMs) : { id, state: 'unknown' }
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
