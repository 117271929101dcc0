import type { Body } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { createWorker, type Logger, silentLogger } from '../src/index.ts'
import { bodiesOf, FakeWorld } from './fake-world.ts'

const ID = '01900000-0000-7000-8000-00000000000'

test('a worker whose every handler ignores its signal hands back what waits, and takes no more until one returns', async () => {
  const world = new FakeWorld()
  const returns: (() => void)[] = []
  const warnings: string[] = []
  const logger: Logger = { ...silentLogger, warn: (_, message) => void warnings.push(message) }
  const worker = createWorker({
    url: 'ws://broker',
    platform: world.platform,
    handlers: { q: () => new Promise<void>((resolve) => void returns.push(resolve)) },
    concurrency: 2,
    prefetch: 2,
    logger,
  })
  void worker.start()
  const connection = await world.welcome()
  const deliver = async (leases: number[], timeLimitMs: number) => {
    const ids = leases.map((lease) => `${ID}${lease}`)
    connection.say({
      type: 'deliver',
      queue: 'q',
      leaseMs: 30_000,
      timeLimitMs,
      ids,
      leases,
      bodies: bodiesOf(...leases),
    })
    await world.settle()
  }
  await deliver([1], 1000)
  await deliver([2], 5000)
  await deliver([3, 4], 60_000)
  await world.pass(6000)
  expect(connection.of('fail').flatMap(({ failures }) => failures.map(({ lease }) => lease))).toEqual([1, 2])
  expect(connection.of('release')).toEqual([])
  await world.pass(1000)
  expect(connection.last('release').leases).toEqual([3, 4])
  expect(connection.last('credit').credit).toBe(0)
  expect(warnings.at(-1)).toContain('no handler heeds its signal')
  // Sent before the broker heard of it.
  await deliver([5], 60_000)
  expect(connection.last('release').leases).toEqual([5])
  returns[0]?.()
  await world.settle()
  expect(connection.last('credit').credit).toBe(4)
  await deliver([6], 60_000)
  expect(returns).toHaveLength(3)
  expect(worker.stats()).toMatchObject({ running: 2, queued: 0, failed: 2 })
})

test('handlers that heed their signals, all of them at once and a little late, cost no work', async () => {
  const world = new FakeWorld()
  const worker = createWorker({
    url: 'ws://broker',
    platform: world.platform,
    handlers: {
      q: (_, { signal }) =>
        new Promise((_, reject) => {
          signal.addEventListener('abort', () => world.clock.setTimer(() => reject(signal.reason), 1500))
        }),
    },
    concurrency: 1,
    prefetch: 1,
  })
  void worker.start()
  const connection = await world.welcome()
  const ids = [`${ID}1`, `${ID}2`]
  connection.say({
    type: 'deliver',
    queue: 'q',
    leaseMs: 30_000,
    timeLimitMs: 1000,
    ids,
    leases: [1, 2],
    bodies: bodiesOf(1, 2),
  })
  await world.pass(9000)
  expect(connection.of('fail').flatMap(({ failures }) => failures.map(({ lease }) => lease))).toEqual([1, 2])
  expect(connection.of('release')).toEqual([])
  expect(connection.of('credit')).toHaveLength(1)
  expect(worker.stats().running).toBe(0)
})

test('an onError that throws loses no answer, and the worker goes on', async () => {
  const world = new FakeWorld({ bodyBytesMax: 100 })
  const errors: string[] = []
  const worker = createWorker({
    url: 'ws://broker',
    platform: world.platform,
    handlers: {
      q: (input: number) => {
        if (input === 1) throw new Error('it broke')
        return input === 2 ? 'x'.repeat(200) : input
      },
    },
    concurrency: 1,
    logger: { ...silentLogger, error: (_, message) => void errors.push(message) },
    // One of them throws at once, the other one later.
    onError: (_, task) => {
      const error = new Error('so did its listener')
      if (task?.id.endsWith('1')) throw error
      return Promise.reject(error)
    },
  })
  void worker.start()
  const connection = await world.welcome()
  for (const lease of [1, 2, 3]) {
    const ids = [`${ID}${lease}`]
    connection.say({ type: 'deliver', queue: 'q', leaseMs: 30_000, ids, leases: [lease], bodies: bodiesOf(lease) })
    await world.settle()
  }
  expect(connection.of('fail').flatMap(({ failures }) => failures.map(({ lease }) => lease))).toEqual([1, 2])
  expect(connection.of('complete').flatMap(({ leases }) => leases)).toEqual([3])
  expect(worker.stats()).toMatchObject({ running: 0, queued: 0, succeeded: 1, failed: 2 })
  expect(errors).toEqual(['onError threw: so did its listener', 'onError threw: so did its listener'])
})

test('an executor that hands over what is no body fails that task, and no other', async () => {
  const world = new FakeWorld()
  const gone = new Uint8Array(8)
  structuredClone(gone.buffer, { transfer: [gone.buffer] })
  const outputs: Record<string, unknown> = {
    1: gone,
    2: { bytes: gone },
    3: { bytes: 'text' },
    4: { bytes: new Uint8Array(1), contentType: 'two\nlines' },
    5: undefined,
    6: { bytes: new Uint8Array([55]) },
  }
  const worker = createWorker({
    url: 'ws://broker',
    platform: world.platform,
    handlers: { q: () => 1 },
    executor: { run: async ({ id }) => outputs[id.at(-1)!] as Body, close: async () => {} },
  })
  void worker.start()
  const connection = await world.welcome()
  const leases = [1, 2, 3, 4, 5, 6]
  const ids = leases.map((lease) => `${ID}${lease}`)
  connection.say({ type: 'deliver', queue: 'q', leaseMs: 30_000, ids, leases, bodies: bodiesOf(...leases) })
  await world.settle()
  expect(connection.of('fail').flatMap(({ failures }) => failures.map(({ lease }) => lease))).toEqual([1, 2, 3, 4, 5])
  expect(connection.of('complete').flatMap((message) => message.leases)).toEqual([6])
})
