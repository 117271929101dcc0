import type { ObservationOf } from '@sluice/world'
import type { Seen } from './fold.ts'
import { Groups } from './groups.ts'
import type { FaultView, PartKind, PartView } from './stage-view.ts'

export interface Part extends PartView {
  troubles: string[]
}

const ORDER: Readonly<Record<string, number>> = { producer: 1, tab: 2, stranger: 3, broker: 4, worker: 5 }

/** The machines on the stage: producers, tabs, strangers, the broker, workers; each by number. */
export class StageParts {
  #parts = new Map<string, Part>()
  #groups = new Groups()
  /** Those that a hand has removed and that have not left yet. */
  #leaving = new Set<string>()

  copy(): StageParts {
    const copy = new StageParts()
    copy.#parts = new Map([...this.#parts].map(([name, part]) => [name, { ...part, troubles: [...part.troubles] }]))
    copy.#groups = this.#groups.copy()
    copy.#leaving = new Set(this.#leaving)
    return copy
  }

  /** Before anything else is told of it. */
  see(seen: Seen): void {
    this.#groups.see(seen)
    if (seen.type === 'changed') this.#changed(seen.change)
  }

  get all(): Iterable<Part> {
    return this.#parts.values()
  }

  get(name: string): Part {
    let part = this.#parts.get(name)
    if (part === undefined) {
      const kind = (name === 'broker' ? name : name.slice(0, name.lastIndexOf('-'))) as PartKind
      part = {
        name,
        kind,
        group: this.#groups.groupOf(name),
        isUp: false,
        link: 'none',
        troubles: [],
        slots: kind === 'worker' ? this.#groups.slotsOf(name) : 0,
        credit: 0,
        waiting: 0,
        busyAtMs: undefined,
        total: 0,
      }
      this.#parts.set(name, part)
      this.#parts = new Map([...this.#parts].sort(([a], [b]) => orderOf(a) - orderOf(b)))
    }
    return part
  }

  started(name: string): void {
    const part = this.get(name)
    part.isUp = true
    part.link = name === 'broker' ? 'open' : 'none'
  }

  stopped(name: string, how: ObservationOf<'nodeStopped'>['how']): void {
    const part = this.get(name)
    part.isUp = false
    part.link = 'none'
    part.credit = 0
    // Removed by hand: it does not come back, so it leaves the picture.
    if (how === 'left' && this.#leaving.delete(name)) this.#parts.delete(name)
  }

  /** What goes on at each part is what these faults do. */
  troubled(faults: Iterable<FaultView>): void {
    for (const part of this.#parts.values()) part.troubles = []
    for (const { fault } of faults) this.#parts.get('node' in fault ? fault.node : 'broker')?.troubles.push(fault.type)
  }

  #changed(change: ObservationOf<'changed'>['change']): void {
    if (change.type === 'concurrency') {
      for (const part of this.#parts.values())
        if (part.kind === 'worker' && part.group === change.group) part.slots = change.concurrency
      return
    }
    if (change.type !== 'producers' && change.type !== 'workers') return
    const kind: PartKind = change.type === 'producers' ? 'producer' : 'worker'
    const present = [...this.#parts.values()].filter(
      (part) => part.kind === kind && part.group === change.group && !this.#leaving.has(part.name),
    )
    for (const { name, isUp } of present.slice(change.count)) {
      if (isUp) this.#leaving.add(name)
      else this.#parts.delete(name)
    }
  }
}

function numberOf(name: string): number {
  return Number(name.slice(name.lastIndexOf('-') + 1))
}

function orderOf(name: string): number {
  const dash = name.lastIndexOf('-')
  const kind = dash === -1 ? name : name.slice(0, dash)
  return (ORDER[kind] ?? 9) * 1000 + (dash === -1 ? 0 : numberOf(name))
}
