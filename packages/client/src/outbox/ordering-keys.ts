import type { OutboxItem } from './item.ts'

interface Line {
  /** The id of the item that was sent and is not accepted. */
  busy: string | undefined
  /** The ids of parked items. They hold the key. */
  readonly held: Set<string>
  /** The items that wait, in the order of `seq`. */
  readonly waiting: OutboxItem[]
}

/** Lets the items of one ordering key leave one after the other. Items without a key never wait. */
export class OrderingKeys {
  readonly #lines = new Map<string, Line>()
  readonly #keyOfHeld = new Map<string, string>()

  /** Whether the item may leave now. If not, it waits here until `release` gives it back. */
  admit(item: OutboxItem): boolean {
    if (item.orderingKey === undefined) return true
    const line = this.#line(item.orderingKey)
    if (line.busy === item.id || line.waiting.some(({ id }) => id === item.id)) return false
    if (line.busy === undefined && line.held.size === 0) {
      line.busy = item.id
      return true
    }
    const place = line.waiting.findIndex(({ seq }) => seq > item.seq)
    line.waiting.splice(place === -1 ? line.waiting.length : place, 0, item)
    return false
  }

  /**
   * The item has left for good: it was accepted, cancelled or removed.
   * @returns the item that may leave now
   */
  release({ id, orderingKey }: { id: string; orderingKey?: string }): OutboxItem | undefined {
    if (orderingKey === undefined) return undefined
    const line = this.#lines.get(orderingKey)
    if (line === undefined) return undefined
    if (line.busy === id) line.busy = undefined
    else {
      const place = line.waiting.findIndex((item) => item.id === id)
      if (place !== -1) line.waiting.splice(place, 1)
    }
    return this.#next(orderingKey, line)
  }

  /** The item is parked: everything behind it waits. */
  hold({ id, orderingKey }: { id: string; orderingKey?: string }): void {
    if (orderingKey === undefined) return
    const line = this.#line(orderingKey)
    if (line.busy === id) line.busy = undefined
    line.held.add(id)
    this.#keyOfHeld.set(id, orderingKey)
  }

  /** The parked item is to be sent again. It comes to `admit` before anything behind it may leave. */
  readmit(id: string): void {
    const key = this.#keyOfHeld.get(id)
    if (key === undefined) return
    this.#keyOfHeld.delete(id)
    this.#lines.get(key)?.held.delete(id)
  }

  /**
   * The parked item was removed.
   * @returns the item that may leave now
   */
  discard(id: string): OutboxItem | undefined {
    const key = this.#keyOfHeld.get(id)
    if (key === undefined) return undefined
    this.readmit(id)
    const line = this.#lines.get(key)
    return line === undefined ? undefined : this.#next(key, line)
  }

  /** The ids of the items that hold their keys, or are thought to do so. */
  get held(): string[] {
    return [...this.#keyOfHeld.keys()]
  }

  clear(): void {
    this.#lines.clear()
    this.#keyOfHeld.clear()
  }

  #line(key: string): Line {
    let line = this.#lines.get(key)
    if (line === undefined) {
      line = { busy: undefined, held: new Set(), waiting: [] }
      this.#lines.set(key, line)
    }
    return line
  }

  #next(key: string, line: Line): OutboxItem | undefined {
    if (line.busy !== undefined || line.held.size > 0) return undefined
    const next = line.waiting.shift()
    if (next === undefined) this.#lines.delete(key)
    else line.busy = next.id
    return next
  }
}
