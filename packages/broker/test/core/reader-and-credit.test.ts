import { describe, expect, test } from 'vitest'
import { bodiesOf, HeldJournal, type Peer, taskId, World } from './world.ts'

const KIB = 1024

/** Reads all that it was sent, again and again, until nothing more comes. The most that it found at a time, in bytes. */
async function readAll(world: World, peer: Peer): Promise<number> {
  let most = 0
  for (let quiet = 0; quiet < 2; ) {
    await world.settle()
    most = Math.max(most, peer.bufferedBytes)
    quiet = peer.bufferedBytes === 0 ? quiet + 1 : 0
    peer.read()
  }
  return most
}

test('[HOST-9] what comes behind input that waits is not decided before it', async () => {
  const journal = new HeldJournal()
  const world = await World.started({ journal, config: { stagedBytesMax: 1000 } })
  const peer = await world.member({ roles: ['producer'] })
  const body = `"${'x'.repeat(998)}"`
  journal.isHolding = true
  peer.submit(1, [1], body)
  peer.submit(2, [2], body)
  await world.settle()
  // The first one is being written; the second one, which waited to be read, has filled the next batch.
  expect([journal.held, world.host.isSaturated]).toEqual([1, true])
  peer.say({ type: 'cancel', ref: 3, ids: [taskId(2)] })
  journal.isHolding = false
  journal.release()
  await world.settle()
  expect(peer.of('submitted').map(({ ref }) => ref)).toEqual([1, 2])
  expect(peer.of('cancelled')).toEqual([{ type: 'cancelled', ref: 3, refused: [] }])
})

test('[HOST-10] a worker that asked for more queues than there may be gets no deliveries either while it does not read', async () => {
  const world = await World.started({ config: { sendBufferBytesHigh: 1000 }, engine: { queuesMax: 1 } })
  const producer = await world.member({ roles: ['producer'] })
  const worker = await world.worker(100, ['photos'])
  worker.say({ type: 'credit', credit: 100, queues: ['photos', 'other'] })
  await world.settle()
  expect(worker.of('error')).toMatchObject([{ code: 'busy', field: 'queues' }])
  worker.isSlow = true
  for (let n = 0; n < 5; n += 1) {
    producer.submit(n, [n], `"${'x'.repeat(1200)}"`)
    await world.settle()
  }
  expect(worker.deliveries).toHaveLength(1)
  await readAll(world, worker)
  expect(worker.deliveries).toHaveLength(5)
  expect(worker.of('error')).toHaveLength(1)
})

describe('a slow reader of small things', () => {
  // What is withheld counts for 192 bytes each.
  const config = { sendBufferBytesHigh: 16 * KIB, sendBufferBytesMax: 1024 * KIB }
  const ids = Array.from({ length: 5000 }, (_, n) => n)

  /** A producer that waits for thousands of tasks and does not read. */
  async function waiting(hears: 'by ref' | 'by id') {
    const limits = { ...(await World.started()).host.config.limits, frameBytesMax: 32 * KIB, bodyBytesMax: KIB }
    const world = await World.started({ config: { ...config, limits } })
    const producer = await world.member({ roles: ['producer'] })
    for (let i = 0; i < ids.length; i += 500) {
      const some = ids.slice(i, i + 500)
      producer.submit(i, some, 'null', { retry: { kind: 'none' } }, 'photos', hears === 'by ref')
      await world.settle()
      if (hears === 'by id') producer.say({ type: 'watch', ref: i, ids: some.map(taskId) })
    }
    await world.settle()
    producer.isSlow = true
    return { world, producer }
  }

  test.each(['by ref', 'by id'] as const)('[HOST-10] gets many empty results little by little, %s', async (hears) => {
    const { world, producer } = await waiting(hears)
    const worker = await world.worker(10_000, ['photos'])
    for (let i = 0; i < ids.length; i += 500) {
      const leases = worker.deliveries.slice(i, i + 500).map(({ lease }) => lease)
      worker.say({ type: 'complete', ref: i, leases, bodies: bodiesOf(...leases.map(() => '')), contentType: 'text/x' })
      await world.settle()
    }
    expect(await readAll(world, producer)).toBeLessThan(4 * config.sendBufferBytesHigh)
    expect(producer.closedWith).toBeUndefined()
    expect(new Set(producer.outcomes.map(({ id }) => id)).size).toBe(ids.length)
  })

  test.each(['by ref', 'by id'] as const)('[HOST-10] gets many ends without a result likewise, %s', async (hears) => {
    const { world, producer } = await waiting(hears)
    const other = await world.member()
    for (let i = 0; i < ids.length; i += 500) {
      other.say({ type: 'cancel', ref: i, ids: ids.slice(i, i + 500).map(taskId) })
      await world.settle()
    }
    expect(await readAll(world, producer)).toBeLessThan(4 * config.sendBufferBytesHigh)
    expect(producer.closedWith).toBeUndefined()
    expect(new Set(producer.outcomes.map(({ id }) => id)).size).toBe(ids.length)
  })

  test('[RESULT-5] gets no progress of what has ended in the meantime, in its record or gone with it', async () => {
    const world = await World.started({ config: { sendBufferBytesHigh: 100 } })
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1], 'null', { resultTtlMs: 60_000 })
    producer.submit(2, [2], 'null', { resultTtlMs: 10 })
    const worker = await world.worker(2, ['photos'])
    producer.isSlow = true
    producer.say({ type: 'query', ref: 3, ids: [taskId(1), taskId(2)] })
    await world.settle()
    for (const { lease } of worker.deliveries) {
      worker.say({ type: 'reportProgress', updates: [{ lease, progress: 1 }] })
      worker.complete(lease, lease)
    }
    await world.advance(10)
    await readAll(world, producer)
    expect(producer.of('progress')).toEqual([])
    expect(producer.outcomes.map(({ status }) => status)).toEqual(['succeeded', 'forgotten'])
  })

  test('[HOST-10] [RESULT-5] gets no more progress than it reads, and the newest in the end', async () => {
    const { world, producer } = await waiting('by ref')
    const worker = await world.worker(100, ['photos'])
    const leases = worker.deliveries.map(({ lease }) => lease)
    for (let round = 1; round <= 100; round += 1) {
      const text = 'x'.repeat(200)
      worker.say({
        type: 'reportProgress',
        updates: leases.slice(0, 50).map((lease) => ({ lease, progress: { round, text } })),
      })
      await world.settle()
    }
    expect(await readAll(world, producer)).toBeLessThan(4 * config.sendBufferBytesHigh)
    expect(producer.closedWith).toBeUndefined()
    const newest = new Map(
      producer
        .of('progress')
        .flatMap(({ tasks }) =>
          tasks.map((task) => ['ref' in task && task.index, (task.progress as { round: number }).round]),
        ),
    )
    expect([...newest.values()]).toEqual(Array.from({ length: 50 }, () => 100))
  })
})

test('[HOST-10] a query for many dead letters with long stacks is answered without the stacks that are too much', async () => {
  const config = { sendBufferBytesHigh: 64 * KIB, sendBufferBytesMax: 2048 * KIB }
  const world = await World.started({ config })
  const worker = await world.worker(1000, ['photos'])
  const producer = await world.member({ roles: ['producer'] })
  const ids = Array.from({ length: 300 }, (_, n) => n)
  producer.submit(1, ids, 'null', undefined, 'photos', false)
  await world.settle()
  const error = { message: 'no', stack: 'ж'.repeat(8000) }
  for (const { lease } of worker.deliveries) {
    worker.say({ type: 'fail', ref: lease, failures: [{ lease, error, retryable: false }] })
    await world.settle()
  }
  producer.isSlow = true
  producer.say({ type: 'query', ref: 2, ids: ids.map(taskId) })
  await world.settle()
  expect(producer.closedWith).toBeUndefined()
  const told = producer.of('status').flatMap(({ tasks }) => tasks)
  expect(told.map(({ id }) => id)).toEqual(ids.map(taskId))
  expect(told.every((task) => task.state === 'dead' && task.error?.message === 'no')).toBe(true)
  const stacks = told.map((task) => task.error?.stack)
  expect(stacks[0]).toBe(error.stack)
  expect(stacks.at(-1)).toBeUndefined()
  expect(producer.bufferedBytes).toBeLessThan(256 * KIB)
})
