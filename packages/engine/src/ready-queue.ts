import { IndexedHeap } from './indexed-heap.ts'
import type { Task } from './task.ts'
import { TaskList } from './task-list.ts'

const PRIORITIES = 10

interface Level {
  /** Delivered before and ready again, in the order of acceptance: they come first. */
  readonly returned: IndexedHeap<Task>
  /** Never delivered, in the order they became ready. */
  readonly fresh: TaskList
}

/** The ready tasks of one queue in the order of delivery. */
export class ReadyQueue {
  readonly #levels: Level[] = Array.from({ length: PRIORITIES }, () => ({
    returned: new IndexedHeap<Task>((a, b) => a.seq < b.seq),
    fresh: new TaskList(),
  }))
  #size = 0

  get size(): number {
    return this.#size
  }

  push(task: Task): void {
    const level = this.#levels[task.options.priority] as Level
    if (task.started) level.returned.push(task)
    else level.fresh.push(task)
    this.#size += 1
  }

  /** Call before `started` changes: it tells which list holds the task. */
  remove(task: Task): void {
    const level = this.#levels[task.options.priority] as Level
    if (task.started) level.returned.remove(task)
    else level.fresh.remove(task)
    this.#size -= 1
  }

  /**
   * The next tasks in the order of delivery: at least one if there is any, `max` at most. Changes nothing. Tasks that were
   * never delivered are taken only with a number below `below`; a priority whose next one has another is passed over.
   */
  peek(max: number, below = Number.POSITIVE_INFINITY): Task[] {
    for (let priority = PRIORITIES - 1; priority >= 0; priority -= 1) {
      const level = this.#levels[priority] as Level
      const first = level.returned.peek()
      // A heap shows only its first item without a change; the caller asks again for more.
      if (first) return [first]
      const tasks: Task[] = []
      for (let task = level.fresh.head; task && task.seq < below && tasks.length < max; task = task.next)
        tasks.push(task)
      if (tasks.length > 0) return tasks
    }
    return []
  }

  /** Puts the fresh tasks in the order in which they became ready. */
  restoreOrder(): void {
    for (const { fresh } of this.#levels) fresh.sort(byReadiness)
  }

  /** The acceptance time of the task that has been ready for longest in any priority, or undefined. */
  oldestAcceptedAtMs(): number | undefined {
    let oldest: number | undefined
    for (const { returned, fresh } of this.#levels) {
      for (const task of [returned.peek(), fresh.head]) {
        if (task && (oldest === undefined || task.acceptance.atMs < oldest)) oldest = task.acceptance.atMs
      }
    }
    return oldest
  }
}

/** The order in which tasks that were never delivered became ready: that of acceptance, and of the ends of delays. */
export function byReadiness(a: Task, b: Task): number {
  const [aBehind, bBehind] = [behindOf(a), behindOf(b)]
  return (
    Math.max(aBehind, a.seq) - Math.max(bBehind, b.seq) ||
    aBehind - bBehind ||
    // Nothing was accepted between the ends of these delays, so they ended in the order in which they were due.
    readyAtMs(a) - readyAtMs(b) ||
    a.seq - b.seq
  )
}

function behindOf({ phase }: Task): number {
  return phase.state === 'ready' ? phase.behind : 0
}

function readyAtMs({ acceptance, options }: Task): number {
  return acceptance.atMs + options.delayMs
}
