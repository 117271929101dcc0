/** An item of a `LinkedList`. Only the list writes these fields. */
export interface ListItem<T> {
  next: T | null
  prev: T | null
}

/**
 * A doubly linked list through the items themselves. It is O(1) at both ends and in the middle and allocates nothing.
 * An item is in at most one list.
 */
export class LinkedList<T extends ListItem<T>> {
  head: T | null = null
  #tail: T | null = null
  size = 0

  push(item: T): void {
    item.prev = this.#tail
    item.next = null
    if (this.#tail) this.#tail.next = item
    else this.head = item
    this.#tail = item
    this.size += 1
  }

  remove(item: T): void {
    if (item.prev) item.prev.next = item.next
    else this.head = item.next
    if (item.next) item.next.prev = item.prev
    else this.#tail = item.prev
    item.next = null
    item.prev = null
    this.size -= 1
  }

  /** A stable sort. */
  sort(compare: (a: T, b: T) => number): void {
    const items: T[] = []
    for (let item = this.head; item; item = item.next) items.push(item)
    items.sort(compare)
    this.head = null
    this.#tail = null
    this.size = 0
    for (const item of items) this.push(item)
  }
}
