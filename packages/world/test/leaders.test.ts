import { expect, test } from 'vitest'
import { checkers } from '../src/checkers/index.ts'
import { type Observation, runWorld, type Scenario, type TimedFault } from '../src/index.ts'
import { calm } from '../src/phenomena/calm.ts'

const ITEMS = 150
const EVERY_MS = 15_000

/** One tab after the other is killed, freezes for a moment, hangs for so long that it is replaced, or is hidden. */
const script: TimedFault[] = Array.from({ length: 40 }, (_, at) => {
  const node = `tab-${1 + (at % 2)}`
  const faults: TimedFault['fault'][] = [
    { type: 'crash', node, restartAfterMs: 3000 },
    { type: 'pause', node, forMs: 4000 },
    { type: 'pause', node, forMs: 40_000 },
    { type: 'hide', node, forMs: 6000 },
    { type: 'deviceCrash', node: 'browser-1', forMs: 2000 },
  ]
  return { atMs: (at + 1) * EVERY_MS, fault: faults[at % faults.length]! }
})

const scenario: Scenario = {
  ...calm,
  name: 'two tabs, of which one after the other fails',
  durationMs: 42 * EVERY_MS,
  settleMs: 120_000,
  script,
  journal: { appendMs: { kind: 'constant', value: 2 }, readMs: { kind: 'constant', value: 0 } },
  network: { delayMs: { kind: 'constant', value: 5 } },
  producers: [],
  browsers: [
    {
      count: 1,
      tabs: 2,
      arrivals: { kind: 'steady', rate: (ITEMS * 1000) / (24 * EVERY_MS) },
      tasks: [{ queue: 'q', weight: 1, options: { resultTtlMs: 600_000 }, bodyBytes: { kind: 'constant', value: 40 } }],
      itemsMax: ITEMS,
      orderingKeys: 0.3,
      storeMs: { kind: 'exponential', mean: 4 },
    },
  ],
  workers: [{ count: 1, queues: ['q'], concurrency: 4, service: { q: { ms: { kind: 'exponential', mean: 200 } } } }],
}

test('[OUTBOX-2] [OUTBOX-3] the leader is killed, frozen or hung again and again, and nothing is lost or done twice', async () => {
  const seen: Observation[] = []
  const { violations, tasks } = await runWorld(scenario, 1, {
    checkers: checkers(scenario),
    onObservation: (one) => seen.push(one),
  })
  expect(violations).toEqual([])
  const of = <T extends Observation['type']>(type: T) =>
    seen.filter((one): one is Extract<Observation, { type: T }> => one.type === type)
  const saved = new Set(of('saved').map(({ id }) => id))
  expect(saved.size).toBe(2 * ITEMS)
  expect(tasks.succeeded).toBe(2 * ITEMS)
  const begun = of('handlerStarted').map(({ id }) => id)
  expect(new Set(begun)).toEqual(saved)
  expect(begun.length).toBe(saved.size)
  const leaders = of('leading').map(({ node }) => node)
  expect(leaders.filter((node, at) => at > 0 && node !== leaders[at - 1]).length).toBeGreaterThan(5)
})
