import type { Task } from './task.ts'

/** A doubly linked list through the tasks themselves: O(1) at both ends and in the middle, nothing allocated. A task is in one list at most. */
export class TaskList {
  head: Task | null = null
  #tail: Task | null = null
  size = 0

  push(task: Task): void {
    task.prev = this.#tail
    task.next = null
    if (this.#tail) this.#tail.next = task
    else this.head = task
    this.#tail = task
    this.size += 1
  }

  remove(task: Task): void {
    if (task.prev) task.prev.next = task.next
    else this.head = task.next
    if (task.next) task.next.prev = task.prev
    else this.#tail = task.prev
    task.next = null
    task.prev = null
    this.size -= 1
  }

  /** Keeps the order of equals. */
  sort(compare: (a: Task, b: Task) => number): void {
    const tasks: Task[] = []
    for (let task = this.head; task; task = task.next) tasks.push(task)
    tasks.sort(compare)
    this.head = null
    this.#tail = null
    this.size = 0
    for (const task of tasks) this.push(task)
  }
}
