import { describe, expect, test } from 'vitest'
import { bodiesOf, type Peer, taskId, textOf, World } from './world.ts'

describe('the opening of a connection', () => {
  test('[HOST-6] a connection that says no hello in time is told so and closed', async () => {
    const world = await World.started({ config: { helloTimeoutMs: 10_000 } })
    const peer = world.peer('text')
    await world.advance(9999)
    expect(peer.closedWith).toBeUndefined()
    await world.advance(1)
    expect(peer.of('error')).toMatchObject([{ code: 'hello_timeout' }])
    expect(peer.closedWith?.code).toBe(4003)
    expect(world.host.connections.size).toBe(0)
  })

  test('[HOST-6] hello ends the deadline', async () => {
    const world = await World.started()
    const peer = await world.member()
    await world.advance(60_000)
    expect(peer.closedWith).toBeUndefined()
  })

  test('[HOST-6] connections that have not said hello are bounded by themselves', async () => {
    const world = await World.started({ config: { pendingConnectionsMax: 2 } })
    const first = await world.member()
    const [oldest, other] = [world.peer(), world.peer()]
    const newcomer = world.peer()
    expect(oldest.of('error')).toMatchObject([{ code: 'busy', retryAfterMs: expect.any(Number) }])
    expect([oldest.closedWith, oldest.isTerminated]).toEqual([{ code: 4008, reason: 'busy' }, true])
    newcomer.hello()
    await world.settle()
    expect(newcomer.of('welcome')).toHaveLength(1)
    expect(world.host.connections.size).toBe(3)
    expect([first.closedWith, other.closedWith]).toEqual([undefined, undefined])
  })

  test('[HOST-6] strangers that say nothing keep nobody out, however many come', async () => {
    const world = await World.started({ config: { pendingConnectionsMax: 3 } })
    for (let n = 0; n < 20; n += 1) {
      for (let silent = 0; silent < 5; silent += 1) world.peer()
      const honest = world.peer()
      honest.hello()
      await world.settle()
      expect(honest.of('welcome')).toHaveLength(1)
    }
    expect(world.host.connections.size - world.host.connections.sessions).toBeLessThanOrEqual(3)
  })

  test('[HOST-6] the frame of hello is small, and those behind it have their own limit', async () => {
    const world = await World.started()
    const peer = world.peer('text')
    peer.connection?.receive(`[${' '.repeat(128 * 1024)}]`)
    expect(peer.of('error')).toMatchObject([{ code: 'too_large', field: 'frame', limit: 128 * 1024 }])
    expect(peer.closedWith?.code).toBe(1009)
    const member = await world.member()
    member.submit(1, [1], `"${'x'.repeat(200 * 1024)}"`)
    await world.settle()
    expect(member.of('submitted')).toMatchObject([{ refused: [] }])
  })

  test('[SESSION-1] who says hello and leaves, again and again, keeps nobody out', async () => {
    const world = await World.started({ engine: { sessionsMax: 5 } })
    for (let n = 0; n < 20; n += 1) {
      const peer = await world.member()
      expect(peer.of('welcome')).toHaveLength(1)
      peer.vanish()
      await world.settle()
    }
    expect(world.host.state.sessions.size).toBe(5)
  })

  test('any other first message is refused', async () => {
    const world = await World.started()
    const peer = world.peer()
    peer.submit(1, [1])
    await world.settle()
    expect(peer.of('error')).toMatchObject([{ code: 'hello_expected' }])
    expect(peer.closedWith?.code).toBe(4000)
    expect(world.host.state.tasks.size).toBe(0)
  })

  test('a version that is not spoken here is refused', async () => {
    const world = await World.started()
    const peer = world.peer()
    peer.hello({ versions: [7, 9] })
    await world.settle()
    expect(peer.of('error')).toMatchObject([{ code: 'unsupported_version' }])
    expect(peer.closedWith?.code).toBe(4002)
  })

  test('a second hello is an error that changes nothing', async () => {
    const world = await World.started()
    const peer = await world.member()
    peer.hello()
    peer.submit(1, [1])
    await world.settle()
    expect(peer.of('error')).toMatchObject([{ code: 'bad_message', field: 'type' }])
    expect([peer.of('welcome').length, peer.of('submitted').length]).toEqual([1, 1])
    expect(world.host.state.sessions.size).toBe(1)
  })

  test('a session past the bound is refused with busy', async () => {
    const world = await World.started({ engine: { sessionsMax: 1 } })
    await world.member()
    const peer = world.peer()
    peer.hello()
    await world.settle()
    expect(peer.of('error')).toMatchObject([{ code: 'busy', retryAfterMs: expect.any(Number) }])
    expect(peer.closedWith?.code).toBe(4008)
    await world.advance(1000)
    expect(world.timers).toBe(0)
  })

  test('garbage closes its own connection and no other', async () => {
    const world = await World.started()
    const peer = await world.member()
    const other = await world.member()
    peer.connection?.receive(new Uint8Array([255, 1, 2, 3, 4, 5]))
    other.submit(1, [1])
    await world.settle()
    expect(peer.of('error')).toMatchObject([{ code: 'bad_frame' }])
    expect(peer.closedWith?.code).toBe(4000)
    expect(other.of('submitted')).toHaveLength(1)
  })

  test('a broker answers in the kind in which hello came', async () => {
    const world = await World.started()
    const text = await world.member({}, 'text')
    const binary = await world.member({}, 'binary')
    expect([typeof text.frames[0], binary.frames[0] instanceof Uint8Array]).toEqual(['string', true])
  })

  test('what a worker says is not permitted without its role', async () => {
    const world = await World.started()
    const producer = await world.member({ roles: ['producer'] })
    producer.complete(5, 1)
    producer.say({ type: 'credit', credit: 4, queues: ['photos'] })
    await world.settle()
    // What names no message does not wait for the disk, and may overtake.
    expect(producer.of('error').map(({ code, ref }) => [code, ref])).toEqual([
      ['not_permitted', undefined],
      ['not_permitted', 5],
    ])
    expect(world.host.state.queues.size).toBe(0)
  })
})

describe('a session and its connections', () => {
  async function twoLeases(): Promise<{ world: World; worker: Awaited<ReturnType<World['worker']>> }> {
    const world = await World.started({ engine: { graceMs: 10_000 } })
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1, 2])
    const worker = await world.worker(2, ['photos'])
    expect(worker.deliveries).toHaveLength(2)
    return { world, worker }
  }

  test('[HOST-7] resuming in the grace window keeps the named leases and hands back the others at no attempt', async () => {
    const { world, worker } = await twoLeases()
    const [kept, other] = worker.deliveries
    worker.vanish()
    await world.advance(5000)
    const again = await world.member({
      roles: ['worker'],
      resume: { session: worker.session, leases: [kept?.lease as number] },
    })
    expect(again.of('welcome')).toMatchObject([{ resumed: true, session: worker.session, lostLeases: [] }])
    again.complete(3, kept?.lease as number)
    again.say({ type: 'credit', credit: 1, queues: ['photos'] })
    await world.settle()
    expect(again.of('settled')).toEqual([{ type: 'settled', ref: 3, refused: [] }])
    expect(again.deliveries.map(({ id, attempt }) => [id, attempt])).toEqual([[other?.id, 1]])
  })

  test('[HOST-7] resuming lists the named leases that are not held any more', async () => {
    const { world, worker } = await twoLeases()
    const [first, second] = worker.deliveries.map(({ lease }) => lease) as [number, number]
    worker.complete(1, first)
    await world.settle()
    worker.vanish()
    const again = await world.member({
      roles: ['worker'],
      resume: { session: worker.session, leases: [first, second, 999_999] },
    })
    expect(again.of('welcome')).toMatchObject([{ resumed: true, lostLeases: [first, 999_999] }])
  })

  test('[HOST-7] a connection that is still open is replaced and told so', async () => {
    const { world, worker } = await twoLeases()
    const leases = worker.deliveries.map(({ lease }) => lease)
    const again = await world.member({ roles: ['worker'], resume: { session: worker.session, leases } })
    expect(worker.closedWith).toEqual({ code: 4005, reason: 'session_replaced' })
    worker.vanish()
    await world.advance(20_000)
    expect(again.closedWith).toBeUndefined()
    again.complete(3, leases[0] as number)
    await world.settle()
    expect(again.of('settled')).toMatchObject([{ refused: [] }])
  })

  test('[HOST-7] after the grace window the session is gone and its tasks are tried again', async () => {
    const { world, worker } = await twoLeases()
    const leases = worker.deliveries.map(({ lease }) => lease)
    worker.vanish()
    await world.advance(10_000)
    const again = await world.member({ roles: ['worker'], resume: { session: worker.session, leases } })
    expect(again.of('welcome')).toMatchObject([{ resumed: false, lostLeases: leases }])
    again.say({ type: 'credit', credit: 2, queues: ['photos'] })
    again.complete(3, leases[0] as number)
    await world.settle()
    expect(again.of('settled')).toMatchObject([{ refused: [{ index: 0, error: { code: 'lease_lost' } }] }])
    expect(again.deliveries.map(({ attempt }) => attempt)).toEqual([2, 2])
  })

  test('bye hands back at once what is leased', async () => {
    const { world, worker } = await twoLeases()
    worker.say({ type: 'bye' })
    await world.settle()
    expect(worker.closedWith?.code).toBe(1000)
    const next = await world.worker(2, ['photos'])
    expect(next.deliveries.map(({ attempt }) => attempt)).toEqual([1, 1])
  })

  test('a heartbeat names the leases that are lost and renews the others', async () => {
    const { world, worker } = await twoLeases()
    const [first, second] = worker.deliveries.map(({ lease }) => lease) as [number, number]
    await world.advance(29_000)
    worker.say({ type: 'heartbeat', ref: 8, leases: [first, 77] })
    await world.advance(2000)
    expect(worker.of('renewed')).toEqual([{ type: 'renewed', ref: 8, lost: [77] }])
    expect(worker.of('revoke')).toEqual([{ type: 'revoke', leases: [second], reason: 'expired' }])
  })

  test('cancelling a leased task revokes its lease and tells its outcome', async () => {
    const world = await World.started()
    const producer = await world.member({ roles: ['producer'] })
    const worker = await world.worker(1, ['photos'])
    producer.submit(1, [1])
    await world.settle()
    producer.say({ type: 'cancel', ref: 2, ids: [taskId(1), taskId(2)] })
    await world.settle()
    expect(producer.of('cancelled')).toMatchObject([
      { ref: 2, refused: [{ index: 1, error: { code: 'unknown_task' } }] },
    ])
    expect(worker.of('revoke')).toEqual([{ type: 'revoke', leases: [worker.lastLease], reason: 'cancelled' }])
    expect(producer.outcomes).toMatchObject([{ id: taskId(1), status: 'cancelled' }])
  })

  test('watching answers first, then tells what has happened; the unknown ones are named', async () => {
    const world = await World.started()
    const worker = await world.worker(1, ['photos'])
    const producer = await world.member()
    producer.submit(1, [1])
    await world.settle()
    worker.complete(1, worker.lastLease, '"done"')
    await world.settle()
    const late = await world.member()
    late.say({ type: 'watch', ref: 4, ids: [taskId(9), taskId(1)] })
    await world.settle()
    expect(late.heard.slice(1).map(({ type }) => type)).toEqual(['watched', 'succeeded'])
    expect(late.of('watched')).toEqual([{ type: 'watched', ref: 4, unknown: [0] }])
    expect(textOf(late.outcomes[0]?.bytes)).toBe('"done"')
  })

  describe('[MSG-16] the name of an ended task', () => {
    /** A producer that has submitted tasks 0, 1 and 2 over this connection, the last one in a second message. */
    async function submitted() {
      const world = await World.started()
      const worker = await world.worker(10, ['photos'])
      const producer = await world.member({ roles: ['producer'] })
      producer.submit(5, [0, 1])
      producer.submit(6, [2])
      await world.settle()
      const finish = async () => {
        worker.complete(1, worker.deliveries[1]?.lease ?? 0)
        worker.complete(2, worker.deliveries[2]?.lease ?? 0)
        worker.complete(3, worker.deliveries[0]?.lease ?? 0)
        await world.settle()
      }
      return { world, worker, producer, finish }
    }
    const named = (peer: Peer) =>
      peer.outcomes.map(({ id, by }) => `${Number.parseInt(id.slice(-4), 16)} by ${by}`).sort()

    test('is its place in the submission, and those of one submission share a message', async () => {
      const { producer, finish } = await submitted()
      await finish()
      expect(producer.of('succeeded')).toMatchObject([
        { ref: 5, indexes: [1, 0] },
        { ref: 6, indexes: [0] },
      ])
    })

    test('is the place in the message also behind items that were refused or known', async () => {
      const { world, worker, producer } = await submitted()
      producer.submit(7, [0, 3])
      await world.settle()
      worker.complete(1, worker.lastLease)
      await world.settle()
      expect(producer.of('succeeded')).toMatchObject([{ ref: 7, indexes: [1] }])
    })

    test('is the id for others, and for who asks for it by id too', async () => {
      const { world, producer, finish } = await submitted()
      const other = await world.member({ roles: ['producer'] })
      other.say({ type: 'watch', ref: 1, ids: [taskId(1)] })
      producer.say({ type: 'watch', ref: 7, ids: [taskId(2)] })
      await finish()
      expect(named(other)).toEqual(['1 by id'])
      expect(named(producer)).toEqual(['0 by ref', '1 by ref', '2 by id', '2 by ref'])
    })

    test('is the place and the id of a task that stands twice in one message', async () => {
      const { world, worker, producer } = await submitted()
      producer.submit(7, [3, 3, 3])
      await world.settle()
      expect(producer.of('submitted').at(-1)).toMatchObject({ ref: 7, refused: [] })
      worker.complete(1, worker.lastLease)
      await world.settle()
      expect(named(producer)).toEqual(['3 by id', '3 by ref'])
    })

    test('is the id for a session that has come back over another connection', async () => {
      const { world, producer, finish } = await submitted()
      producer.vanish()
      const again = await world.member({ roles: ['producer'], resume: { session: producer.session, leases: [] } })
      await finish()
      expect(named(again)).toEqual(['0 by id', '1 by id', '2 by id'])
    })

    test('is told no more to who does not want to know', async () => {
      const { producer, finish } = await submitted()
      producer.say({ type: 'watch', ref: 7, ids: [taskId(1)] })
      producer.say({ type: 'unwatch', ids: [taskId(1)] })
      await finish()
      expect(named(producer)).toEqual(['0 by ref', '2 by ref'])
    })
  })

  test('query states what is known of each id', async () => {
    const world = await World.started()
    const producer = await world.member()
    producer.submit(1, [1], 'null', { delayMs: 5000 })
    await world.advance(2000)
    producer.say({ type: 'query', ref: 2, ids: [taskId(1), taskId(2)] })
    await world.settle()
    expect(producer.of('status')[0]?.tasks).toEqual([
      { id: taskId(1), state: 'delayed', queue: 'photos', attempts: 0, ageMs: 2000, readyInMs: 3000 },
      { id: taskId(2), state: 'unknown' },
    ])
  })

  test('an id that comes again is answered as the first time, and with other content refused', async () => {
    const world = await World.started()
    const producer = await world.member()
    producer.submit(1, [1], '"a"')
    producer.submit(2, [1], '"a"')
    producer.submit(3, [1], '"b"')
    await world.settle()
    expect(producer.of('submitted').map(({ refused }) => refused.map(({ error }) => error.code))).toEqual([
      [],
      [],
      ['id_conflict'],
    ])
    expect(world.host.state.tasks.size).toBe(1)
  })

  test('a body stays with its own task where others of the message are known already or refused', async () => {
    const world = await World.started({ engine: { queueBytesMax: 100 } })
    const producer = await world.member({ roles: ['producer'] })
    producer.submit(1, [1], '"known"')
    await world.settle()
    const tooLarge = `"${'x'.repeat(200)}"`
    const bodies = bodiesOf('"known"', tooLarge, '"small"', '"last"')
    producer.say({ type: 'submit', ref: 2, queue: 'photos', ids: [1, 2, 2, 3].map(taskId), bodies })
    const worker = await world.worker(3, ['photos'])
    expect(worker.deliveries.map(({ bytes }) => textOf(bytes))).toEqual(['"known"', '"small"', '"last"'])
  })
})
