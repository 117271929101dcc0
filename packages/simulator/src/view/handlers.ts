import type { Seen } from './fold.ts'

/** How many done tasks are remembered. */
const KEPT_MAX = 1000

/** Handlers that run at the moment. */
export class Handlers {
  /** By number of the run. */
  #runs = new Map<number, { node: string; id: string }>()
  #succeeded = new Set<string>()
  #byTask = new Map<string, number>()

  /** How many there are. */
  get size(): number {
    return this.#runs.size
  }

  copy(): Handlers {
    const copy = new Handlers()
    copy.#runs = new Map(this.#runs)
    copy.#succeeded = new Set(this.#succeeded)
    copy.#byTask = new Map(this.#byTask)
    return copy
  }

  /** @returns whether another handler works on the same task, or has already done it */
  started({ node, id, run }: Extract<Seen, { type: 'handlerStarted' }>): boolean {
    const isDuplicate = this.#byTask.has(id) || this.#succeeded.has(id)
    this.#runs.set(run, { node, id })
    this.#byTask.set(id, (this.#byTask.get(id) ?? 0) + 1)
    return isDuplicate
  }

  ended({ run, id, how }: Extract<Seen, { type: 'handlerEnded' }>): void {
    if (how === 'returned') this.#keep(id)
    this.#end(run)
  }

  /** The node runs nothing any more. */
  stopped(node: string): void {
    for (const [run, one] of this.#runs) if (one.node === node) this.#end(run)
  }

  #end(run: number): void {
    const one = this.#runs.get(run)
    if (one === undefined) return
    this.#runs.delete(run)
    const left = (this.#byTask.get(one.id) ?? 0) - 1
    if (left > 0) this.#byTask.set(one.id, left)
    else this.#byTask.delete(one.id)
  }

  /** A task that is done is run again soon or never. */
  #keep(id: string): void {
    this.#succeeded.add(id)
    if (this.#succeeded.size > KEPT_MAX)
      for (const oldest of this.#succeeded) return void this.#succeeded.delete(oldest)
  }
}
