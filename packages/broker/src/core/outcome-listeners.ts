import type { Task } from '@sluice/engine'

/** Told that a task has its outcome; undefined where there will be none any more. */
export type OutcomeListener = (task: Task | undefined) => void

/** Those who wait for tasks to have their outcome, beside the sessions that watch them. */
export class OutcomeListeners {
  readonly #byId = new Map<string, Set<OutcomeListener>>()
  #size = 0

  /** How many wait, of one task or of several. */
  get size(): number {
    return this.#size
  }

  /** Calls back once; the returned function takes it back. */
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
    // They have nothing to take back any more.
    listeners.clear()
    this.#size -= called.length
    for (const listener of called) listener(task)
  }

  callAll(): void {
    for (const id of [...this.#byId.keys()]) this.call(id, undefined)
  }
}
