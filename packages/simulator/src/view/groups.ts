import type { Scenario } from '@sluice/world'
import type { Seen } from './fold.ts'

type Kind = 'producers' | 'workers'

/** To which group of its scenario each producer and worker belongs, also those that a hand has added. */
export class Groups {
  #scenario: Scenario | undefined
  #added = new Map<string, number>()
  /** The group that a hand has just made larger. */
  #growing: Record<Kind, number> = { producers: 0, workers: 0 }
  /** Handlers at once, by group, where a hand has changed it. */
  #concurrency = new Map<number, number>()

  copy(): Groups {
    const copy = new Groups()
    copy.#scenario = this.#scenario
    copy.#added = new Map(this.#added)
    copy.#growing = { ...this.#growing }
    copy.#concurrency = new Map(this.#concurrency)
    return copy
  }

  see(seen: Seen): void {
    if (seen.type === 'worldStarted') this.#scenario = seen.scenario
    else if (seen.type === 'changed') {
      const { change } = seen
      if (change.type === 'producers' || change.type === 'workers') this.#growing[change.type] = change.group
      else if (change.type === 'concurrency') this.#concurrency.set(change.group, change.concurrency)
    } else if (seen.type === 'nodeStarted') {
      const kind = kindOf(seen.node)
      if (kind !== undefined && this.#planned(kind, seen.node) === undefined && !this.#added.has(seen.node))
        this.#added.set(seen.node, this.#growing[kind])
    }
  }

  /** How many handlers this worker runs at once. */
  slotsOf(worker: string): number {
    const group = this.#groupOf('workers', worker)
    return this.#concurrency.get(group) ?? this.#scenario?.workers[group]?.concurrency ?? 1
  }

  /** The place of its group in the scenario, from 0; undefined for what is neither a producer nor a worker. */
  groupOf(node: string): number | undefined {
    const kind = kindOf(node)
    return kind && this.#groupOf(kind, node)
  }

  /** How long an outcome is useful to this producer, in ms. */
  patienceMsOf(producer: string): number {
    const group = this.#scenario?.producers[this.#groupOf('producers', producer)]
    return kindOf(producer) === 'producers' ? (group?.patienceMs ?? Number.POSITIVE_INFINITY) : Number.POSITIVE_INFINITY
  }

  #groupOf(kind: Kind, node: string): number {
    return this.#planned(kind, node) ?? this.#added.get(node) ?? 0
  }

  /** Nodes are numbered from 1 through the groups of the scenario, in their order. */
  #planned(kind: Kind, node: string): number | undefined {
    let number = Number(node.slice(node.lastIndexOf('-') + 1))
    for (const [at, { count }] of (this.#scenario?.[kind] ?? []).entries()) {
      if (number <= count) return at
      number -= count
    }
    return undefined
  }
}

function kindOf(node: string): Kind | undefined {
  return node.startsWith('worker-') ? 'workers' : node.startsWith('producer-') ? 'producers' : undefined
}
