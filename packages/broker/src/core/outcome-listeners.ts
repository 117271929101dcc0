import type { Task } from '@sluice/engine'

/** Called when a task has its outcome. `task` is undefined if there will be none. */
export type OutcomeListener = (task: Task | undefined) => void

/** Listeners for the outcomes of single tasks, besides the sessions that watch them. */
export class OutcomeListeners {
  readonly #byId = new Map<string, Set<OutcomeListener>>()
  #size = 0

  /** The number of listeners, of one task or of several. */
  get size(): number {
    return this.#size
  }

  /** Adds a listener that is called once. The returned function removes it. */
  add(id: string, fn: OutcomeListener): () => void {
    const listeners = this.#byId.get(id) ?? new Set()
    listeners.add(fn)
    this.#byId.set(id, listeners)
    this.#size += 1
    return () => {
      if (!listeners.delete(fn)) return
      this.#size -= 1
      if (listeners.size === 0) this.#byId.delete(id)
    }
  }

  call(id: string, task: Task | undefined): void {
    const listeners = this.#byId.get(id)
    if (listeners === undefined) return
    this.#byId.delete(id)
    const called = [...listeners]
    // Removing them later must do nothing.
    listeners.clear()
    this.#size -= called.length
    for (const listener of called) listener(task)
  }

  callAll(): void {
    for (const id of [...this.#byId.keys()]) this.call(id, undefined)
  }
}
