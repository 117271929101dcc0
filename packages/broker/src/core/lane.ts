import { Outgoing } from './outgoing.ts'

interface Entry {
  /** The batch that must be durable before this is sent. */
  readonly gate: number
  readonly outgoing: Outgoing
}

/**
 * The messages for one connection, in the order in which they may be sent. Nothing overtakes an earlier entry, so an
 * entry waits for every batch that an earlier one waits for.
 */
export class Lane {
  #entries: Entry[] = []

  get isEmpty(): boolean {
    return this.#entries.length === 0
  }

  /** The approximate number of waiting bytes; see `Outgoing.bytes`. */
  get bytes(): number {
    let bytes = 0
    for (const { outgoing } of this.#entries) bytes += outgoing.bytes
    return bytes
  }

  /** The entry for what may be sent once the batch `gate` is durable. */
  behind(gate: number): Outgoing {
    const last = this.#entries.at(-1)
    if (last !== undefined && last.gate >= gate) return last.outgoing
    const outgoing = new Outgoing()
    this.#entries.push({ gate, outgoing })
    return outgoing
  }

  /** Removes and returns what may be sent now that the batch `durable` and all earlier ones are durable. */
  take(durable: number): Outgoing[] {
    const entries = this.#entries
    if (entries.length === 0) return NOTHING
    let end = 0
    while (end < entries.length && (entries[end] as Entry).gate <= durable) end += 1
    if (end === 0) return NOTHING
    this.#entries = end === entries.length ? [] : entries.slice(end)
    return entries.slice(0, end).map(({ outgoing }) => outgoing)
  }

  /** All waiting entries. */
  *[Symbol.iterator](): Generator<Outgoing, undefined> {
    for (const { outgoing } of this.#entries) yield outgoing
  }
}

const NOTHING: Outgoing[] = []
