import { describe, expect, test } from 'vitest'
import type { Journal } from '../../src/journal/journal.ts'
import { memoryJournal } from '../../src/journal/memory.ts'
import { bytesOf, HeldJournal, taskId, textOf, World } from './world.ts'

async function withDead(count: number): Promise<World> {
  const world = await World.started()
  const producer = await world.member({ roles: ['producer'] })
  const ids = Array.from({ length: count }, (_, n) => n)
  producer.submit(1, ids)
  const worker = await world.worker(count, ['photos'])
  worker.say({
    type: 'fail',
    ref: 1,
    failures: worker.deliveries.map(({ lease }) => ({ lease, error: { message: 'no' }, retryable: false })),
  })
  await world.settle()
  worker.say({ type: 'bye' })
  await world.settle()
  return world
}

describe('the host as the HTTP API sees it', () => {
  test('[HOST-12] a result that is being written is shown once it is stored, however small the cache', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal, config: { bodyCacheBytesMax: 1 } })
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1])
    const worker = await world.worker(1, ['photos'])
    journal.isHolding = true
    worker.complete(1, worker.lastLease, '"done"')
    await world.settle()
    expect(journal.held).toBe(1)
    const asked = world.api.task(taskId(1))
    await world.settle()
    journal.isHolding = false
    journal.release()
    const details = await world.during(asked)
    expect(textOf(details?.result?.bytes)).toBe('"done"')
  })

  test('submits, shows and tells the result of a task', async () => {
    const world = await World.started()
    const submitted = world.api.submit('photos', { priority: 9 }, [
      { id: taskId(1), bytes: bytesOf('1') },
      { id: taskId(2), bytes: bytesOf('2') },
    ])
    expect(await world.during(submitted)).toEqual([undefined, undefined])
    const worker = await world.worker(1, ['photos'])
    expect(await world.during(world.api.task(taskId(1)))).toMatchObject({ state: 'leased', attempts: 1, history: [] })
    expect(world.api.queues()).toMatchObject([{ name: 'photos', ready: 1, leased: 1, workers: 1, freeCredit: 0 }])
    worker.complete(1, worker.lastLease, '"done"')
    await world.settle()
    const task = await world.during(world.api.task(taskId(1)))
    expect([task?.state, textOf(task?.result?.bytes)]).toEqual(['succeeded', '"done"'])
    expect(await world.during(world.api.task(taskId(7)))).toBeUndefined()
  })

  test('[RESULT-3] a task that is forgotten while its result is read is not known', async () => {
    const journal = memoryJournal()
    let fail: ((error: Error) => void) | undefined
    let isSlow = false
    const slow: Journal = {
      ...journal,
      read: (batch) => (isSlow ? new Promise((_, reject) => (fail = reject)) : journal.read(batch)),
    }
    const world = await World.started({ journal: slow, config: { bodyCacheBytesMax: 1 } })
    const task = { id: taskId(1), bytes: bytesOf('1') }
    await world.during(world.api.submit('photos', { resultTtlMs: 1000 }, [task]))
    const worker = await world.worker(1, ['photos'])
    worker.complete(1, worker.lastLease, '"done"')
    await world.settle()
    isSlow = true
    const asked = world.api.task(taskId(1))
    await world.advance(1000)
    fail?.(new Error('batch 3 is not stored'))
    expect(await world.during(asked)).toBeUndefined()
  })

  test('[HOST-15] a result that is carried forward while it is read is read where it lies then', async () => {
    const journal = memoryJournal()
    let isSlow = false
    const reading = Promise.withResolvers<void>()
    const slow: Journal = {
      ...journal,
      // The journal looks when it comes to it: by then the batch may be discarded.
      read: (batch) => (isSlow ? reading.promise.then(() => journal.read(batch)) : journal.read(batch)),
      // Large enough to be worth carrying tasks forward.
      stats: () => ({ batches: 1000, bytes: 1e9 }),
    }
    const world = await World.started({ journal: slow, config: { bodyCacheBytesMax: 1 } })
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1], '"in"', { resultTtlMs: 86_400_000 })
    const worker = await world.worker(1, ['photos'])
    worker.complete(1, worker.lastLease, 'done', 'text/plain')
    for (let n = 2; n < 300; n += 1) {
      producer.submit(n, [n], 'null', { resultTtlMs: 0 }, 'brief')
      producer.say({ type: 'cancel', ref: n, ids: [taskId(n)] })
      await world.settle()
    }
    isSlow = true
    const asked = world.api.task(taskId(1))
    await world.settle()
    isSlow = false
    await world.during(world.compaction.run())
    expect(() => journal.read(3)).toThrow('batch 3 is not stored')
    reading.resolve()
    const details = await world.during(asked)
    expect([details?.state, textOf(details?.result?.bytes)]).toEqual(['succeeded', 'done'])
    expect(details?.result?.contentType).toBe('text/plain')
  })

  test('a result that cannot be read is an error, not another look', async () => {
    const journal = memoryJournal()
    const world = await World.started({ journal, config: { bodyCacheBytesMax: 1 } })
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1])
    const worker = await world.worker(1, ['photos'])
    worker.complete(1, worker.lastLease, '"done"')
    await world.settle()
    journal.read = () => {
      throw new Error('the disk is gone')
    }
    await expect(world.during(world.api.task(taskId(1)))).rejects.toThrow('the disk is gone')
  })

  test('answers each refused task at its own place', async () => {
    const world = await World.started({ engine: { queueTasksMax: 2 } })
    const tasks = [1, 2, 3].map((n) => ({ id: taskId(n), bytes: bytesOf('1') }))
    const errors = await world.during(world.api.submit('photos', undefined, tasks))
    expect(errors).toMatchObject([undefined, undefined, { code: 'busy', retryAfterMs: expect.any(Number) }])
  })

  test('a wait for an outcome ends with the outcome, with its time, or when it is given up', async () => {
    const world = await World.started()
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1])
    const worker = await world.worker(1, ['photos'])
    const ended: string[] = []
    const abort = new AbortController()
    void world.api.waitForOutcome(taskId(1), 1000).then(() => ended.push('time'))
    void world.api.waitForOutcome(taskId(1), 60_000, abort.signal).then(() => ended.push('given up'))
    void world.api.waitForOutcome(taskId(1), 60_000).then(() => ended.push('outcome'))
    await world.advance(999)
    expect(ended).toEqual([])
    await world.advance(1)
    expect(ended).toEqual(['time'])
    abort.abort()
    await world.settle()
    expect(ended).toEqual(['time', 'given up'])
    worker.complete(1, worker.lastLease)
    await world.settle()
    expect(ended).toEqual(['time', 'given up', 'outcome'])
    expect(world.host.listening).toBe(0)
    await world.during(world.api.waitForOutcome(taskId(1), 60_000))
    await world.during(world.api.waitForOutcome(taskId(2), 60_000))
  })

  test('[HOST-12] waits are bounded in number', async () => {
    const world = await World.started({ config: { waitersMax: 1 } })
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1, 2])
    await world.settle()
    void world.api.waitForOutcome(taskId(1), 60_000)
    await expect(world.api.waitForOutcome(taskId(2), 60_000)).rejects.toMatchObject({ code: 'busy' })
    await expect(world.api.waitForOutcome(taskId(1), 60_000)).rejects.toMatchObject({ code: 'busy' })
  })

  test('cancels, once, and tells why it cannot', async () => {
    const world = await World.started()
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1])
    await world.settle()
    expect(await world.during(world.api.cancel([taskId(1), taskId(2)]))).toMatchObject([
      undefined,
      { code: 'unknown_task' },
    ])
    expect(producer.outcomes).toMatchObject([{ id: taskId(1), status: 'cancelled' }])
  })

  test('pages through the dead letters, every one once', async () => {
    const world = await withDead(25)
    const seen: string[] = []
    let after: string | undefined
    do {
      const page = world.api.dead({ queue: 'photos', limit: 10, ...(after === undefined ? {} : { after }) })
      seen.push(...page.tasks.map(({ id }) => id))
      after = page.next
    } while (after !== undefined)
    expect(seen).toEqual(Array.from({ length: 25 }, (_, n) => taskId(n)))
    expect(world.api.dead({ queue: 'none', limit: 10 }).tasks).toEqual([])
  })

  test('redrives some or all of a queue', async () => {
    const world = await withDead(5)
    expect(await world.during(world.api.redrive({ ids: [taskId(1), taskId(1), taskId(77)] }))).toEqual({
      redriven: 1,
      refused: [{ id: taskId(77), error: expect.objectContaining({ code: 'unknown_task' }) }],
    })
    expect(world.api.queues()).toMatchObject([{ ready: 1, dead: 4 }])
    expect(await world.during(world.api.redrive({ queue: 'photos' }))).toEqual({ redriven: 4, refused: [] })
    const worker = await world.worker(10, ['photos'])
    expect(worker.deliveries.map(({ attempt }) => attempt)).toEqual([1, 1, 1, 1, 1])
  })

  test('[HOST-26] shows workers by a public handle, with name and labels, and never by their secret', async () => {
    const world = await World.started()
    const worker = await world.worker(3, ['photos'], { name: 'laptop', labels: { gpu: '' } })
    expect(world.api.workers({ limit: 100 }).workers).toEqual([
      {
        id: expect.any(String),
        name: 'laptop',
        labels: { gpu: '' },
        connected: true,
        credit: 3,
        leased: 0,
        queues: ['photos'],
      },
    ])
    expect(JSON.stringify(world.api.workers({ limit: 100 }).workers)).not.toContain(worker.session)
    const { session } = worker
    worker.vanish()
    await world.settle()
    expect(world.api.workers({ limit: 100 }).workers).toMatchObject([{ connected: false, name: '', labels: {} }])
    await world.member({ roles: ['worker'], labels: { cores: '4' }, resume: { session, leases: [] } })
    expect(world.api.workers({ limit: 100 }).workers).toMatchObject([{ connected: true, labels: { cores: '4' } }])
    expect(world.api.health()).toMatchObject({ status: 'ready', durability: 'memory', version: '1.2.3' })
  })
})
