import type { Observation, StoredItem } from '../observation.ts'

/** An item of an outbox, as far as it was stored. */
export interface KeptItem extends StoredItem {
  readonly device: string
  /** It is stored no more. */
  readonly isRemoved: boolean
  /** It was parked before, or is so. */
  readonly wasParked: boolean
}

/** What the storages of devices hold, and what would be left of it without power. */
export class Stores {
  /** Everything that was ever stored, by id, as it is now. */
  readonly items = new Map<string, KeptItem>()
  /** The same, as a loss of power would leave it at worst. */
  readonly durable = new Map<string, KeptItem>()
  /** What was only in the memory of a tab at least for a while. */
  readonly unsaved = new Set<string>()
  /** What changed with the last observation. */
  changed: readonly { before: KeptItem | undefined; after: KeptItem }[] = []
  /** By device: changed since the last strict transaction. */
  readonly #relaxed = new Map<string, Set<string>>()
  #seen: Observation | undefined

  /** The same observation may be shown again. It counts once. */
  see(observation: Observation): void {
    if (this.#seen === observation) return
    this.#seen = observation
    this.changed = []
    if (observation.type === 'saved' && !observation.isSaved) this.unsaved.add(observation.id)
    if (observation.type !== 'stored' && observation.type !== 'storeReverted') return
    const { node: device, items, removed } = observation
    const relaxed = this.#relaxed.get(device) ?? new Set()
    this.#relaxed.set(device, relaxed)
    this.changed = [...items, ...removed.map((id) => this.items.get(id)).filter((item) => item !== undefined)].map(
      (item) => {
        const before = this.items.get(item.id)
        const after: KeptItem = {
          ...item,
          device,
          isRemoved: removed.includes(item.id),
          wasParked: before?.wasParked === true || item.state === 'parked',
        }
        this.items.set(item.id, after)
        relaxed.add(item.id)
        return { before, after }
      },
    )
    if (observation.type === 'stored' && observation.durability === 'relaxed') return
    for (const id of relaxed) this.durable.set(id, this.items.get(id) as KeptItem)
    relaxed.clear()
  }
}
