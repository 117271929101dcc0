/** An item of an `IndexedHeap`. The heap stores each item's index on the item, so that removal needs no search. */
export interface HeapItem {
  /** −1 while the item is in no heap. Only the heap writes it. */
  heapIndex: number
}

/** A binary heap with removal and re-ordering of any item in O(log n). `before` must be a strict total order. */
export class IndexedHeap<T extends HeapItem> {
  readonly #items: T[] = []
  readonly #before: (a: T, b: T) => boolean

  constructor(before: (a: T, b: T) => boolean) {
    this.#before = before
  }

  get size(): number {
    return this.#items.length
  }

  peek(): T | undefined {
    return this.#items[0]
  }

  /** Up to `max` of the items: the first one first, then mostly early ones before late ones. */
  some(max: number): readonly T[] {
    return this.#items.slice(0, max)
  }

  /** The item that would come first without the first one. */
  second(): T | undefined {
    const left = this.#items[1]
    const right = this.#items[2]
    return left !== undefined && right !== undefined && this.#before(right, left) ? right : left
  }

  has(item: T): boolean {
    return item.heapIndex >= 0
  }

  push(item: T): void {
    item.heapIndex = this.#items.length
    this.#items.push(item)
    this.#up(item, item.heapIndex)
  }

  remove(item: T): void {
    const at = item.heapIndex
    if (at < 0) return
    item.heapIndex = -1
    const last = this.#items.pop() as T
    if (last === item) return
    last.heapIndex = at
    this.#items[at] = last
    this.update(last)
  }

  /** Call it after the item's order has changed. */
  update(item: T): void {
    this.#up(item, item.heapIndex)
    this.#down(item, item.heapIndex)
  }

  #up(item: T, from: number): void {
    const items = this.#items
    let at = from
    while (at > 0) {
      const above = (at - 1) >> 1
      const parent = items[above] as T
      if (!this.#before(item, parent)) break
      parent.heapIndex = at
      items[at] = parent
      at = above
    }
    item.heapIndex = at
    items[at] = item
  }

  #down(item: T, from: number): void {
    const items = this.#items
    const size = items.length
    let at = from
    for (;;) {
      let below = 2 * at + 1
      if (below >= size) break
      let child = items[below] as T
      const right = items[below + 1]
      if (right !== undefined && this.#before(right, child)) {
        child = right
        below += 1
      }
      if (!this.#before(child, item)) break
      child.heapIndex = at
      items[at] = child
      at = below
    }
    item.heapIndex = at
    items[at] = item
  }
}
