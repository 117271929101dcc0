import { describe, expect, test } from 'vitest'
import { HeldJournal, taskId, World } from './world.ts'

const LEASE_MS = 30_000

/** A broker with a producer and a worker of ten places, whose journal can be held up. */
async function started(engine = {}) {
  const journal = new HeldJournal()
  const world = await World.started({ journal, engine })
  const producer = await world.member({ roles: ['producer'] })
  const worker = await world.worker(10, ['photos'])
  return { journal, world, producer, worker }
}

describe('while an append is under way', () => {
  test('[HOST-22] signs of life, welcomes and deliveries of durable tasks leave; acknowledgements do not', async () => {
    const { journal, world, producer, worker } = await started()
    worker.say({ type: 'credit', credit: 1, queues: ['photos'] })
    producer.submit(1, [1])
    producer.submit(2, [2])
    await world.settle()
    const { lastLease } = worker
    journal.isHolding = true
    producer.submit(3, [3])
    await world.settle()
    expect([journal.held, producer.of('submitted').length]).toEqual([1, 2])
    producer.say({ type: 'ping', ref: 4 })
    worker.say({ type: 'heartbeat', ref: 5, leases: [lastLease, 999] })
    worker.say({ type: 'credit', credit: 2, queues: ['photos'] })
    const another = await world.member()
    expect(another.of('welcome')).toHaveLength(1)
    expect(producer.of('pong')).toEqual([{ type: 'pong', ref: 4 }])
    expect(worker.of('renewed')).toEqual([{ type: 'renewed', ref: 5, lost: [999] }])
    expect(worker.deliveries.map(({ id }) => id)).toEqual([1, 2].map(taskId))
    expect(producer.of('submitted')).toHaveLength(2)
    journal.release()
    await world.settle()
    expect(producer.of('submitted')).toHaveLength(3)
  })

  test('[HOST-22] a worker is told at once that a lease is cancelled, its canceller once that is durable', async () => {
    const { journal, world, producer, worker } = await started()
    producer.submit(1, [1])
    await world.settle()
    journal.isHolding = true
    producer.say({ type: 'cancel', ref: 2, ids: [taskId(1)] })
    await world.settle()
    expect(worker.of('revoke')).toEqual([{ type: 'revoke', leases: [worker.lastLease], reason: 'cancelled' }])
    expect([producer.of('cancelled'), producer.outcomes]).toEqual([[], []])
    journal.release()
    await world.settle()
    expect([producer.of('cancelled').length, producer.outcomes.length]).toEqual([1, 1])
  })

  test('[READY-6] a task is delivered once its acceptance is durable, and lower priorities do not wait for it', async () => {
    const { journal, world, producer, worker } = await started()
    worker.say({ type: 'credit', credit: 0, queues: ['photos'] })
    producer.submit(1, [1], 'null', { priority: 0 })
    await world.settle()
    journal.isHolding = true
    producer.submit(2, [2], 'null', { priority: 9 })
    worker.say({ type: 'credit', credit: 10, queues: ['photos'] })
    await world.settle()
    expect(worker.deliveries.map(({ id }) => id)).toEqual([taskId(1)])
    journal.release()
    await world.settle()
    expect(worker.deliveries.map(({ id }) => id)).toEqual([1, 2].map(taskId))
  })

  test('[LEASE-9] a task that may be tried once leaves when its grant is durable, and nothing overtakes it', async () => {
    const { journal, world, producer, worker } = await started()
    worker.say({ type: 'credit', credit: 0, queues: ['photos'] })
    producer.submit(1, [1], 'null', { retry: { kind: 'none' } })
    producer.submit(2, [2])
    await world.settle()
    journal.isHolding = true
    worker.say({ type: 'credit', credit: 10, queues: ['photos'] })
    await world.settle()
    expect([journal.held, worker.deliveries]).toEqual([1, []])
    producer.say({ type: 'cancel', ref: 3, ids: [taskId(2)] })
    await world.settle()
    expect(worker.of('revoke')).toEqual([])
    journal.isHolding = false
    journal.release()
    await world.settle()
    expect(worker.deliveries.map(({ id }) => id)).toEqual([1, 2].map(taskId))
    expect(worker.heard.map(({ type }) => type)).toEqual(['welcome', 'deliver', 'deliver', 'revoke'])
  })
})

describe('a lease counts from when its delivery leaves', () => {
  test('[HOST-3] however long the disk takes with its grant', async () => {
    const { journal, world, producer, worker } = await started()
    worker.say({ type: 'credit', credit: 0, queues: ['photos'] })
    producer.submit(1, [1], 'null', { retry: { kind: 'none' } })
    await world.settle()
    journal.isHolding = true
    worker.say({ type: 'credit', credit: 10, queues: ['photos'] })
    await world.advance(3 * LEASE_MS)
    expect(worker.deliveries).toEqual([])
    journal.isHolding = false
    journal.release()
    await world.advance(LEASE_MS - 1000)
    expect([worker.deliveries.length, worker.of('revoke')]).toEqual([1, []])
    await world.advance(2000)
    expect(worker.of('revoke')).toEqual([{ type: 'revoke', leases: [worker.lastLease], reason: 'expired' }])
    expect(producer.outcomes).toMatchObject([{ id: taskId(1), status: 'dead', reason: 'lease_expired' }])
  })

  test('[HOST-3] and what else is due does not wait for that', async () => {
    const { journal, world, producer, worker } = await started({ graceMs: 10_000 })
    worker.say({ type: 'credit', credit: 0, queues: ['photos'] })
    producer.submit(1, [1], 'null', { retry: { kind: 'none' } })
    const gone = await world.member()
    gone.vanish()
    await world.settle()
    journal.isHolding = true
    worker.say({ type: 'credit', credit: 10, queues: ['photos'] })
    await world.advance(11_000)
    expect([journal.held, worker.deliveries]).toEqual([1, []])
    const back = await world.member({ resume: { session: gone.session, leases: [] } })
    expect(back.of('welcome')).toMatchObject([{ resumed: false }])
  })

  test('[HOST-3] however long the disk takes to read its body', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal, config: { bodyCacheBytesMax: 1 } })
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1], '"body"')
    await world.settle()
    let read = (_bodies: Uint8Array): void => {}
    journal.read = (batch) =>
      new Promise((resolve) => {
        read = () => resolve(journal.inner.read(batch))
      })
    journal.durability = 'strict'
    const worker = await world.worker(10, ['photos'])
    await world.advance(3 * LEASE_MS)
    expect(worker.deliveries).toEqual([])
    worker.say({ type: 'ping', ref: 9 })
    await world.settle()
    expect(worker.of('pong')).toHaveLength(1)
    read(new Uint8Array())
    await world.advance(LEASE_MS - 1000)
    expect([worker.deliveries.length, worker.of('revoke')]).toEqual([1, []])
  })
})

describe('a stall of the broker', () => {
  test('[HOST-23] runs no lease out, and no grace window', async () => {
    const { world, producer, worker } = await started({ graceMs: 10_000 })
    producer.submit(1, [1])
    await world.settle()
    const gone = await world.member()
    gone.vanish()
    await world.settle()
    world.nowMs += 10 * LEASE_MS
    await world.advance(5000)
    expect(worker.of('revoke')).toEqual([])
    const back = await world.member({ resume: { session: gone.session, leases: [] } })
    expect(back.of('welcome')).toMatchObject([{ resumed: true }])
    await world.advance(LEASE_MS)
    expect(worker.of('revoke')).toHaveLength(1)
  })

  test('[HOST-23] runs no grace window out that has begun in the same turn', async () => {
    const world = await World.started({ engine: { graceMs: 10_000 } })
    const gone = await world.member()
    gone.vanish()
    world.nowMs += 60_000
    await world.advance(5000)
    const back = await world.member({ resume: { session: gone.session, leases: [] } })
    expect(back.of('welcome')).toMatchObject([{ resumed: true }])
  })

  test('[HOST-23] is no reason to miss a hello that has come meanwhile', async () => {
    const world = await World.started({ config: { helloTimeoutMs: 1000 } })
    const late = world.peer()
    const silent = world.peer()
    world.nowMs += 5000
    // Both timers are due; what waits in the sockets is read before the turn ends.
    const advanced = world.advance(0)
    late.hello()
    await advanced
    expect([late.of('welcome').length, late.closedWith]).toEqual([1, undefined])
    expect(silent.closedWith?.code).toBe(4003)
  })

  test('[HOST-23] input that waits for room holds nothing against its sender', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal, config: { stagedBytesMax: 1000 } })
    const both = await world.member()
    both.say({ type: 'credit', credit: 1, queues: ['photos'] })
    both.submit(1, [1])
    await world.settle()
    const { lastLease } = both
    journal.isHolding = true
    const body = `"${'x'.repeat(998)}"`
    both.submit(2, [2], body)
    both.submit(3, [3], body)
    both.submit(4, [4], body)
    for (let beat = 1; beat <= 30; beat += 1) {
      both.say({ type: 'heartbeat', ref: 10 + beat, leases: [lastLease] })
      await world.advance(LEASE_MS / 10)
    }
    expect(both.isPaused).toBe(true)
    expect(both.of('revoke')).toEqual([])
    journal.isHolding = false
    journal.release()
    await world.settle()
    expect(both.of('renewed').at(-1)).toMatchObject({ lost: [] })
    await world.advance(LEASE_MS - 1000)
    expect(both.of('revoke')).toEqual([])
  })
})
