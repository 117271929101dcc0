import type { Change, TimedChange } from './change.ts'
import type { Context } from './context.ts'
import type { Faults } from './faults/faults.ts'
import type { Population } from './population.ts'
import type { ProducerGroup, WorkerGroup } from './scenario.ts'

/** More nodes or handlers than this are no scene any more. */
const COUNT_MAX = 1000

/** Makes changes in a world when their time has come. */
export class Changes {
  readonly #context: Context
  readonly #population: Population
  readonly #faults: Faults
  readonly #waiting: TimedChange[]

  /** @throws RangeError naming the planned change that cannot be made */
  constructor(context: Context, population: Population, faults: Faults, planned: readonly TimedChange[]) {
    this.#context = context
    this.#population = population
    this.#faults = faults
    const { durationMs } = context.scenario
    let lastMs = 0
    for (const [at, { atMs, change }] of planned.entries()) {
      if (!(atMs >= lastMs && atMs <= durationMs))
        throw new RangeError(`changes[${at}].atMs: ${atMs}, where ${lastMs} to ${durationMs} can be`)
      lastMs = atMs
      this.check(change)
    }
    this.#waiting = [...planned]
  }

  /** The time of the next planned change; Infinity if there is none. */
  get nextAtMs(): number {
    return this.#waiting[0]?.atMs ?? Number.POSITIVE_INFINITY
  }

  makeNext(): void {
    const next = this.#waiting.shift()
    if (next !== undefined) this.make(next.change)
  }

  /** @returns whether there was anything to change */
  make(change: Change): boolean {
    const { scenario, observe } = this.#context
    observe({ type: 'changed', change })
    switch (change.type) {
      case 'fault':
        return this.#faults.begin(change.fault)
      case 'endFaults':
        this.#faults.endAll()
        return true
      case 'arrivals':
        producerGroup(scenario.producers, change.group).arrivals = change.arrivals
        for (const node of this.#population.producersOf(change.group)) node.arriveAnew()
        return true
      case 'producers':
        this.#population.resizeProducers(change.group, change.count)
        return true
      case 'workers':
        this.#population.resizeWorkers(change.group, change.count)
        return true
      case 'concurrency':
        workerGroup(scenario.workers, change.group).concurrency = change.concurrency
        for (const node of this.#population.workersOf(change.group)) node.resize()
        return true
      case 'service': {
        const group = workerGroup(scenario.workers, change.group)
        const before = group.service[change.queue] ?? group.service['*']
        if (before === undefined) return false
        group.service = { ...group.service, [change.queue]: { ...before, ...change.service } }
        return true
      }
      case 'delay':
        scenario.network.delayMs = change.delayMs
        return true
      case 'append':
        scenario.journal.appendMs = change.appendMs
        return true
      case 'reseed':
        this.#context.random.reseed(change.seed)
        return true
    }
  }

  /** @throws RangeError naming the field that is out of bounds */
  check(change: Change): void {
    const { producers, workers } = this.#context.scenario
    switch (change.type) {
      case 'arrivals':
        inBounds('group', change.group, 0, producers.length - 1)
        break
      case 'producers':
        inBounds('group', change.group, 0, producers.length - 1)
        inBounds('count', change.count, 0, COUNT_MAX)
        break
      case 'workers':
        inBounds('group', change.group, 0, workers.length - 1)
        inBounds('count', change.count, 0, COUNT_MAX)
        break
      case 'concurrency':
        inBounds('group', change.group, 0, workers.length - 1)
        inBounds('concurrency', change.concurrency, 1, COUNT_MAX)
        break
      case 'service':
        inBounds('group', change.group, 0, workers.length - 1)
        break
      case 'reseed':
        inBounds('seed', change.seed, 0, Number.MAX_SAFE_INTEGER)
    }
  }
}

function inBounds(field: string, value: number, min: number, max: number): void {
  if (!Number.isInteger(value) || value < min || value > max)
    throw new RangeError(`${field}: ${value}, where an integer from ${min} to ${max} can be`)
}

function producerGroup(groups: readonly ProducerGroup[], at: number): ProducerGroup {
  return groups[at] as ProducerGroup
}

function workerGroup(groups: readonly WorkerGroup[], at: number): WorkerGroup {
  return groups[at] as WorkerGroup
}
