import { grained } from '../context.ts'
import { BROWSER_FAULT_TYPES, type Fault, type FaultType, type TimedFault } from '../fault.ts'
import type { RandomSource, RandomStream } from '../random.ts'
import type { Scenario } from '../scenario.ts'

/** Names of the nodes by what runs on them. */
export interface NodeNames {
  producers: readonly string[]
  workers: readonly string[]
  tabs: readonly string[]
  devices: readonly string[]
}

/** The mean duration of faults, except for those that state another one. */
const MEAN_MS = 4000
/** The time between two pieces that a slow reader reads. */
const TRICKLE_MS = 200
/** How much slower a disk becomes on average, or by something between these two, like a disk that is about to fail. */
const SLOW_DISK_MS = 300
const SLOW_DISK_MS_MIN = 500
const SLOW_DISK_MS_MAX = 5000
/** Of the faults of one node, how many hit a tab where there is one. */
const TABS_SHARE = 0.5
/** One in this many lasts ten times as long. */
const LONG_ONE_IN = 10

/**
 * The faults that chance draws for a scenario. Each kind comes from its own stream, so adding or removing a kind
 * leaves the others unchanged.
 */
export function faultsByChance(scenario: Scenario, random: RandomSource, names: NodeNames): TimedFault[] {
  const faults: TimedFault[] = []
  for (const [type, everyMs] of Object.entries(scenario.faultRates ?? {}) as [FaultType, number | undefined][]) {
    if (everyMs === undefined || (isOfBrowsers(type) && names.devices.length === 0)) continue
    // So that what else is hit is the same with browsers and without.
    const aside = names.tabs.length === 0 ? undefined : random.stream(`fault ${type} of a tab`)
    const chance = random.stream(`fault ${type}`)
    for (let atMs = nextAfter(0); atMs < scenario.durationMs; atMs = nextAfter(atMs)) {
      const fault = drawFault(type, chance, names)
      const isOfTab = aside?.chance(TABS_SHARE) === true && 'node' in fault && !isOfBrowsers(type)
      faults.push({ atMs, fault: isOfTab ? { ...fault, node: aside.pick(names.tabs) } : fault })
    }
    function nextAfter(ms: number): number {
      return ms + Math.max(1, grained(chance.exponential(everyMs as number)))
    }
  }
  return inOrder(faults)
}

function isOfBrowsers(type: FaultType): boolean {
  return (BROWSER_FAULT_TYPES as readonly FaultType[]).includes(type)
}

/** Sorted by time. Faults of one time keep their order. */
export function inOrder(faults: readonly TimedFault[]): TimedFault[] {
  return faults.toSorted((a, b) => a.atMs - b.atMs)
}

function drawFault(type: FaultType, chance: RandomStream, { producers, workers, tabs, devices }: NodeNames): Fault {
  const clients = [...producers, ...workers]
  // The broker takes part in everything, so it is hit as often as all the others together.
  const node = chance.chance(0.5) || clients.length === 0 ? 'broker' : chance.pick(clients)
  const client = clients.length === 0 ? 'broker' : chance.pick(clients)
  const ms = lasting(chance)
  switch (type) {
    case 'crash':
    case 'restart':
      return { type, node, restartAfterMs: ms }
    case 'pause':
    case 'partition':
      return { type, node, forMs: ms }
    case 'slowReader':
      return chance.chance(0.5)
        ? { type, node: client, forMs: ms }
        : { type, node: client, forMs: ms, everyMs: grained(chance.exponential(TRICKLE_MS)) + 1 }
    case 'slow':
      return { type, node, byMs: grained(chance.exponential(200)), forMs: ms }
    case 'delay':
      return { type, node, byMs: grained(chance.exponential(500)), forMs: ms }
    case 'clockJump':
      return { type, node, byMs: grained((chance.next() - 0.5) * 10 ** chance.integer(3, 8)) }
    case 'reset':
    case 'halfOpen':
      return { type, node: chance.chance(0.2) ? node : client }
    case 'slowDisk': {
      const byMs = chance.chance(0.3)
        ? chance.integer(SLOW_DISK_MS_MIN, SLOW_DISK_MS_MAX)
        : grained(chance.exponential(SLOW_DISK_MS))
      return { type, byMs, forMs: ms }
    }
    case 'failingDisk':
      return { type }
    case 'fullDisk':
      return { type, forMs: ms }
    case 'powerLoss':
      return { type, restartAfterMs: ms }
    case 'hide':
      return { type, node: chance.pick(tabs), forMs: ms }
    case 'deviceCrash':
      return { type, node: chance.pick(devices), forMs: ms }
    case 'storeFailure':
      return { type, node: chance.pick(devices), how: chance.pick(['full', 'silent', 'unavailable']), forMs: ms }
  }
}

function lasting(chance: RandomStream): number {
  const isLong = chance.integer(1, LONG_ONE_IN) === 1
  return Math.max(1, grained(chance.exponential(isLong ? 10 * MEAN_MS : MEAN_MS)))
}
