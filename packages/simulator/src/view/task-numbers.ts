import type { Seen } from './fold.ts'

export interface FirstSubmission {
  /** In the order of first submission, from 1. */
  number: number
  atMs: number
  queue: string
  producer: string
}

/** The short numbers of tasks, as the stage shows them. */
export class TaskNumbers {
  readonly #tasks = new Map<string, FirstSubmission>()

  /** `before`: how many tasks were submitted before the first observation. */
  constructor(seen: readonly Seen[], before = 0) {
    let number = before
    for (const one of seen) {
      if (one.type !== 'submitting' || this.#tasks.has(one.id)) continue
      number += 1
      this.#tasks.set(one.id, { number, atMs: one.atMs, queue: one.queue, producer: one.node })
    }
  }

  of(id: string): FirstSubmission | undefined {
    return this.#tasks.get(id)
  }

  /** Such as `#12`. A task whose submission is not known any more is named by the end of its id. */
  name(id: string): string {
    const number = this.of(id)?.number
    return number === undefined ? `…${id.slice(-4)}` : `#${number}`
  }
}
