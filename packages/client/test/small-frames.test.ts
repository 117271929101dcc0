import { expect, test } from 'vitest'
import { createWorker, type TaskContext } from '../src/index.ts'
import { bodiesOf, FakeWorld } from './fake-world.ts'

const ids = ['01900000-0000-7000-8000-000000000001']

test('where frames are small, failures are cut and progress is left out rather than fill more than one', async () => {
  const world = new FakeWorld({ frameBytesMax: 1024, bodyBytesMax: 512 })
  const handlers = {
    q: (_: unknown, ctx: TaskContext) => {
      ctx.progress('x'.repeat(1000))
      throw Object.assign(new Error('\u0001'.repeat(2000)), {
        name: '\u0001'.repeat(2000),
        stack: '\u0001'.repeat(9000),
      })
    },
  }
  void createWorker({ url: 'ws://broker', platform: world.platform, handlers }).start()
  const connection = await world.welcome()
  connection.say({ type: 'deliver', queue: 'q', leaseMs: 60_000, ids, leases: [7], bodies: bodiesOf(1) })
  await world.settle()
  expect(connection.last('fail').failures).toMatchObject([{ lease: 7 }])
  expect(connection.of('reportProgress')).toEqual([])
})

test('where frames are small, heartbeats name every lease in as many messages as that takes', async () => {
  const world = new FakeWorld({ frameBytesMax: 1024, bodyBytesMax: 512 })
  const handlers = { q: () => new Promise<void>(() => {}) }
  const worker = createWorker({ url: 'ws://broker', platform: world.platform, handlers, concurrency: 200 })
  void worker.start()
  const connection = await world.welcome({ heartbeatMs: 10_000 })
  const leases = Array.from({ length: 200 }, (_, index) => Number.MAX_SAFE_INTEGER - index)
  for (const lease of leases) {
    connection.say({ type: 'deliver', queue: 'q', leaseMs: 60_000, ids, leases: [lease], bodies: bodiesOf(1) })
  }
  await world.pass(10_000)
  expect(connection.of('heartbeat').flatMap((message) => message.leases)).toEqual(leases)
})
