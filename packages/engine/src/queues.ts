import { createQueue, type Queue, type State } from './state.ts'

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
