import { describe, expect, test } from 'vitest'
import { bytesOf, HeldJournal, taskId, World } from './world.ts'

describe('a stop in the middle of something', () => {
  test('[HOST-15] compaction discards nothing whose checkpoint the stop has kept from being written', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    const idle = await world.member({ roles: ['worker'] })
    const producer = await world.member({ roles: ['producer'] })
    for (let n = 0; n < 300; n += 1) {
      producer.submit(n, [n], 'null', { resultTtlMs: 1 })
      producer.say({ type: 'cancel', ref: 1000 + n, ids: [taskId(n)] })
      await world.settle()
    }
    await world.advance(1)
    producer.submit(300, [300])
    journal.isHolding = true
    const stopped = world.host.stop()
    await new Promise((resolve) => setImmediate(resolve))
    await world.settle()
    expect(journal.held).toBe(1)
    const compacted = world.compaction.run()
    await world.settle()
    journal.isHolding = false
    journal.release()
    await world.during(Promise.all([stopped, compacted]))
    await world.start({ journal })
    const again = await world.member({ roles: ['worker'], resume: { session: idle.session, leases: [] } })
    expect(again.of('welcome')).toMatchObject([{ resumed: true }])
  })

  test('[HOST-15] compaction that is stopped leaves no timer, and while nothing happens it writes nothing', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal, config: { compactEveryMs: 1000 } })
    const before = world.timers
    journal.batches.length = 0
    world.compaction.start()
    await world.advance(10_000)
    expect(journal.batches).toEqual([])
    expect(world.timers).toBe(before + 1)
    world.compaction.stop()
    expect(world.timers).toBe(before)
  })

  test('[HOST-13] a submission by HTTP that waits for room is refused when the broker stops', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal, config: { stagedBytesMax: 1000 } })
    const peer = await world.member({ roles: ['producer'] })
    const body = `"${'x'.repeat(998)}"`
    journal.isHolding = true
    peer.submit(1, [1], body)
    await world.settle()
    for (let n = 2; n <= 6; n += 1) peer.submit(n, [n], body)
    // What is asked over and over in one turn would never let it end.
    let looks = 0
    const { durable } = world.host
    world.host.durable = () => {
      looks += 1
      return looks < 100 ? durable.call(world.host) : new Promise(() => {})
    }
    const waiting = world.api.submit('photos', undefined, [{ id: taskId(9), bytes: bytesOf('9') }])
    const stopped = world.host.stop()
    for (let written = 1; written <= 3; written += 1) {
      journal.release()
      await world.settle()
    }
    await world.during(stopped)
    // What waited to be read has filled the batch behind the one that is being written, which nobody writes any more.
    expect(world.host.isSaturated).toBe(true)
    expect(await world.during(waiting)).toMatchObject([{ code: 'draining' }])
    expect(looks).toBeLessThan(100)
  })
  test('[HOST-1] what came too late to be written is not acknowledged by HTTP either', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal })
    const submit = (n: number) => world.api.submit('photos', undefined, [{ id: taskId(n), bytes: bytesOf('1') }])
    const first = submit(1)
    journal.isHolding = true
    const stopped = world.host.stop()
    await new Promise((resolve) => setImmediate(resolve))
    await world.settle()
    const late = submit(2)
    const refused = expect(late).rejects.toMatchObject({ code: 'draining', retryAfterMs: expect.any(Number) })
    // The late one is behind it, and not durable when the broker has stopped.
    journal.release()
    await world.during(stopped)
    expect(await first).toEqual([undefined])
    await refused
    journal.isHolding = false
    await world.start({ journal })
    expect((await world.during(world.api.task(taskId(1))))?.state).toBe('ready')
    expect(await world.during(world.api.task(taskId(2)))).toBeUndefined()
  })
})
