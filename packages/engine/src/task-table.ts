import type { Task } from './entities.ts'

const CAPACITY_MIN = 256
const NONE = -1

/**
 * Tasks by id, by number, and in the order in which they were stored. Maps would work, but they read more cold
 * memory: they compare a new id with the strings that are held, and search for a number. Here one read of an integer
 * array usually answers "is this id held?", and a task's number gives its index.
 */
export class TaskTable {
  readonly #seed: number
  /** A power of two. */
  #capacity = CAPACITY_MIN
  /**
   * Each task is at the index given by the low bits of its number, if that was free: as many bits as the capacity had
   * when it was added.
   */
  readonly #tasks: (Task | undefined)[] = []
  /** Tasks whose own index was taken, by number. */
  readonly #displaced = new Map<number, Task>()
  #ids = new IdIndex(CAPACITY_MIN)
  #hashes = new Int32Array(CAPACITY_MIN)
  /** A linked list through the indices, in the order of storing. A second list links the free indices. */
  #older = new Int32Array(CAPACITY_MIN)
  #younger = new Int32Array(CAPACITY_MIN)
  #oldest = NONE
  #youngest = NONE
  #free = NONE
  #size = 0

  /** A secret `seed` keeps submitters from choosing ids that are slow to find. */
  constructor(seed: number) {
    this.#seed = seed | 0
    this.#addPlaces(0)
  }

  get size(): number {
    return this.#size
  }

  get(id: string): Task | undefined {
    return this.#ids.find(id, this.#hash(id), this.#tasks)
  }

  has(id: string): boolean {
    return this.get(id) !== undefined
  }

  /** Whether certainly none of these ids is held. Asked for many ids at once, so that reads of cold memory overlap. */
  holdsNoneOf(ids: readonly string[]): boolean {
    const hashes = ids.map((id) => this.#hash(id))
    return this.#ids.holdsNoneOf(hashes)
  }

  /** The task with this number. */
  numbered(seq: number): Task | undefined {
    for (let mask = this.#capacity - 1; mask >= CAPACITY_MIN - 1; mask >>= 1) {
      const task = this.#tasks[seq & mask]
      if (task !== undefined && task.seq === seq) return task
    }
    return this.#displaced.get(seq)
  }

  /** Adds a task as the youngest. Throws if its id is held, which is a broken invariant. */
  add(task: Task): void {
    const hash = this.#hash(task.id)
    if (this.#ids.find(task.id, hash, this.#tasks))
      throw new Error(`invariant broken: task ${task.id} is accepted twice`)
    if (this.#size === this.#capacity) this.#grow()
    let slot = task.seq & (this.#capacity - 1)
    if (this.#tasks[slot] !== undefined) {
      slot = this.#free
      this.#displaced.set(task.seq, task)
    }
    this.#take(slot)
    this.#tasks[slot] = task
    task.slot = slot
    this.#hashes[slot] = hash
    this.#ids.add(hash, slot)
    this.#append(slot)
    this.#size += 1
  }

  delete(tasks: readonly Task[]): void {
    // First finds all tasks, then removes them: the reads of cold memory overlap, and the memory is warm when it
    // changes.
    const cells = tasks.map(({ slot }) => this.#ids.cellOf(this.#hashes[slot] as number, slot))
    for (let i = 0; i < tasks.length; i += 1) {
      const { slot, seq } = tasks[i] as Task
      this.#ids.remove(this.#hashes[slot] as number, slot, cells[i] as number)
      if (this.#displaced.size > 0) this.#displaced.delete(seq)
      this.#unlink(slot)
      this.#tasks[slot] = undefined
      this.#release(slot)
    }
    this.#size -= tasks.length
  }

  /** Makes a task the youngest. */
  renew(task: Task): void {
    this.#unlink(task.slot)
    this.#append(task.slot)
  }

  /** From the oldest on, or from the one behind a task that is held. Nothing may be added or deleted meanwhile. */
  *values(behind?: Task): Generator<Task, undefined> {
    const first = behind === undefined ? this.#oldest : (this.#younger[behind.slot] as number)
    for (let slot = first; slot !== NONE; slot = this.#younger[slot] as number) yield this.#tasks[slot] as Task
  }

  #hash(id: string): number {
    let hash = this.#seed ^ id.length
    for (let i = 0; i < id.length; i += 2)
      hash = Math.imul(hash ^ (id.charCodeAt(i) << 8) ^ id.charCodeAt(i + 1), 0x01000193)
    return hash ^ (hash >>> 15)
  }

  #append(slot: number): void {
    this.#older[slot] = this.#youngest
    this.#younger[slot] = NONE
    if (this.#youngest === NONE) this.#oldest = slot
    else this.#younger[this.#youngest] = slot
    this.#youngest = slot
  }

  #unlink(slot: number): void {
    const older = this.#older[slot] as number
    const younger = this.#younger[slot] as number
    if (older === NONE) this.#oldest = younger
    else this.#younger[older] = younger
    if (younger === NONE) this.#youngest = older
    else this.#older[younger] = older
  }

  #release(slot: number): void {
    this.#older[slot] = NONE
    this.#younger[slot] = this.#free
    if (this.#free !== NONE) this.#older[this.#free] = slot
    this.#free = slot
  }

  /** Removes an index from the free ones. */
  #take(slot: number): void {
    const before = this.#older[slot] as number
    const behind = this.#younger[slot] as number
    if (before === NONE) this.#free = behind
    else this.#younger[before] = behind
    if (behind !== NONE) this.#older[behind] = before
  }

  #addPlaces(first: number): void {
    for (let slot = first; slot < this.#capacity; slot += 1) this.#tasks.push(undefined)
    for (let slot = this.#capacity - 1; slot >= first; slot -= 1) this.#release(slot)
  }

  /** Doubles the capacity. Every index is taken, and every task stays at its index. */
  #grow(): void {
    const before = this.#capacity
    this.#capacity *= 2
    this.#hashes = doubled(this.#hashes)
    this.#older = doubled(this.#older)
    this.#younger = doubled(this.#younger)
    this.#addPlaces(before)
    this.#ids = new IdIndex(this.#capacity)
    for (let slot = 0; slot < before; slot += 1) this.#ids.add(this.#hashes[slot] as number, slot)
  }
}

function doubled(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(2 * array.length)
  larger.set(array)
  return larger
}

/**
 * A hash table with linear probing (Knuth, volume 3, section 6.4). A cell is two adjacent integers: the hash, and the
 * task's index plus one. So one read of memory tells that an id is not held.
 */
class IdIndex {
  readonly #cells: Int32Array
  readonly #mask: number

  /** Has twice as many cells as `capacity`, the number of ids. */
  constructor(capacity: number) {
    this.#cells = new Int32Array(4 * capacity)
    this.#mask = 2 * capacity - 1
  }

  find(id: string, hash: number, tasks: readonly (Task | undefined)[]): Task | undefined {
    const cells = this.#cells
    const mask = this.#mask
    for (let cell = hash & mask; ; cell = (cell + 1) & mask) {
      const place = cells[2 * cell + 1] as number
      if (place === 0) return undefined
      if (cells[2 * cell] !== hash) continue
      const task = tasks[place - 1]
      if (task !== undefined && task.id === id) return task
    }
  }

  holdsNoneOf(hashes: readonly number[]): boolean {
    const cells = this.#cells
    const mask = this.#mask
    for (let i = 0; i < hashes.length; i += 1) {
      const hash = hashes[i] as number
      for (let cell = hash & mask; cells[2 * cell + 1] !== 0; cell = (cell + 1) & mask)
        if (cells[2 * cell] === hash) return false
    }
    return true
  }

  add(hash: number, slot: number): void {
    const cells = this.#cells
    let cell = hash & this.#mask
    while (cells[2 * cell + 1] !== 0) cell = (cell + 1) & this.#mask
    cells[2 * cell] = hash
    cells[2 * cell + 1] = slot + 1
  }

  cellOf(hash: number, slot: number): number {
    const cells = this.#cells
    const mask = this.#mask
    let cell = hash & mask
    while (cells[2 * cell + 1] !== slot + 1) cell = (cell + 1) & mask
    return cell
  }

  /** `cell` is the id's cell, unless the removal of another id has moved it. */
  remove(hash: number, slot: number, cell: number): void {
    const cells = this.#cells
    const mask = this.#mask
    let hole = cells[2 * cell + 1] === slot + 1 ? cell : this.cellOf(hash, slot)
    // Later cells move up if the hole lies between their own cell and where they are.
    for (let cell = (hole + 1) & mask; cells[2 * cell + 1] !== 0; cell = (cell + 1) & mask) {
      const way = (cell - (cells[2 * cell] as number)) & mask
      if (way < ((cell - hole) & mask)) continue
      cells[2 * hole] = cells[2 * cell] as number
      cells[2 * hole + 1] = cells[2 * cell + 1] as number
      hole = cell
    }
    cells[2 * hole + 1] = 0
  }
}
