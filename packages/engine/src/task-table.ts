import type { Task } from './state.ts'

const CAPACITY_MIN = 256
const NONE = -1

/**
 * Tasks by id, by number, and in the order in which they were stored. A map of strings costs several reads of cold memory
 * for each question, because an id that has just been parsed has to be compared with those that are held; here the usual
 * answer, "not held", is found in small arrays of integers that stay in the processor's cache.
 */
export class TaskTable {
  readonly #seed: number
  #capacity = CAPACITY_MIN
  #slots: (Task | undefined)[] = []
  readonly #ids = new Chains(CAPACITY_MIN)
  readonly #numbers = new Chains(CAPACITY_MIN)
  /** The order of storing, as a list through the slots; free slots are chained by `#younger`. */
  #older = new Int32Array(CAPACITY_MIN)
  #younger = new Int32Array(CAPACITY_MIN)
  #oldest = NONE
  #youngest = NONE
  #free = NONE
  #size = 0

  /** A `seed` that nobody outside knows keeps submitters from choosing ids that are slow to find. */
  constructor(seed: number) {
    this.#seed = seed | 0
  }

  get size(): number {
    return this.#size
  }

  get(id: string): Task | undefined {
    return this.#find(id, this.#hash(id))
  }

  #find(id: string, hash: number): Task | undefined {
    const ids = this.#ids
    for (let slot = ids.first(hash); slot !== NONE; slot = ids.next(slot)) {
      const task = ids.keyOf(slot) === hash ? this.#slots[slot] : undefined
      if (task !== undefined && task.id === id) return task
    }
    return undefined
  }

  has(id: string): boolean {
    return this.get(id) !== undefined
  }

  /** The task with this place in the order of acceptance. */
  numbered(seq: number): Task | undefined {
    const numbers = this.#numbers
    for (let slot = numbers.first(seq | 0); slot !== NONE; slot = numbers.next(slot)) {
      const task = this.#slots[slot]
      if (task !== undefined && task.seq === seq) return task
    }
    return undefined
  }

  /** Adds a task as the youngest; throws where its id is held, which is a broken invariant. */
  add(task: Task): void {
    const hash = this.#hash(task.id)
    if (this.#find(task.id, hash)) throw new Error(`invariant broken: task ${task.id} is accepted twice`)
    let slot = this.#free
    if (slot === NONE) {
      slot = this.#slots.length
      if (slot === this.#capacity) this.#grow()
    } else this.#free = this.#younger[slot] as number
    this.#slots[slot] = task
    task.slot = slot
    this.#ids.add(slot, hash)
    this.#numbers.add(slot, task.seq | 0)
    this.#append(slot)
    this.#size += 1
  }

  delete(task: Task): void {
    const { slot } = task
    this.#ids.remove(slot)
    this.#numbers.remove(slot)
    this.#unlink(slot)
    this.#slots[slot] = undefined
    this.#younger[slot] = this.#free
    this.#free = slot
    this.#size -= 1
  }

  /** Makes a task the youngest. */
  renew(task: Task): void {
    this.#unlink(task.slot)
    this.#append(task.slot)
  }

  /** From the oldest on. */
  *values(): Generator<Task, undefined> {
    for (let slot = this.#oldest; slot !== NONE; slot = this.#younger[slot] as number) yield this.#slots[slot] as Task
  }

  #hash(id: string): number {
    let hash = this.#seed
    for (let i = 0; i < id.length; i += 1) hash = Math.imul(hash ^ id.charCodeAt(i), 0x01000193)
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

  #grow(): void {
    this.#capacity *= 2
    this.#older = enlarged(this.#older)
    this.#younger = enlarged(this.#younger)
    this.#ids.grow(this.#slots.length)
    this.#numbers.grow(this.#slots.length)
  }
}

/** A hash index over slots: chains of those whose keys fall into the same place. The size is a power of two. */
class Chains {
  #heads: Int32Array<ArrayBuffer>
  #next: Int32Array<ArrayBuffer>
  #keys: Int32Array<ArrayBuffer>

  constructor(capacity: number) {
    this.#heads = new Int32Array(capacity).fill(NONE)
    this.#next = new Int32Array(capacity)
    this.#keys = new Int32Array(capacity)
  }

  first(key: number): number {
    return this.#heads[key & (this.#heads.length - 1)] as number
  }

  next(slot: number): number {
    return this.#next[slot] as number
  }

  keyOf(slot: number): number {
    return this.#keys[slot] as number
  }

  add(slot: number, key: number): void {
    const place = key & (this.#heads.length - 1)
    this.#keys[slot] = key
    this.#next[slot] = this.#heads[place] as number
    this.#heads[place] = slot
  }

  remove(slot: number): void {
    const place = (this.#keys[slot] as number) & (this.#heads.length - 1)
    const next = this.#next[slot] as number
    let at = this.#heads[place] as number
    if (at === slot) {
      this.#heads[place] = next
      return
    }
    while (this.#next[at] !== slot) at = this.#next[at] as number
    this.#next[at] = next
  }

  /** Doubles the size; the slots below `used` are all in use. */
  grow(used: number): void {
    this.#heads = new Int32Array(this.#heads.length * 2).fill(NONE)
    this.#next = enlarged(this.#next)
    this.#keys = enlarged(this.#keys)
    for (let slot = 0; slot < used; slot += 1) this.add(slot, this.#keys[slot] as number)
  }
}

function enlarged(array: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(array.length * 2)
  larger.set(array)
  return larger
}
