import { DEFAULT_LIMITS } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { checkers } from '../../src/checkers/index.ts'
import { Coverage } from '../../src/fuzz/coverage.ts'
import { runWorld, type Scenario } from '../../src/index.ts'
import { calm } from '../../src/phenomena/calm.ts'

/** Sixty tasks, whose producer asks for them all the time and reads little of the answers for a while. */
const scenario: Scenario = {
  ...calm,
  name: 'slow reader',
  durationMs: 15_000,
  hosting: {
    heartbeatMs: 3000,
    sendBufferBytesHigh: 1000,
    sendBufferBytesMax: 8192,
    limits: { ...DEFAULT_LIMITS, frameBytesMax: 4096, bodyBytesMax: 1024, batchItemsMax: 10 },
  },
  network: { delayMs: { kind: 'constant', value: 1 }, windowBytes: 1000 },
  producers: [
    {
      count: 1,
      arrivals: { kind: 'steady', rate: 4 },
      tasks: [{ queue: 'q', weight: 1, bodyBytes: { kind: 'constant', value: 20 } }],
      tasksMax: 60,
      nagsEveryMs: 100,
    },
  ],
  workers: [{ count: 1, queues: ['q'], concurrency: 4, service: { q: { ms: { kind: 'constant', value: 50 } } } }],
  script: [{ atMs: 5000, fault: { type: 'slowReader', node: 'producer-1', forMs: 5000, everyMs: 400 } }],
}

test('[HOST-10] [HOST-11] who asks without end and does not read is closed, comes back to its session and misses nothing', async () => {
  const coverage = new Coverage()
  const outcomes = new Set<string>()
  const { violations, tasks } = await runWorld(scenario, 1, {
    checkers: checkers(scenario),
    onObservation: (seen) => {
      coverage.see(seen)
      if (seen.type === 'outcome' && seen.node === 'producer-1') outcomes.add(seen.id)
    },
  })
  expect(violations).toEqual([])
  expect(coverage.situations['a reader fell behind']).toBeGreaterThan(0)
  expect(coverage.situations['a slow reader closed']).toBeGreaterThan(0)
  expect(coverage.situations['a slow reader came back']).toBeGreaterThan(0)
  expect(tasks.succeeded).toBe(60)
  expect(outcomes.size).toBe(60)
})

test('[HOST-10] who reads slowly catches up with what was withheld', async () => {
  const coverage = new Coverage()
  const bodyBytes = { kind: 'constant', value: 800 } as const
  const [producer] = scenario.producers
  const slow: Scenario = {
    ...scenario,
    producers: [{ ...producer!, tasks: [{ queue: 'q', weight: 1, bodyBytes }], nagsEveryMs: 60_000 }],
    workers: [{ ...scenario.workers[0]!, service: { q: { ms: bodyBytes, resultBytes: bodyBytes } } }],
  }
  const { violations, tasks } = await runWorld(slow, 1, {
    checkers: checkers(slow),
    onObservation: (seen) => coverage.see(seen),
  })
  expect(violations).toEqual([])
  expect(coverage.situations['a reader fell behind']).toBeGreaterThan(0)
  expect(coverage.situations['a reader caught up']).toBeGreaterThan(0)
  expect(coverage.situations['a slow reader closed']).toBeUndefined()
  expect(tasks.succeeded).toBe(60)
})
