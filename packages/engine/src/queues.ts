import type { Queue, Task } from './entities.ts'
import type { LinkedList } from './linked-list.ts'
import { createQueue, type State, unfinished } from './state.ts'
import { deadlineOf } from './task.ts'

/** What `evolve` does to queues. Only `evolve` may call these functions. */

/** If the queue is new, it counts towards the `principalQueuesMax` of `creator`. */
export function queueNamed(state: State, name: string, creator?: string): Queue {
  let queue = state.queues.get(name)
  if (!queue) {
    queue = createQueue(name, creator)
    state.queues.set(name, queue)
    if (creator !== undefined) state.queuesOf.set(creator, (state.queuesOf.get(creator) ?? 0) + 1)
  }
  return queue
}

/** The queue of this name, to which tasks are about to be added. */
export function queueGiven(state: State, name: string, creator: string | undefined, atMs: number): Queue {
  const queue = queueNamed(state, name, creator)
  if (unfinished(queue) === 0) queue.finishRate.resume(atMs)
  return queue
}

export function noteDispatchable(state: State, queue: Queue): void {
  if (queue.ready.size > 0 && queue.available.size > 0) state.dispatchable.add(queue)
  else state.dispatchable.delete(queue)
}

/**
 * Drops a queue that holds no task or record and that no session takes from. So names that are used once do not use
 * up the bound.
 */
export function dropUnused(state: State, queue: Queue): void {
  if (unfinished(queue) + queue.done.size + queue.dead.size + queue.subscriptions > 0) return
  state.queues.delete(queue.name)
  const { creator } = queue
  if (creator === undefined) return
  const left = (state.queuesOf.get(creator) as number) - 1
  if (left > 0) state.queuesOf.set(creator, left)
  else state.queuesOf.delete(creator)
}

/**
 * Compaction reads restated tasks back in the order of restating. This puts them where they would be if nothing had
 * been discarded.
 */
export function restoreOrders(state: State): void {
  for (const queue of state.queues.values()) {
    // Replay passes many starts and must not sort a long backlog at each.
    if (!queue.isUnordered) continue
    queue.isUnordered = false
    queue.ready.restoreOrder()
    sortRecords(state, queue.done)
    sortRecords(state, queue.dead)
  }
}

/**
 * Adds a task to a list of tasks that are leased, or kept, until some time. The heap of deadlines contains the first
 * task of the list and each task that is due before the one in front of it. If all leases or records of a queue last
 * equally long, the other tasks cost nothing until they come to the front.
 */
export function retain(state: State, list: LinkedList<Task>, task: Task): void {
  list.push(task)
  awaitTurn(state, task)
}

export function release(state: State, list: LinkedList<Task>, task: Task): void {
  const { next } = task
  state.deadlines.remove(task)
  list.remove(task)
  if (next && !state.deadlines.has(next)) awaitTurn(state, next)
}

function awaitTurn(state: State, task: Task): void {
  if (!task.prev || deadlineOf(task.prev) > deadlineOf(task)) state.deadlines.push(task)
}

function sortRecords(state: State, list: LinkedList<Task>): void {
  for (let task = list.head; task; task = task.next) state.deadlines.remove(task)
  list.sort((a, b) => finishedAtMs(a) - finishedAtMs(b))
  for (let task = list.head; task; task = task.next) awaitTurn(state, task)
}

function finishedAtMs({ phase, options }: Task): number {
  switch (phase.state) {
    case 'succeeded':
    case 'cancelled':
      return phase.forgetAtMs - options.resultTtlMs
    case 'dead':
      // All dead letters are kept equally long.
      return phase.forgetAtMs
    default:
      throw new Error(`invariant broken: task ${phase.state} among the done ones`)
  }
}
