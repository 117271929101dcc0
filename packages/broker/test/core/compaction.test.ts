import { expect, test } from 'vitest'
import { HeldJournal, taskId, World } from './world.ts'

/** Types of what compaction writes after one old task has waited through `batches` batches of `bytes` bytes. */
async function writtenAfter(batches: number, bytes: number): Promise<string[]> {
  const journal = new HeldJournal()
  const world = await World.started({ journal, config: { compactBytesMin: 200_000 } })
  const producer = await world.member({ roles: ['producer'] })
  producer.submit(0, [0], '"old"', { delayMs: 3_600_000 }, 'later')
  await world.settle()
  for (let n = 1; n <= batches; n += 1) {
    producer.submit(n, [n], `"${'x'.repeat(bytes)}"`, { resultTtlMs: 0, ttlMs: 1 })
    await world.advance(2)
  }
  await world.during(world.host.flushed())
  // Dead letters are kept, and would be needed.
  for (const task of [...world.host.state.tasks.values()])
    if (task.phase.state === 'dead') world.host.take({ type: 'taskForgotten', id: task.id, atMs: world.nowMs })
  await world.during(world.host.flushed())
  journal.batches.length = 0
  await world.during(world.compaction.run())
  return journal.batches.flatMap(({ events }) => events.map(({ type }) => type))
}

/** A worker with credit, whose one task and 300 cancelled tasks have filled old batches that nothing needs any more. */
async function withOldBatches(journal: HeldJournal) {
  const world = await World.started({ journal })
  const worker = await world.worker(2, ['photos'])
  const producer = await world.member({ roles: ['producer'] })
  producer.submit(0, [0], 'null', { resultTtlMs: 0 })
  await world.settle()
  worker.complete(1, worker.lastLease)
  for (let n = 1; n <= 300; n += 1) {
    producer.submit(n, [n], 'null', { resultTtlMs: 0, delayMs: 10_000 })
    producer.say({ type: 'cancel', ref: 1000 + n, ids: [taskId(n)] })
    await world.advance(1)
  }
  return { world, worker, producer }
}

test('[HOST-15] a discard leaves the sessions, their credit and the numbers, of which old batches alone spoke', async () => {
  const journal = new HeldJournal()
  const { world, worker } = await withOldBatches(journal)
  await world.during(world.compaction.run())
  expect(journal.inner.stats().batches).toBeLessThan(10)
  const { nextSeq, nextLease } = world.host.state
  await world.start({ journal })
  expect(world.host.state.nextSeq).toBe(nextSeq)
  expect(world.host.state.nextLease).toBeGreaterThan(nextLease)
  expect(world.api.workers({ limit: 100 }).workers).toMatchObject([{ credit: 2, queues: ['photos'] }])
  const again = await world.member({ roles: ['worker'], resume: { session: worker.session, leases: [] } })
  expect(again.of('welcome')).toMatchObject([{ resumed: true }])
})

test('[REPLAY-4] a discard leaves its checkpoint, although more was written while that waited for the disk', async () => {
  const journal = new HeldJournal()
  const { world, producer } = await withOldBatches(journal)
  const { epoch, nextLease, nextSeq } = world.host.state
  let before = 0
  journal.discardBefore = (batch) => {
    before = batch
  }
  journal.isHolding = true
  const running = world.compaction.run()
  await world.settle()
  producer.submit(301, [301], 'null', { resultTtlMs: 0, delayMs: 10_000 })
  producer.say({ type: 'cancel', ref: 1301, ids: [taskId(301)] })
  await world.settle()
  for (const _ of ['the checkpoint', 'the task that came after it']) {
    expect(journal.held).toBe(1)
    journal.release()
    await world.settle()
  }
  await running
  journal.isHolding = false
  journal.inner.discardBefore(before)
  expect(journal.inner.stats().batches).toBe(2)
  await world.start({ journal })
  expect(world.host.state).toMatchObject({ epoch: epoch + 1, nextSeq: nextSeq + 1 })
  expect(world.host.state.nextLease).toBeGreaterThan(nextLease)
})

test('[HOST-15] a journal that is large for what it has to hold is carried forward', async () => {
  expect(await writtenAfter(300, 1000)).toContain('taskRestated')
})

test.each([
  ['that is small', 300, 10],
  ['of few batches', 100, 2000],
])('[HOST-15] a journal %s is left as it is', async (_, batches, bytes) => {
  expect(await writtenAfter(batches, bytes)).toEqual([])
})
