import { createQueue, type Queue, type State, type Task, unfinished } from './state.ts'

/** What `evolve` does to queues. Nothing else may call these. */

export function queueNamed(state: State, name: string): Queue {
  let queue = state.queues.get(name)
  if (!queue) {
    queue = createQueue(name)
    state.queues.set(name, queue)
  }
  return queue
}

export function noteDispatchable(state: State, queue: Queue): void {
  if (queue.ready.size > 0 && queue.available.size > 0) state.dispatchable.add(queue)
  else state.dispatchable.delete(queue)
}

/** Forgets a queue that holds no task or record and that nobody takes from, so that names used once do not use up the bound. */
export function dropUnused(state: State, queue: Queue): void {
  if (unfinished(queue) + queue.finished.size + queue.dead.size + queue.subscriptions > 0) return
  state.queues.delete(queue.name)
}

/**
 * Tasks that compaction restated were read back in the order of restating: puts them among the others, as they would be
 * had nothing been discarded.
 */
export function restoreOrders(state: State): void {
  for (const { ready, finished, dead } of state.queues.values()) {
    ready.restoreOrder()
    finished.sort((a, b) => finishedAtMs(a) - finishedAtMs(b))
    dead.sort((a, b) => finishedAtMs(a) - finishedAtMs(b))
  }
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
      throw new Error(`invariant broken: task ${phase.state} among the finished ones`)
  }
}
