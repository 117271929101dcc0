import type { Delivery } from './delivery.ts'
import type { Slot } from './slot.ts'

/** All held leases, by delivery. Frequent operations never look up a lease by its number, and rare ones may search. */
export class HeldLeases implements Iterable<Slot> {
  readonly #deliveries = new Set<Delivery<Slot>>()

  get isEmpty(): boolean {
    return this.#deliveries.size === 0
  }

  add(slot: Slot): void {
    const { delivery } = slot
    if (delivery.held === 0) this.#deliveries.add(delivery)
    delivery.slots[slot.place] = slot
    delivery.held += 1
  }

  delete({ delivery, place }: Slot): void {
    if (delivery.slots[place] === undefined) return
    delivery.slots[place] = undefined
    delivery.held -= 1
    if (delivery.held === 0) this.#deliveries.delete(delivery)
  }

  *[Symbol.iterator](): Iterator<Slot> {
    for (const { slots } of this.#deliveries) for (const slot of slots) if (slot !== undefined) yield slot
  }

  /** The slots of the held leases among `leases`. */
  of(leases: readonly number[]): Slot[] {
    if (leases.length === 0) return []
    const named = new Set(leases)
    return [...this].filter((slot) => named.has(slot.lease))
  }

  /** The leases that expire in less than `leaseMs` without a heartbeat, and the shortest of these times in ms. */
  shorterThan(leaseMs: number): { slots: Slot[]; shortestMs: number } {
    const short: Slot[] = []
    let shortestMs = Number.POSITIVE_INFINITY
    for (const { message, slots } of this.#deliveries) {
      if (message.leaseMs >= leaseMs) continue
      shortestMs = Math.min(shortestMs, message.leaseMs)
      for (const slot of slots) if (slot !== undefined) short.push(slot)
    }
    return { slots: short, shortestMs }
  }
}
