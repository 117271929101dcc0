import { type HeapItem, IndexedHeap } from './indexed-heap.ts'
import { LinkedList, type ListItem } from './linked-list.ts'

const PRIORITIES = 10

/** The fields that decide in which order tasks became ready. */
interface Readied {
  readonly seq: number
  readonly acceptance: { readonly atMs: number }
  readonly options: { readonly priority: number; readonly delayMs: number }
  readonly phase: { readonly state: string; readonly behind?: number }
}

interface Waiting<T> extends Readied, HeapItem, ListItem<T> {
  readonly started: boolean
}

interface Level<T extends Waiting<T>> {
  /** Tasks that were delivered before and are ready again, in the order of acceptance. They come first. */
  readonly returned: IndexedHeap<T>
  /** Tasks that were never delivered, in the order in which they became ready. */
  readonly fresh: LinkedList<T>
}

/** The ready tasks of one queue in the order of delivery. */
export class ReadyQueue<T extends Waiting<T>> {
  readonly #levels: Level<T>[] = Array.from({ length: PRIORITIES }, () => ({
    returned: new IndexedHeap<T>((a, b) => a.seq < b.seq),
    fresh: new LinkedList<T>(),
  }))
  #size = 0

  get size(): number {
    return this.#size
  }

  push(task: T): void {
    const level = this.#levels[task.options.priority] as Level<T>
    if (task.started) level.returned.push(task)
    else level.fresh.push(task)
    this.#size += 1
  }

  /** Call it before `started` changes, because that field tells which list holds the task. */
  remove(task: T): void {
    const level = this.#levels[task.options.priority] as Level<T>
    if (task.started) level.returned.remove(task)
    else level.fresh.remove(task)
    this.#size -= 1
  }

  /**
   * The next tasks in the order of delivery: at least one if there is any, at most `max`. Changes nothing. A task
   * that was never delivered is returned only if its number is below `below`. If the next task of a priority has a
   * higher number, that priority is skipped.
   */
  peek(max: number, below = Number.POSITIVE_INFINITY): T[] {
    for (let priority = PRIORITIES - 1; priority >= 0; priority -= 1) {
      const level = this.#levels[priority] as Level<T>
      const first = level.returned.peek()
      // A heap shows only its first item without changing. The caller asks again for more.
      if (first) return [first]
      const tasks: T[] = []
      for (let task = level.fresh.head; task && task.seq < below && tasks.length < max; task = task.next)
        tasks.push(task)
      if (tasks.length > 0) return tasks
    }
    return []
  }

  /** Restores the order in which the fresh tasks became ready. */
  restoreOrder(): void {
    for (const { fresh } of this.#levels) fresh.sort(byReadiness)
  }

  /** The acceptance time of the oldest task at the head of any priority, or undefined. */
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

/** The order in which tasks that were never delivered became ready: by acceptance and by the ends of delays. */
export function byReadiness(a: Readied, b: Readied): number {
  const [aBehind, bBehind] = [behindOf(a), behindOf(b)]
  return (
    Math.max(aBehind, a.seq) - Math.max(bBehind, b.seq) ||
    aBehind - bBehind ||
    // Nothing was accepted between the ends of these delays, so they ended in the order in which they were due.
    readyAtMs(a) - readyAtMs(b) ||
    a.seq - b.seq
  )
}

function behindOf({ phase }: Readied): number {
  return phase.state === 'ready' ? (phase.behind ?? 0) : 0
}

function readyAtMs({ acceptance, options }: Readied): number {
  return acceptance.atMs + options.delayMs
}
