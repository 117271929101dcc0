import { expect, test } from 'vitest'
import { FAULT_TYPES } from '../src/fault.ts'
import { patient } from '../src/fuzz/patience.ts'
import { swarm } from '../src/fuzz/swarm.ts'
import { defaultScenario, type ProducerGroup, runWorld } from '../src/index.ts'
import { brokerSettings } from '../src/nodes/broker-settings.ts'

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
      const hangs = workers.some(({ service }) => (service[queue]?.hangs ?? 0) > 0)
      if (hangs) expect(options?.timeLimitMs).toBeGreaterThan(0)
    }
  }
})

test('where little may be on the way at once, a client waits for a frame that says all it has to say', () => {
  const over = (windowBytes: number, delayMs: number, tasks: number) => {
    const [group] = defaultScenario.producers as [ProducerGroup]
    const task = { queue: 'mail', weight: 1, bodyBytes: { kind: 'constant' as const, value: 6000 } }
    const { hosting } = patient({
      ...defaultScenario,
      hosting: { heartbeatMs: 300 },
      network: { windowBytes, delayMs: { kind: 'constant', value: delayMs } },
      producers: [{ ...group, tasks: [task], tasksMax: tasks }],
      workers: defaultScenario.workers.map((workers) => ({ ...workers, concurrency: 1, prefetch: 0 })),
    })
    return hosting?.heartbeatMs ?? 0
  }
  // Some twenty tasks of 6 kB, submitted again in one frame, over 577 bytes in 40 ms.
  expect(over(577, 40, 20) * 2.5).toBeGreaterThan(3440)
  // One task of 6 kB over 970 bytes in 400 ms takes 2.8 s, and the ping before it left a heartbeat after the last word.
  expect(over(970, 400, 1) * 1.5).toBeGreaterThan(2800)
  const heartbeats = scenarios.filter((scenario) => scenario.network.windowBytes !== undefined)
  const short = heartbeats.filter((scenario) => (scenario.hosting?.heartbeatMs ?? 5000) <= 1000)
  expect(short.length / heartbeats.length).toBeGreaterThan(0.1)
})

test('the product would start with the settings of every world, and some of them have small frames', () => {
  const settings = Array.from({ length: 1000 }, (_, seed) => brokerSettings(swarm(seed)).hosting)
  const small = settings.filter(({ limits }) => limits.frameBytesMax <= 16_384)
  expect(small.length).toBeGreaterThan(200)
  expect(small.filter(({ limits }) => limits.frameBytesMax < 4096).length).toBeGreaterThan(30)
  expect(small.length).toBeLessThan(700)
})

test('a scenario with which the product would not start is refused by the names of its settings', async () => {
  const hosting = { sendBufferBytesMax: 1024 ** 2 }
  await expect(runWorld({ ...defaultScenario, hosting }, 1)).rejects.toThrow(/frameBytesMax .* sendBufferBytesMax/)
  const engine = { queueTasksMax: 0 }
  await expect(runWorld({ ...defaultScenario, engine }, 1)).rejects.toThrow(/queueTasksMax/)
})
