import { describe, expect, test } from 'vitest'
import { DEFAULT_HOST_CONFIG, type Journal } from '../../src/core/index.ts'
import { memoryJournal } from '../../src/journal/memory.ts'
import { bodiesOf, bytesOf, HeldJournal, taskId, textOf, World } from './world.ts'

describe('a drain', () => {
  test('[HOST-13] is announced, refuses submissions and deliveries, and still settles what is in work', async () => {
    const world = await World.started({ config: { drainRetryAfterMs: 700 } })
    const producer = await world.member({ roles: ['producer'] })
    const worker = await world.worker(1, ['photos'])
    producer.submit(1, [1, 2])
    await world.settle()
    world.host.drain()
    await world.settle()
    expect(worker.of('drain')).toEqual([{ type: 'drain', retryAfterMs: 700 }])
    producer.submit(2, [3])
    worker.complete(5, worker.lastLease, '"ok"')
    await world.settle()
    expect(producer.of('error')).toMatchObject([{ code: 'draining', ref: 2, retryAfterMs: 700 }])
    expect(worker.of('settled')).toEqual([{ type: 'settled', ref: 5, refused: [] }])
    expect(producer.outcomes).toMatchObject([{ id: taskId(1), status: 'succeeded' }])
    expect(worker.deliveries).toHaveLength(1)
    const [refused] = await world.api.submit('photos', undefined, [{ id: taskId(4), bytes: bytesOf('1') }])
    expect(refused).toMatchObject({ code: 'draining', retryAfterMs: 700 })
    expect(world.peer().closedWith?.code).toBe(4006)
    expect(world.api.health().status).toBe('draining')
  })

  test('[HOST-13] [HOST-22] is announced however long the disk takes, also to those who connect meanwhile', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    const producer = await world.member()
    const [early, late] = [world.peer(), world.peer()]
    journal.isHolding = true
    producer.submit(1, [1])
    await world.settle()
    world.host.drain()
    await world.settle()
    expect(producer.of('drain')).toHaveLength(1)
    const stopped = world.host.stop()
    await world.settle()
    early.hello()
    // That session is written with the next batch, which nobody waits for.
    await world.advance(world.host.config.lazyFlushMs)
    late.hello()
    await world.settle()
    journal.release()
    await world.during(stopped)
    for (const peer of [early, late]) {
      expect(peer.heard.map(({ type }) => type)).toEqual(['welcome', 'drain'])
      expect(peer.closedWith?.code).toBe(4006)
    }
  })

  test('[HOST-13] is announced to those who say hello at the last moment', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal, config: { bodyCacheBytesMax: 1 } })
    const producer = await world.member()
    const waiting = world.peer()
    const worker = await world.worker(1, ['photos'])
    producer.submit(1, [1], 'null', {}, 'photos', false)
    await world.settle()
    worker.complete(1, worker.lastLease, '"result"')
    await world.settle()
    world.host.drain()
    await world.settle()
    const read = Promise.withResolvers<Uint8Array>()
    journal.read = async () => {
      const bodies = await read.promise
      waiting.hello()
      return bodies
    }
    producer.say({ type: 'watch', ref: 2, ids: [taskId(1)] })
    const stopped = world.host.stop()
    await world.settle()
    read.resolve(bytesOf('"result"'))
    await world.during(stopped)
    expect(producer.outcomes).toMatchObject([{ id: taskId(1), status: 'succeeded' }])
    expect(waiting.heard.map(({ type }) => type)).toEqual(['welcome', 'drain'])
  })

  test('[HOST-13] a delivery that still waits for its worker to read is handed back, not sent later', async () => {
    const world = await World.started()
    const producer = await world.member({ roles: ['producer'] })
    const worker = await world.worker(5, ['photos'])
    worker.bufferedBytes = world.host.config.sendBufferBytesHigh + 1
    producer.submit(1, [1, 2])
    await world.settle()
    const leases = () => world.host.state.sessions.get(worker.session)?.leases.size
    expect([worker.deliveries.length, leases()]).toEqual([0, 2])
    world.host.drain()
    await world.settle()
    worker.read()
    await world.settle()
    expect(worker.of('drain')).toHaveLength(1)
    expect([worker.deliveries.length, leases()]).toEqual([0, 0])
    expect(world.host.state.tasks.get(taskId(1))?.attempts).toBe(0)
  })

  test('[HOST-13] and so is one whose body is being read', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal, config: { bodyCacheBytesMax: 1 } })
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1], '"body"')
    await world.settle()
    const read = Promise.withResolvers<Uint8Array>()
    journal.read = () => read.promise
    const worker = await world.worker(1, ['photos'])
    expect(world.host.state.sessions.get(worker.session)?.leases.size).toBe(1)
    world.host.drain()
    await world.settle()
    read.resolve(bytesOf('"body"'))
    await world.settle()
    expect([worker.of('drain').length, worker.deliveries.length]).toEqual([1, 0])
    expect(world.host.state.sessions.get(worker.session)?.leases.size).toBe(0)
    expect(world.host.state.tasks.get(taskId(1))?.attempts).toBe(0)
  })

  test('[HOST-13] stopping writes what is pending, closes every connection and leaves no timer', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    const producer = await world.member()
    const pending = world.peer()
    producer.submit(1, [1], 'null', { delayMs: 1000 })
    await world.during(world.host.stop())
    expect(producer.of('submitted')).toHaveLength(1)
    expect([producer.closedWith?.code, pending.closedWith?.code]).toEqual([4006, 4006])
    expect(world.timers).toBe(0)
    expect(world.api.health().status).toBe('stopped')
  })
})

describe('a restart', () => {
  test('[HOST-14] keeps tasks, bodies, leases, watchers and ids', async () => {
    const journal = memoryJournal()
    const world = await World.started({ journal })
    const producer = await world.member({ roles: ['producer'] })
    const worker = await world.worker(1, ['photos'])
    producer.submit(1, [1, 2, 3], '"body"')
    await world.settle()
    worker.complete(1, worker.lastLease, '"result"')
    await world.settle()
    const lease = worker.lastLease
    const { session } = producer
    await world.during(world.host.stop())
    await world.start({ journal })

    const again = await world.member({ roles: ['producer'], resume: { session, leases: [] } })
    expect(again.of('welcome')).toMatchObject([{ resumed: true }])
    again.submit(1, [1, 2, 3], '"body"')
    again.submit(2, [2], '"other"')
    again.say({ type: 'watch', ref: 3, ids: [taskId(1)] })
    await world.settle()
    expect(again.of('submitted').map(({ refused }) => refused.map(({ error }) => error.code))).toEqual([
      [],
      ['id_conflict'],
    ])
    expect(textOf(again.outcomes[0]?.bytes)).toBe('"result"')

    const resumed = await world.member({ roles: ['worker'], resume: { session: worker.session, leases: [lease] } })
    expect(resumed.of('welcome')).toMatchObject([{ resumed: true, lostLeases: [] }])
    resumed.complete(2, lease, '"second"')
    resumed.say({ type: 'credit', credit: 1, queues: ['photos'] })
    await world.settle()
    expect(resumed.of('settled')).toMatchObject([{ refused: [] }])
    expect(again.outcomes.map(({ id }) => id)).toContain(taskId(2))
    expect(resumed.deliveries.map(({ id, bytes, attempt }) => [id, textOf(bytes), attempt])).toEqual([
      [taskId(3), '"body"', 1],
    ])
    expect(resumed.lastLease).toBeGreaterThan(lease)
  })

  test('[HOST-14] gives sessions that do not come back their grace window, then tries their tasks again', async () => {
    const journal = memoryJournal()
    const world = await World.started({ journal })
    const worker = await world.worker(1, ['photos'])
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1])
    await world.settle()
    await world.during(world.host.stop())
    world.nowMs += 3_600_000
    await world.start({ journal })
    const next = await world.worker(1, ['photos'])
    await world.advance(9000)
    expect(next.deliveries).toEqual([])
    await world.advance(2000)
    expect(next.deliveries.map(({ id, attempt }) => [id, attempt])).toEqual([[taskId(1), 2]])
    expect(next.lastLease).toBeGreaterThan(worker.lastLease)
  })

  test('[HOST-14] does what has fallen due meanwhile', async () => {
    const journal = memoryJournal()
    const world = await World.started({ journal })
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1], 'null', { delayMs: 60_000 })
    await world.settle()
    await world.during(world.host.stop())
    world.nowMs += 61_000
    await world.start({ journal })
    const worker = await world.worker(1, ['photos'])
    expect(worker.deliveries).toHaveLength(1)
  })

  test('[HOST-16] a clock that was set back makes nothing wait longer, and time goes on from what the journal speaks of', async () => {
    const journal = memoryJournal()
    const world = await World.started({ journal })
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1], 'null', { delayMs: 60_000 })
    await world.settle()
    await world.during(world.host.stop())
    world.nowMs -= 3_600_000
    await world.start({ journal })
    const worker = await world.worker(1, ['photos'])
    await world.advance(59_000)
    expect(worker.deliveries).toHaveLength(0)
    await world.advance(2000)
    expect(worker.deliveries).toHaveLength(1)
  })
})

describe('compaction', () => {
  const config = { compactBytesMin: 1, compactEveryMs: 1000 }

  /** One old task that waits, and many that come and go. */
  async function longRun(world: World, rounds: number): Promise<void> {
    const producer = await world.member({ roles: ['producer'] })
    const worker = await world.worker(10, ['photos'])
    producer.submit(0, [0], '"old"', { delayMs: 3_600_000 }, 'later')
    for (let n = 1; n <= rounds; n += 1) {
      producer.submit(n, [n], `"${'x'.repeat(100)}"`, { resultTtlMs: 1000 })
      await world.settle()
      worker.complete(n, worker.lastLease)
      await world.advance(100)
      if (n % 100 === 0) await world.during(world.compaction.run())
    }
  }

  test('[HOST-15] one old task does not keep the journal growing, and is not lost', async () => {
    const journal = memoryJournal()
    const world = await World.started({ journal, config })
    await longRun(world, 1000)
    expect(journal.stats().batches).toBeLessThan(800)
    await world.during(world.host.stop())
    await world.start({ journal, config })
    const details = await world.during(world.api.task(taskId(0)))
    expect(details).toMatchObject({ state: 'delayed', queue: 'later', attempts: 0 })
    const worker = await world.worker(1, ['later'])
    await world.advance(3_600_000)
    expect(textOf(worker.deliveries[0]?.bytes)).toBe('"old"')
    // Its record still recognises its id.
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [0], '"old"', { delayMs: 3_600_000 }, 'later')
    producer.submit(2, [0], '"new"', { delayMs: 3_600_000 }, 'later')
    await world.settle()
    expect(producer.of('submitted').map(({ refused }) => refused.map(({ error }) => error.code))).toEqual([
      [],
      ['id_conflict'],
    ])
  })

  test('[HOST-15] after discards a restart finds every held task as it was', async () => {
    const journal = memoryJournal()
    const world = await World.started({ journal, config })
    const producer = await world.member({ roles: ['producer'] })
    const worker = await world.worker(1, ['photos'])
    producer.submit(1, [100_001], '"dies"')
    await world.settle()
    worker.say({
      type: 'fail',
      ref: 1,
      failures: [{ lease: worker.lastLease, error: { message: 'no' }, retryable: false }],
    })
    producer.submit(2, [100_002], '"held"')
    await world.settle()
    const leased = worker.lastLease
    const other = await world.member({ roles: ['producer'] })
    other.submit(3, [100_003], '"watched"', { delayMs: 3_600_000 })
    await longRun(world, 600)
    worker.say({ type: 'heartbeat', ref: 9, leases: [leased] })
    await world.advance(1000)
    await world.during(world.compaction.run())
    expect(journal.stats().batches).toBeLessThan(900)
    const ids = [0, 100_001, 100_002, 100_003]
    const before = await world.during(Promise.all(ids.map((n) => world.api.task(taskId(n)))))
    await world.during(world.host.stop())
    await world.start({ journal, config })
    const after = await world.during(Promise.all(ids.map((n) => world.api.task(taskId(n)))))
    expect(after).toEqual(before)
    expect(after[1]).toMatchObject({ state: 'dead', history: [{ attempt: 1, how: 'failed' }] })
    expect(world.api.dead({ limit: 10 }).tasks.map(({ id }) => id)).toEqual([taskId(100_001)])
    const again = await world.member({ roles: ['producer'], resume: { session: other.session, leases: [] } })
    expect(again.of('welcome')).toMatchObject([{ resumed: true }])
    await world.advance(3_600_000)
    const next = await world.worker(5, ['photos'])
    await world.settle()
    expect(next.deliveries.map(({ id }) => id)).toContain(taskId(100_003))
    next.complete(1, next.lastLease)
    await world.settle()
  })

  test('[HOST-15] a kept result is carried along', async () => {
    const journal = memoryJournal()
    const world = await World.started({ journal, config })
    const producer = await world.member({ roles: ['producer'] })
    const first = await world.worker(1, ['kept'])
    producer.submit(1, [100_001], '"in"', { resultTtlMs: 86_400_000 }, 'kept')
    await world.settle()
    first.complete(1, first.lastLease, '"the result"')
    await longRun(world, 600)
    await world.during(world.host.stop())
    await world.start({ journal, config })
    const details = await world.during(world.api.task(taskId(100_001)))
    expect(textOf(details?.result?.bytes)).toBe('"the result"')
  })

  test('[HOST-15] large tasks are carried forward in batches that the journal takes', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal, config: { ...config, bodyCacheBytesMax: 1024 } })
    const producer = await world.member({ roles: ['producer'] })
    for (let n = 0; n < 100; n += 1) {
      producer.submit(n, [n], `"${'x'.repeat(250_000)}"`, { delayMs: 3_600_000 }, 'later')
      await world.settle()
    }
    journal.batches.length = 0
    journal.inner.stats = () => ({ batches: 1000, bytes: journal.batches.length < 20 ? 1e9 : 0 })
    for (let n = 0; n < 300; n += 1) {
      producer.submit(1000 + n, [1000 + n], 'null', { resultTtlMs: 1 }, 'other')
      await world.settle()
    }
    journal.batches.length = 0
    await world.during(world.compaction.run())
    const sizes = journal.batches.map(({ bodies }) => bodies.length)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThan(20_000_000)
    expect(Math.max(...sizes)).toBeLessThanOrEqual(9_000_000)
  })
})

describe('a restart with smaller frames', () => {
  /** A broker under the limits of this frame, on a journal that was written under the default ones. */
  function startUnder(journal: Journal, frameBytesMax: number) {
    const { limits } = DEFAULT_HOST_CONFIG
    const small = { ...limits, frameBytesMax, bodyBytesMax: 512, progressBytesMax: 512 }
    return World.started({ journal, config: { limits: small } })
  }

  const body = JSON.stringify('x'.repeat(30_000))
  const result = JSON.stringify('y'.repeat(60_000))
  const progress = 'z'.repeat(900)

  test('[HOST-17] is refused where a body, result or progress that is held would fit none, and names the largest', async () => {
    const journal = memoryJournal()
    const world = await World.started({ journal })
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1, 2, 3], body)
    await world.settle()
    const worker = await world.worker(2, ['photos'])
    await world.settle()
    const [first, second] = worker.deliveries
    worker.say({ type: 'reportProgress', updates: [{ lease: second?.lease as number, progress }] })
    await world.settle()
    await world.during(world.host.stop())

    const bodyFrame = 256 + 'photos'.length + 4 * Math.ceil(body.length / 3)
    await expect(startUnder(journal, bodyFrame - 1)).rejects.toThrow(
      `frameBytesMax (${bodyFrame - 1}) is too small for what is stored: task ${taskId(1)} of queue photos has a body of ` +
        `${body.length} bytes, which takes a frame of ${bodyFrame}, and 2 more are too large. ` +
        `Set frameBytesMax to ${bodyFrame} at least, until no such task is held any more`,
    )
    const again = await startUnder(journal, bodyFrame)
    const holder = await again.member({
      roles: ['worker'],
      resume: { session: worker.session, leases: worker.deliveries.map(({ lease }) => lease) },
    })
    await again.settle()
    holder.complete(1, first?.lease as number, '1')
    holder.say({ type: 'credit', credit: 8, queues: ['photos'] })
    await again.settle()
    expect(textOf(holder.deliveries.at(-1)?.bytes)).toBe(body)
    await again.during(again.host.stop())

    // Now two bodies that are not delivered to anybody any more, and a result: what matters is what may still be asked for.
    const third = await World.started({ journal })
    const last = await third.member({
      roles: ['worker'],
      resume: { session: worker.session, leases: holder.deliveries.map(({ lease }) => lease) },
    })
    await third.settle()
    last.complete(1, holder.lastLease, result)
    await third.settle()
    await third.during(third.api.cancel([taskId(2)]))
    await third.during(third.host.stop())
    const resultFrame = 256 + 'photos'.length + 4 * Math.ceil(result.length / 3)
    await expect(startUnder(journal, resultFrame - 1)).rejects.toThrow(
      `task ${taskId(3)} of queue photos has a result of ${result.length} bytes, which takes a frame of ${resultFrame}. Set`,
    )
    await startUnder(journal, resultFrame)
  })

  test('[HOST-17] a progress value counts as well', async () => {
    const journal = memoryJournal()
    const world = await World.started({ journal })
    const producer = await world.member({ roles: ['producer'] })
    const worker = await world.worker(1, ['photos'])
    producer.submit(1, [1], '1')
    await world.settle()
    worker.say({ type: 'reportProgress', updates: [{ lease: worker.lastLease, progress }] })
    await world.settle()
    await world.during(world.host.stop())
    await expect(startUnder(journal, 1024)).rejects.toThrow(/has progress of 902 bytes, which takes a frame of 1804\. /)
    await startUnder(journal, 1804)
  })

  test('[HOST-17] other bounds that are lower than what is held refuse what is new and let the rest go on', async () => {
    const journal = memoryJournal()
    const world = await World.started({ journal })
    const producer = await world.member({ roles: ['producer'] })
    const worker = await world.worker(3, ['photos'])
    producer.submit(1, [1, 2, 3, 4, 5, 6], '"12345678"')
    producer.submit(2, [7], '1', {}, 'other')
    await world.settle()
    const leases = worker.deliveries.map(({ lease }) => lease)
    expect(leases).toHaveLength(3)
    await world.during(world.host.stop())
    const { limits } = DEFAULT_HOST_CONFIG
    await world.start({
      journal,
      engine: { queueTasksMax: 1, queueBytesMax: 10, queuesMax: 1, sessionsMax: 1, queueResultsMax: 1, watchersMax: 1 },
      config: { limits: { ...limits, creditMax: 1, batchItemsMax: 2, bodyBytesMax: 1 } },
    })
    const holder = await world.member({ roles: ['worker'], resume: { session: worker.session, leases } })
    expect(holder.of('welcome')).toMatchObject([{ resumed: true, lostLeases: [] }])
    expect(world.peer().closedWith).toBeUndefined()
    const waiting = await world.member({ roles: ['producer'], resume: { session: producer.session, leases: [] } })
    waiting.submit(3, [8], '1')
    holder.say({ type: 'complete', ref: 1, leases: leases.slice(0, 2), bodies: bodiesOf('1', '2') })
    holder.complete(2, leases[2] as number, '3')
    holder.say({ type: 'credit', credit: 1, queues: ['photos'] })
    await world.settle()
    expect(waiting.of('submitted')).toMatchObject([{ refused: [{ error: { code: 'busy', limit: 1 } }] }])
    expect(holder.of('settled').flatMap(({ refused }) => refused)).toEqual([])
    expect(holder.deliveries.map(({ id }) => id)).toContain(taskId(4))
    expect(world.host.state.queues.get('photos')?.done.size).toBe(1)
    await world.during(world.host.stop())
  })
})
