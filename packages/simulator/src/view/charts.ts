import type { ObservedMachine, Transition } from '@sluice/machines/states'
import type { ObservationOf } from '@sluice/world'
import type { Fold, Seen } from './fold.ts'

/** A transition that was taken, and when. */
export interface TakenView extends Pick<Transition, 'from' | 'to' | 'event' | 'guard'> {
  /** In world time. */
  atMs: number
  /** How many transitions its machine had taken by then. */
  number: number
}

/** One task, one connection and so on. */
export interface InstanceView {
  /** The program in which it runs. */
  node: string
  /** Empty where a program has only one. */
  id: string
  /** The active states, for `ChartView`. Regions of which nothing was told are where they begin. */
  active: readonly string[]
  last: TakenView
  /** How often it has taken each transition, by `transitionName`. */
  counts: Readonly<Record<string, number>>
}

export interface MachineView {
  /** Those that go on, the longest unchanged first, and then those that have ended lately. */
  instances: readonly InstanceView[]
  /** Of whichever instance. */
  last: (TakenView & { node: string; id: string }) | undefined
  /** Over all instances, by `transitionName`. */
  counts: Readonly<Record<string, number>>
}

export interface ChartsView {
  atMs: number
  machines: Readonly<Record<ObservedMachine, MachineView>>
}

/** For how long what has ended stays, in ms of world time. */
const ENDED_KEPT_MS = 10_000
/** The most instances of one machine that are kept: of those that go on, and of those that have ended. */
const LIVE_MAX = 2000
const ENDED_MAX = 200

/** The states in which nothing more is to come, for a while or for good. */
const ENDED: Readonly<Record<ObservedMachine, readonly string[]>> = {
  connection: ['failed', 'stopped'],
  producer: ['closed'],
  worker: ['stopped'],
  workerSlot: ['idle'],
  outboxItem: ['done', 'failed', 'cancelled', 'discarded'],
  session: ['closed'],
  broker: ['stopped'],
  task: ['succeeded', 'dead', 'cancelled', 'gone'],
}

const MACHINES = Object.keys(ENDED) as readonly ObservedMachine[]

interface Machine {
  /** By node and id, the longest unchanged first. What is in them is never changed, so that copies share it. */
  live: Map<string, InstanceView>
  ended: Map<string, InstanceView>
  last: MachineView['last']
  counts: Map<string, number>
  taken: number
}

/** The name of a transition in counts. */
export function transitionName({ from, event, to }: Pick<Transition, 'from' | 'event' | 'to'>): string {
  return `${from} ${event} ${to}`
}

/** Where every chart is, and what each has done last. */
export class ChartsFold implements Fold<ChartsView> {
  readonly #machines: Readonly<Record<ObservedMachine, Machine>>

  constructor(machines?: Readonly<Record<ObservedMachine, Machine>>) {
    this.#machines =
      machines ?? forEach(() => ({ live: new Map(), ended: new Map(), last: undefined, counts: new Map(), taken: 0 }))
  }

  /** How much there is to copy. */
  get size(): number {
    let size = 0
    for (const { live, ended, counts } of Object.values(this.#machines)) size += live.size + ended.size + counts.size
    return size
  }

  copy(): ChartsFold {
    return new ChartsFold(
      forEach((name) => {
        const { live, ended, counts, ...rest } = this.#machines[name]
        return { live: new Map(live), ended: new Map(ended), counts: new Map(counts), ...rest }
      }),
    )
  }

  see(seen: Seen): void {
    if (seen.type === 'transition') this.#take(seen)
    else if (seen.type === 'nodeStopped') this.#forget(seen.node)
  }

  view(atMs: number): ChartsView {
    return {
      atMs,
      machines: forEach((name) => {
        const { live, ended, last, counts } = this.#machines[name]
        const lately = [...ended.values()].filter((each) => atMs - each.last.atMs <= ENDED_KEPT_MS)
        return { instances: [...live.values(), ...lately], last, counts: Object.fromEntries(counts) }
      }),
    }
  }

  #take({ machine: name, node, id, from, to, event, guard, atMs }: ObservationOf<'transition'>): void {
    const machine = this.#machines[name]
    const { live, ended, counts } = machine
    const key = `${node} ${id}`
    const before = live.get(key) ?? ended.get(key)
    live.delete(key)
    ended.delete(key)
    machine.taken += 1
    const last: TakenView = { from, to, event, ...(guard === undefined ? {} : { guard }), atMs, number: machine.taken }
    machine.last = { ...last, node, id }
    const transition = transitionName(last)
    counts.set(transition, (counts.get(transition) ?? 0) + 1)
    const own = before?.counts ?? {}
    const place = ENDED[name].includes(to) ? ended : live
    place.set(key, {
      node,
      id,
      active: activeAfter(before?.active ?? [], to),
      last,
      counts: { ...own, [transition]: (own[transition] ?? 0) + 1 },
    })
    for (const [oldest, each] of ended) {
      if (ended.size <= ENDED_MAX && atMs - each.last.atMs <= ENDED_KEPT_MS) break
      ended.delete(oldest)
    }
    for (const oldest of live.keys()) {
      if (live.size <= LIVE_MAX) break
      live.delete(oldest)
    }
  }

  /** A program has ended, and what ran in it with it. */
  #forget(node: string): void {
    for (const { live, ended } of Object.values(this.#machines))
      for (const instances of [live, ended])
        for (const [key, each] of instances) if (each.node === node) instances.delete(key)
  }
}

/** A state `a.region.b` is beside those of other regions of `a`. Any other state is active alone. */
function activeAfter(before: readonly string[], to: string): readonly string[] {
  const [outer, region, state] = to.split('.')
  if (state === undefined) return [to]
  const others = before.filter((each) => each.startsWith(`${outer}.`) && !each.startsWith(`${outer}.${region}.`))
  return [...others, to]
}

function forEach<Value>(make: (machine: ObservedMachine) => Value): Record<ObservedMachine, Value> {
  return Object.fromEntries(MACHINES.map((machine) => [machine, make(machine)])) as Record<ObservedMachine, Value>
}
