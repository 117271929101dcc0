import { type State, stateNameOf, type Task } from '@sluice/engine'
import type { TaskStateName, TaskStatus } from '@sluice/protocol'
import { statusOfTask } from './task-status.ts'

/**
 * The maximum number of tasks examined for a page. A page with few matches among millions must not block the broker.
 */
const LOOKS_MAX = 10_000

export interface TaskListQuery {
  queue?: string
  state?: TaskStateName
  /** The maximum number of tasks in the page. */
  limit: number
  /** The last id of the previous page. */
  after?: string
}

/**
 * A page of the held tasks that the asker may see, oldest first. It may hold fewer than `limit`, or none: continue
 * while there is `next`. If the journal has restated a task meanwhile, the task is among the youngest and may appear
 * twice.
 * @throws an Error with code unknown_task if the record of `after` has gone
 */
export function taskPage(
  { state, nowMs }: { state: State; nowMs: number },
  { queue: name, state: wanted, limit, after }: TaskListQuery,
  isVisible: (task: Task) => boolean,
): { tasks: TaskStatus[]; next?: string } {
  const behind = after === undefined ? undefined : state.tasks.get(after)
  if (after !== undefined && (behind === undefined || !isVisible(behind)))
    throw Object.assign(new Error(`no task ${after} is held any more: list from the beginning`), {
      code: 'unknown_task',
    })
  const queue = name === undefined ? undefined : state.queues.get(name)
  if (name !== undefined && queue === undefined) return { tasks: [] }
  const tasks: TaskStatus[] = []
  let looks = 0
  let last: Task | undefined
  for (const task of state.tasks.values(behind)) {
    if (last !== undefined && (tasks.length === limit || looks === LOOKS_MAX)) return { tasks, next: last.id }
    last = task
    looks += 1
    if ((queue !== undefined && task.queue !== queue) || !isVisible(task)) continue
    if (wanted === undefined || stateNameOf(task) === wanted) tasks.push(statusOfTask(task, nowMs))
  }
  return { tasks }
}
