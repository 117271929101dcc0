import { expect, test } from 'vitest'
import { type Peer, taskId, World } from './world.ts'

const told = (peer: Peer) =>
  peer.of('deliver').map(({ queue, ids, leaseMs, timeLimitMs, attempts }) => ({
    queue,
    ids: ids.map((id) => Number.parseInt(id.slice(-4), 16)),
    leaseMs,
    timeLimitMs,
    attempts,
  }))

test('deliveries share a message where they are alike: of one queue, with the same options', async () => {
  const world = await World.started()
  const producer = await world.member({ roles: ['producer'] })
  producer.submit(1, [1, 2], 'null', undefined, 'a')
  producer.submit(2, [3], 'null', undefined, 'b')
  producer.submit(3, [4], 'null', { leaseMs: 1000, timeLimitMs: 500 }, 'b')
  const worker = await world.worker(10, ['a', 'b'])
  expect(told(worker)).toEqual([
    { queue: 'a', ids: [1, 2], leaseMs: 30_000, timeLimitMs: undefined, attempts: undefined },
    { queue: 'b', ids: [3], leaseMs: 30_000, timeLimitMs: undefined, attempts: undefined },
    { queue: 'b', ids: [4], leaseMs: 1000, timeLimitMs: 500, attempts: undefined },
  ])
})

test('a message states attempts where one of its deliveries is not the first', async () => {
  const world = await World.started()
  const producer = await world.member({ roles: ['producer'] })
  producer.submit(1, [1, 2], 'null', { retry: { kind: 'fixed', delayMs: 0 } })
  const first = await world.worker(1, ['photos'])
  first.say({ type: 'fail', ref: 1, failures: [{ lease: first.lastLease, error: { message: 'no' } }] })
  first.say({ type: 'credit', credit: 0, queues: [] })
  await world.settle()
  const worker = await world.worker(10, ['photos'])
  expect(told(worker).map(({ ids, attempts }) => [ids, attempts])).toEqual([
    [
      [1, 2],
      [2, 1],
    ],
  ])
  expect(worker.deliveries.map(({ id }) => id)).toEqual([taskId(1), taskId(2)])
})
