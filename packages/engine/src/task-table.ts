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
    let row = task.seq & (this.#capacity - 1)
    if (this.#tasks[row] !== undefined) {
      row = this.#free
      this.#displaced.set(task.seq, task)
    }
    this.#take(row)
    this.#tasks[row] = task
    task.row = row
    this.#hashes[row] = hash
    this.#ids.add(hash, row)
    this.#append(row)
    this.#size += 1
  }

  delete(tasks: readonly Task[]): void {
    // First finds all tasks, then removes them: the reads of cold memory overlap, and the memory is warm when it
    // changes.
    const cells = tasks.map(({ row }) => this.#ids.cellOf(this.#hashes[row] as number, row))
    for (let i = 0; i < tasks.length; i += 1) {
      const { row, seq } = tasks[i] as Task
      this.#ids.remove(this.#hashes[row] as number, row, cells[i] as number)
      if (this.#displaced.size > 0) this.#displaced.delete(seq)
      this.#unlink(row)
      this.#tasks[row] = undefined
      this.#release(row)
    }
    this.#size -= tasks.length
  }

  /** Makes a task the youngest. */
  renew(task: Task): void {
    this.#unlink(task.row)
    this.#append(task.row)
  }

  /** From the oldest on, or from the one behind a task that is held. Nothing may be added or deleted meanwhile. */
  *values(behind?: Task): Generator<Task, undefined> {
    const first = behind === undefined ? this.#oldest : (this.#younger[behind.row] as number)
    for (let row = first; row !== NONE; row = this.#younger[row] as number) yield this.#tasks[row] as Task
  }

  #hash(id: string): number {
    let hash = this.#seed ^ id.length
    for (let i = 0; i < id.length; i += 2)
      hash = Math.imul(hash ^ (id.charCodeAt(i) << 8) ^ id.charCodeAt(i + 1), 0x01000193)
    return hash ^ (hash >>> 15)
  }

  #append(row: number): void {
    this.#older[row] = this.#youngest
    this.#younger[row] = NONE
    if (this.#youngest === NONE) this.#oldest = row
    else this.#younger[this.#youngest] = row
    this.#youngest = row
  }

  #unlink(row: number): void {
    const older = this.#older[row] as number
    const younger = this.#younger[row] as number
    if (older === NONE) this.#oldest = younger
    else this.#younger[older] = younger
    if (younger === NONE) this.#youngest = older
    else this.#older[younger] = older
  }

  #release(row: number): void {
    this.#older[row] = NONE
    this.#younger[row] = this.#free
    if (this.#free !== NONE) this.#older[this.#free] = row
    this.#free = row
  }

  /** Removes an index from the free ones. */
  #take(row: number): void {
    const before = this.#older[row] as number
    const behind = this.#younger[row] as number
    if (before === NONE) this.#free = behind
    else this.#younger[before] = behind
    if (behind !== NONE) this.#older[behind] = before
  }

  #addPlaces(first: number): void {
    for (let row = first; row < this.#capacity; row += 1) this.#tasks.push(undefined)
    for (let row = this.#capacity - 1; row >= first; row -= 1) this.#release(row)
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
    for (let row = 0; row < before; row += 1) this.#ids.add(this.#hashes[row] as number, row)
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

  add(hash: number, row: number): void {
    const cells = this.#cells
    let cell = hash & this.#mask
    while (cells[2 * cell + 1] !== 0) cell = (cell + 1) & this.#mask
    cells[2 * cell] = hash
    cells[2 * cell + 1] = row + 1
  }

  cellOf(hash: number, row: number): number {
    const cells = this.#cells
    const mask = this.#mask
    let cell = hash & mask
    while (cells[2 * cell + 1] !== row + 1) cell = (cell + 1) & mask
    return cell
  }

  /** `cell` is the id's cell, unless the removal of another id has moved it. */
  remove(hash: number, row: number, cell: number): void {
    const cells = this.#cells
    const mask = this.#mask
    let hole = cells[2 * cell + 1] === row + 1 ? cell : this.cellOf(hash, row)
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
