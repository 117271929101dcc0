import { Outgoing } from './outgoing.ts'

interface Entry {
  /** The batch that has to be durable before this leaves. */
  readonly gate: number
  readonly outgoing: Outgoing
}

/**
 * What one connection is to be sent, in the order in which it may leave: nothing overtakes what was put in before it, so an
 * entry waits for every batch that an earlier one waits for.
 */
export class Lane {
  #entries: Entry[] = []

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** Bytes that wait, about: see `Outgoing.bytes`. */
  get bytes(): number {
    let bytes = 0
    for (const { outgoing } of this.#entries) bytes += outgoing.bytes
    return bytes
  }

  /** Where to put what may leave once the batch `gate` is durable. */
  behind(gate: number): Outgoing {
    const last = this.#entries.at(-1)
    if (last !== undefined && last.gate >= gate) return last.outgoing
    const outgoing = new Outgoing()
    this.#entries.push({ gate, outgoing })
    return outgoing
  }

  /** Takes out what may leave now that the batch `durable`, and every one before it, is durable. */
  take(durable: number): Outgoing[] {
    const entries = this.#entries
    if (entries.length === 0) return NOTHING
    let end = 0
    while (end < entries.length && (entries[end] as Entry).gate <= durable) end += 1
    if (end === 0) return NOTHING
    this.#entries = end === entries.length ? [] : entries.slice(end)
    return entries.slice(0, end).map(({ outgoing }) => outgoing)
  }

  /** Everything that waits. */
  *[Symbol.iterator](): Generator<Outgoing, undefined> {
    for (const { outgoing } of this.#entries) yield outgoing
  }
}

const NOTHING: Outgoing[] = []
