import type { Queue, Task } from './entities.ts'
import type { Event } from './events.ts'
import type { State } from './state.ts'

/** The room that dropping the oldest records early makes. */
export interface RoomMade {
  events: Event[]
  tasks: number
  bytes: number
}

export const NO_ROOM_MADE: RoomMade = { events: [], tasks: 0, bytes: 0 }

/**
 * Makes room over all queues for `tasks` tasks and `bytes` bytes. It drops the oldest records of the queue that keeps
 * the most records or the most bytes of results. So the queue that fills the broker makes the room. Dead letters stay.
 */
export function roomMade(state: State, tasks: number, bytes: number, atMs: number): RoomMade {
  const made: RoomMade = { events: [], tasks: 0, bytes: 0 }
  const going = new Map<Queue, { tasks: number[]; bytes: number; next: Task | null }>()
  const goingOf = (queue: Queue) => going.get(queue) ?? { tasks: [], bytes: 0, next: queue.done.head }
  const largest = (size: (queue: Queue) => number): Queue | undefined => {
    let best: Queue | undefined
    let most = 0
    for (const queue of state.queues.values()) {
      const left = size(queue)
      if (left > most) [best, most] = [queue, left]
    }
    return best
  }
  while (made.tasks < tasks || made.bytes < bytes) {
    const queue =
      made.tasks < tasks
        ? largest((queue) => queue.done.size - goingOf(queue).tasks.length)
        : largest((queue) => queue.resultBytes - goingOf(queue).bytes)
    if (queue === undefined) break
    const goes = goingOf(queue)
    going.set(queue, goes)
    // Small steps, so that the largest queues end up equally large.
    for (let i = 0; i < AT_A_TIME && goes.next && (made.tasks < tasks || made.bytes < bytes); i += 1) {
      goes.tasks.push(goes.next.seq)
      goes.bytes += goes.next.resultBytes
      made.tasks += 1
      made.bytes += goes.next.resultBytes
      goes.next = goes.next.next
    }
  }
  for (const { tasks } of going.values()) made.events.push({ type: 'oldestForgotten', tasks, atMs })
  return made
}

const AT_A_TIME = 100
