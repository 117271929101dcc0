interface Deadline {
  readonly atMs: number
  readonly order: number
  fn: (() => void) | null
}

/**
 * The time of a world. It stands still until `step`, which moves it to the next deadline and no further. Deadlines
 * fire one at a time: by time, and at the same time in the order in which they were set.
 */
export class VirtualClock {
  #nowMs = 0
  #order = 0
  #pending = 0
  readonly #heap: Deadline[] = []

  /** ms since the world began. */
  get nowMs(): number {
    return this.#nowMs
  }

  /** Deadlines that are set and not cancelled. */
  get pending(): number {
    return this.#pending
  }

  /**
   * Calls `fn` once after `ms` (at least 0). The returned function cancels it.
   * @throws RangeError if `ms` is no finite number: runtimes fire such a timer at once, which nobody can have meant
   */
  setTimer(fn: () => void, ms: number): () => void {
    if (!Number.isFinite(ms)) throw new RangeError(`a timer cannot be set to ${ms} ms`)
    const deadline: Deadline = { atMs: this.#nowMs + Math.max(0, ms), order: this.#order, fn }
    this.#order += 1
    this.#pending += 1
    this.#push(deadline)
    return () => {
      if (deadline.fn === null) return
      deadline.fn = null
      this.#pending -= 1
    }
  }

  /** With `clearTimeout` this is the clock of an XState actor: `createActor(chart, { clock })`. */
  setTimeout(fn: () => void, ms: number): () => void {
    return this.setTimer(fn, ms)
  }

  clearTimeout(cancel: () => void): void {
    cancel()
  }

  /** The time of the next deadline; undefined if there is none. */
  get nextAtMs(): number | undefined {
    while (this.#heap[0]?.fn === null) this.#pop()
    return this.#heap[0]?.atMs
  }

  /** Moves to the next deadline and calls it. Returns false if there is none. */
  step(): boolean {
    if (this.nextAtMs === undefined) return false
    const deadline = this.#pop()
    this.#nowMs = deadline.atMs
    this.#pending -= 1
    const fn = deadline.fn as () => void
    deadline.fn = null
    fn()
    return true
  }

  /** Calls every deadline of the next `ms`, including those set meanwhile, and ends at their end. */
  advance(ms: number): void {
    const endMs = this.#nowMs + ms
    for (let atMs = this.nextAtMs; atMs !== undefined && atMs <= endMs; atMs = this.nextAtMs) this.step()
    this.#nowMs = endMs
  }

  #push(deadline: Deadline): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(deadline)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (!isBefore(deadline, heap[parent] as Deadline)) break
      heap[at] = heap[parent] as Deadline
      at = parent
    }
    heap[at] = deadline
  }

  #pop(): Deadline {
    const heap = this.#heap
    const first = heap[0] as Deadline
    const last = heap.pop() as Deadline
    if (heap.length === 0) return first
    let at = 0
    for (;;) {
      let child = 2 * at + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && isBefore(heap[child + 1] as Deadline, heap[child] as Deadline)) child += 1
      if (!isBefore(heap[child] as Deadline, last)) break
      heap[at] = heap[child] as Deadline
      at = child
    }
    heap[at] = last
    return first
  }
}

function isBefore(a: Deadline, b: Deadline): boolean {
  return a.atMs < b.atMs || (a.atMs === b.atMs && a.order < b.order)
}
