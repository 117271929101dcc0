import { expect, test } from 'vitest'
import { FAULT_TYPES } from '../src/fault.ts'
import { swarm } from '../src/fuzz/swarm.ts'

const scenarios = Array.from({ length: 400 }, (_, seed) => swarm(seed))

test('a seed gives the same scenario each time, as plain data', () => {
  expect(swarm(7)).toEqual(swarm(7))
  expect(swarm(7)).not.toEqual(swarm(8))
  for (const scenario of scenarios.slice(0, 50)) expect(JSON.parse(JSON.stringify(scenario))).toStrictEqual(scenario)
})

test('every fault, bound and habit is on for some seeds and off for others', () => {
  const shareOf = (isOn: (scenario: (typeof scenarios)[number]) => boolean) =>
    scenarios.filter(isOn).length / scenarios.length
  const features = {
    ...Object.fromEntries(
      FAULT_TYPES.map((type) => [type, shareOf(({ faultRates }) => faultRates?.[type] !== undefined)]),
    ),
    ...Object.fromEntries(
      (
        [
          'queueTasksMax',
          'queueBytesMax',
          'submitCredit',
          'graceMs',
          'deadTtlMs',
          'releasesMax',
          'watchersMax',
        ] as const
      ).map((name) => [name, shareOf(({ engine }) => engine?.[name] !== undefined)]),
    ),
    ...Object.fromEntries(
      (['limits', 'bodyCacheBytesMax', 'stagedBytesMax', 'compactBytesMin', 'lazyFlushMs'] as const).map((name) => [
        name,
        shareOf(({ hosting }) => hosting?.[name] !== undefined),
      ]),
    ),
    ...Object.fromEntries(
      (['resubmits', 'cancels', 'asksLater', 'patienceMs', 'vanishesAfterMs', 'onBusy'] as const).map((name) => [
        name,
        shareOf(({ producers }) => producers.some((group) => group[name] !== undefined)),
      ]),
    ),
    falsehoods: shareOf(({ workers }) => workers.some(({ falsehoods }) => falsehoods !== undefined)),
  }
  for (const [name, share] of Object.entries(features)) {
    expect(share, name).toBeGreaterThan(0.01)
    expect(share, name).toBeLessThan(0.9)
  }
})

test('every task has somebody honest to do it, and one that hangs has a time limit', () => {
  for (const { producers, workers } of scenarios) {
    const mixes = producers.flatMap(({ tasks }) => tasks)
    const [honest] = workers
    expect(honest?.falsehoods).toBeUndefined()
    for (const { queue, options } of mixes) {
      expect(honest?.queues).toContain(queue)
      const hangs = workers.some(({ service }) => service[queue]?.hangs !== undefined)
      if (hangs) expect(options?.timeLimitMs).toBeGreaterThan(0)
    }
  }
})
