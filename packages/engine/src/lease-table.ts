const CAPACITY_MIN = 16

/**
 * The tasks that a session holds leases of, by lease. A `Map` would be rebuilt again and again as leases come and go.
 * Here the low bits of a lease give its index. Only tasks whose index is taken are in a map.
 */
export class LeaseTable<T extends { readonly lease: number }> {
  /** The length is a power of two, or 0 before the first lease. */
  #tasks: (T | undefined)[] = []
  readonly #displaced = new Map<number, T>()
  #size = 0

  get size(): number {
    return this.#size
  }

  get(lease: number): T | undefined {
    const task = this.#tasks[lease & (this.#tasks.length - 1)]
    if (task !== undefined && task.lease === lease) return task
    return this.#displaced.size === 0 ? undefined : this.#displaced.get(lease)
  }

  has(lease: number): boolean {
    return this.get(lease) !== undefined
  }

  /** Adds a task that has just been leased with this lease. */
  add(task: T, lease: number): void {
    if (this.#size === this.#tasks.length) this.#grow()
    this.#put(task, lease)
    this.#size += 1
  }

  delete(task: T, lease: number): void {
    const place = lease & (this.#tasks.length - 1)
    if (this.#tasks[place] === task) this.#tasks[place] = undefined
    else this.#displaced.delete(lease)
    this.#size -= 1
  }

  /** In the order of the leases: the longest held first. */
  *[Symbol.iterator](): Generator<[number, T], undefined> {
    const held = [...this.#tasks.filter((task) => task !== undefined), ...this.#displaced.values()]
    for (const task of held.sort((a, b) => a.lease - b.lease)) yield [task.lease, task]
  }

  keys(): number[] {
    return [...this].map(([lease]) => lease)
  }

  values(): T[] {
    return [...this].map(([, task]) => task)
  }

  #put(task: T, lease: number): void {
    const place = lease & (this.#tasks.length - 1)
    if (this.#tasks[place] === undefined) this.#tasks[place] = task
    else this.#displaced.set(lease, task)
  }

  #grow(): void {
    const held = [...this]
    this.#tasks = new Array(Math.max(CAPACITY_MIN, 2 * this.#tasks.length)).fill(undefined)
    this.#displaced.clear()
    for (const [lease, task] of held) this.#put(task, lease)
  }
}
