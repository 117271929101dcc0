import type { Distribution } from '../distribution.ts'
import { BROWSER_FAULT_TYPES, type FaultRates, type FaultType } from '../fault.ts'
import { RandomSource, type RandomStream } from '../random.ts'
import type { BrowserGroup, ProducerGroup, Scenario } from '../scenario.ts'
import { maybe, present } from './draws.ts'

/** Of all worlds. */
const SHARE = 0.25
/** Of all tabs together. */
const ITEMS_MAX = 40
/** Of a tab that is hidden or ends, one may wait for its grace while there is another. */
const SESSIONS_OF_A_TAB = 2
/** A leader that does not answer is replaced after about 20 s. */
const LONG_MS = 60_000

/**
 * The scenario, in some worlds with browsers. They have their own stream and come last, so all other draws of a seed
 * stay the same.
 */
export function browsed(seed: number, scenario: Scenario): Scenario {
  const random = new RandomSource(seed).stream('swarm browsers')
  const [first] = scenario.producers
  if (!random.chance(SHARE) || first === undefined) return scenario
  const durationMs = random.chance(0.25) ? LONG_MS : scenario.durationMs
  const browsers = browsersOf(random, first.tasks, durationMs)
  const { engine } = scenario
  return {
    ...scenario,
    durationMs,
    browsers: [browsers],
    // What is scarce for the others is not taken from them.
    ...(engine?.sessionsMax === undefined
      ? {}
      : {
          engine: { ...engine, sessionsMax: engine.sessionsMax + SESSIONS_OF_A_TAB * browsers.count * browsers.tabs },
        }),
    ...(scenario.faultRates === undefined
      ? {}
      : { faultRates: { ...scenario.faultRates, ...faultRatesOf(random, durationMs) } }),
  }
}

function browsersOf(random: RandomStream, tasks: ProducerGroup['tasks'], durationMs: number): BrowserGroup {
  const count = random.integer(1, 2)
  const tabs = random.integer(1, 3)
  const itemsMax = Math.ceil(random.integer(5, ITEMS_MAX) / (count * tabs))
  const rate = (itemsMax * 1000) / (durationMs * random.pick([0.3, 0.8]))
  return {
    count,
    tabs,
    arrivals: random.pick<BrowserGroup['arrivals']>([
      { kind: 'poisson', rate },
      { kind: 'burst', size: Math.ceil(itemsMax / 3), everyMs: durationMs / 4 },
      { kind: 'closedLoop', inFlight: 3, thinkMs: { kind: 'exponential', mean: 100 } },
    ]),
    tasks,
    itemsMax,
    storeMs: storeMsOf(random),
    ...present<Partial<BrowserGroup>>({
      cancels: maybe(random, 0.4, () => random.pick([0.1, 0.4])),
      orderingKeys: maybe(random, 0.5, () => random.pick([0.2, 0.8])),
      intents: maybe(random, 0.4, () => random.pick([0.1, 0.5])),
      whenUnsaved: maybe(random, 0.4, () => 'memory' as const),
      keepEnded: maybe(random, 0.2, () => random.integer(0, 5)),
    }),
  }
}

function storeMsOf(random: RandomStream): Distribution {
  return random.pick<Distribution>([
    { kind: 'constant', value: 1 },
    { kind: 'exponential', mean: 5 },
    { kind: 'bimodal', fast: 2, slow: 200, share: 0.1 },
  ])
}

function faultRatesOf(random: RandomStream, durationMs: number): FaultRates {
  const rates: { -readonly [Type in FaultType]?: number } = {}
  for (const type of BROWSER_FAULT_TYPES) if (random.chance(0.6)) rates[type] = durationMs / random.pick([1, 2, 4])
  return rates
}
