import { describe, expect, test } from 'vitest'
import { bytesOf, HeldJournal, taskId, textOf, World } from './world.ts'

describe('what is told and when', () => {
  test('[HOST-1] an acceptance leaves only once its batch is durable', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    const producer = await world.member()
    journal.isHolding = true
    producer.submit(1, [1, 2])
    await world.settle()
    expect(journal.held).toBe(1)
    expect(producer.of('submitted')).toEqual([])
    journal.release()
    await world.settle()
    expect(producer.of('submitted')).toEqual([{ type: 'submitted', ref: 1, refused: [] }])
  })

  test('[HOST-1] a settlement and its outcome leave only once their batch is durable', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    const producer = await world.member({ roles: ['producer'] })
    const worker = await world.worker(1, ['photos'])
    producer.submit(1, [1])
    await world.settle()
    journal.isHolding = true
    worker.complete(7, worker.lastLease, '{"w":640}')
    await world.settle()
    expect([...worker.of('settled'), ...producer.of('succeeded')]).toEqual([])
    journal.release()
    await world.settle()
    expect(worker.of('settled')).toEqual([{ type: 'settled', ref: 7, refused: [] }])
    expect(producer.outcomes.map(({ id, status, bytes }) => [id, status, textOf(bytes)])).toEqual([
      [taskId(1), 'succeeded', '{"w":640}'],
    ])
  })

  test('[HOST-1] a resubmission that meets a task whose batch is being written waits for that batch', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    const producer = await world.member()
    const other = await world.member()
    journal.isHolding = true
    producer.submit(1, [1])
    await world.settle()
    other.submit(9, [1])
    await world.settle()
    expect(other.of('submitted')).toEqual([])
    journal.release()
    await world.settle()
    expect(other.of('submitted')).toEqual([{ type: 'submitted', ref: 9, refused: [] }])
  })

  test('[HOST-1] the HTTP API answers a submission, a cancellation and a look at a task once they are durable', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    journal.isHolding = true
    const answers: string[] = []
    void world.api
      .submit('photos', undefined, [{ id: taskId(1), bytes: bytesOf('1') }])
      .then((errors) => answers.push(`submitted ${errors.length}`))
    await world.settle()
    void world.api.task(taskId(1)).then((task) => answers.push(`seen ${task?.state}`))
    void world.api.cancel([taskId(1)]).then(() => answers.push('cancelled'))
    await world.settle()
    expect(answers).toEqual([])
    journal.release()
    await world.settle()
    // What was looked at did not depend on the cancellation that came behind it.
    expect(answers.toSorted()).toEqual(['seen ready', 'submitted 1'])
    journal.release()
    await world.settle()
    expect(answers.toSorted()).toEqual(['cancelled', 'seen ready', 'submitted 1'])
  })

  test('[HOST-2] the frames of one turn go to the journal as one batch', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    const peers = [await world.member(), await world.member(), await world.member()]
    journal.batches.length = 0
    for (const [i, peer] of peers.entries()) peer.submit(i, [i * 10, i * 10 + 1])
    await world.settle()
    expect(journal.batches).toHaveLength(1)
    expect(
      journal.batches[0]?.events.flatMap((event) => (event.type === 'tasksAccepted' ? event.ids : [])),
    ).toHaveLength(6)
  })

  test('[HOST-2] while a batch is being written the next one fills, and is written whole after it', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    const producer = await world.member()
    journal.isHolding = true
    journal.batches.length = 0
    for (let i = 0; i < 5; i += 1) {
      producer.submit(i, [i])
      await world.settle()
    }
    expect(journal.batches).toHaveLength(1)
    journal.release()
    await world.settle()
    expect(journal.batches).toHaveLength(2)
    expect(
      journal.batches[1]?.events.flatMap((event) => (event.type === 'tasksAccepted' ? event.ids : [])),
    ).toHaveLength(4)
    expect(producer.of('submitted').map(({ ref }) => ref)).toEqual([0])
    journal.release()
    await world.settle()
    expect(producer.of('submitted').map(({ ref }) => ref)).toEqual([0, 1, 2, 3, 4])
  })

  test('[HOST-3] a delivery leaves only once its task is durable', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    const worker = await world.worker(10, ['photos'])
    const producer = await world.member()
    journal.isHolding = true
    producer.submit(1, [1])
    await world.settle()
    expect(worker.deliveries).toEqual([])
    journal.release()
    await world.settle()
    expect(worker.deliveries.map(({ id, attempt }) => [id, attempt])).toEqual([[taskId(1), 1]])
  })

  test('[HOST-4] a delivery, a renewal and progress wait for no append of their own', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    const producer = await world.member()
    producer.submit(1, [1])
    await world.settle()
    journal.batches.length = 0
    journal.isHolding = true
    const worker = await world.worker(1, ['photos'])
    worker.say({ type: 'heartbeat', ref: 4, leases: [worker.lastLease] })
    worker.say({ type: 'reportProgress', updates: [{ lease: worker.lastLease, progress: 0.5 }] })
    await world.settle()
    expect(journal.batches).toEqual([])
    expect(worker.of('renewed')).toEqual([{ type: 'renewed', ref: 4, lost: [] }])
    expect(producer.of('progress')).toEqual([{ type: 'progress', tasks: [{ ref: 1, index: 0, progress: 0.5 }] }])
  })

  test('[HOST-4] events that need not be durable are written lazyFlushMs later at most', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal, config: { lazyFlushMs: 100 } })
    await world.advance(100)
    journal.batches.length = 0
    await world.member()
    await world.advance(99)
    expect(journal.batches).toHaveLength(0)
    await world.advance(1)
    expect(journal.batches.map(({ events }) => events.map(({ type }) => type))).toEqual([['sessionOpened']])
  })

  test('[HOST-4] lazy events go along with the next durable batch, in the order in which they happened', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    journal.batches.length = 0
    const producer = await world.member()
    producer.submit(1, [1])
    await world.settle()
    expect(journal.batches.map(({ events }) => events.map(({ type }) => type))).toEqual([
      ['sessionOpened', 'tasksAccepted'],
    ])
    await world.advance(1000)
    expect(journal.batches).toHaveLength(1)
  })
})

describe('a journal that fails', () => {
  const full = new Error('disk full')

  test.each([
    ['at once', false],
    ['later', true],
  ])(
    '[HOST-5] acknowledges nothing of the failed batch, closes the connections and goes read-only: %s',
    async (_, later) => {
      const journal = new HeldJournal()
      const world = await World.started({ journal })
      const producer = await world.member()
      const idle = await world.member()
      journal.isHolding = later
      if (!later) journal.failWith = full
      producer.submit(1, [1])
      await world.settle()
      journal.fail(full)
      await world.settle()
      expect(producer.of('submitted')).toEqual([])
      expect([producer.closedWith?.code, idle.closedWith?.code]).toEqual([4009, 4009])
      expect(world.failures).toEqual([full])
      expect(world.api.health()).toMatchObject({ status: 'read_only', reason: 'disk full' })
    },
  )

  test('[HOST-5] refuses every request that would change something, or show what may not be stored, with read_only', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    journal.isHolding = true
    const first = world.api.submit('photos', undefined, [{ id: taskId(1), bytes: bytesOf('1') }])
    await world.settle()
    journal.fail(full)
    await expect(world.during(first)).rejects.toMatchObject({ code: 'read_only' })
    const [refused] = await world.api.submit('photos', undefined, [{ id: taskId(2), bytes: bytesOf('1') }])
    expect(refused).toMatchObject({ code: 'read_only', retryAfterMs: expect.any(Number) })
    expect((await world.api.cancel([taskId(1)]))[0]).toMatchObject({ code: 'read_only' })
    await expect(world.during(world.api.redrive({ queue: 'photos' }))).rejects.toMatchObject({ code: 'read_only' })
    await expect(world.during(world.api.task(taskId(1)))).rejects.toMatchObject({ code: 'read_only' })
  })

  test('[HOST-5] takes no connection afterwards, appends nothing more and stops in order', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    const producer = await world.member()
    journal.failWith = full
    producer.submit(1, [1])
    await world.settle()
    const appends = journal.batches.length
    const late = world.peer()
    expect(late.connection).toBeUndefined()
    expect(late.closedWith?.code).toBe(4009)
    await world.advance(60_000)
    expect(journal.batches).toHaveLength(appends)
    await world.during(world.host.flushed())
    await world.during(world.host.stop())
    expect(world.timers).toBe(0)
  })

  test('[HOST-5] releases those who wait for an outcome', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    const producer = await world.member()
    producer.submit(1, [1])
    await world.settle()
    const waited = world.api.waitForOutcome(taskId(1), 60_000)
    journal.failWith = full
    producer.submit(2, [2])
    const tell = await world.during(waited)
    await expect(world.during(tell())).rejects.toMatchObject({ code: 'read_only' })
    expect(world.host.status).toBe('read_only')
  })

  test('a start on a journal that cannot be written fails with its reason', async () => {
    const journal = new HeldJournal()
    journal.failWith = full
    const world = new World()
    await expect(world.start({ journal })).rejects.toThrow('disk full')
  })
})
