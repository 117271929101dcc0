import { Bodies, DEFAULT_LIMITS } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { memoryJournal } from '../../src/journal/memory.ts'
import { bytesOf, HeldJournal, taskId, textOf, World } from './world.ts'

const KIB = 1024

describe('a producer that submits more than its credit', () => {
  test('[HOST-8] is not read from until enough of it is answered', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal, engine: { submitCredit: 3 } })
    const producer = await world.member()
    expect(producer.of('welcome')[0]?.submitCredit).toBe(3)
    journal.isHolding = true
    producer.submit(1, [1, 2, 3])
    await world.settle()
    expect(producer.isPaused).toBe(false)
    producer.submit(2, [4])
    await world.settle()
    expect(producer.isPaused).toBe(true)
    journal.release()
    await world.settle()
    expect(producer.isPaused).toBe(false)
    journal.release()
    await world.settle()
    expect(producer.of('submitted').map(({ ref, refused }) => [ref, refused])).toEqual([
      [1, []],
      [2, []],
    ])
  })
})

describe('input faster than the journal', () => {
  test('[HOST-9] past stagedBytesMax no connection is read from, and nothing that came is lost', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal, config: { stagedBytesMax: 1000 } })
    const peers = await Promise.all([1, 2, 3, 4].map(() => world.member({ roles: ['producer'] })))
    journal.isHolding = true
    const body = `"${'x'.repeat(998)}"`
    for (const [i, peer] of peers.entries()) peer.submit(1, [i * 2], body)
    for (const [i, peer] of peers.entries()) peer.submit(2, [i * 2 + 1], body)
    expect(peers.map(({ isPaused }) => isPaused)).toEqual([true, true, true, true])
    expect(world.host.bodies.stagedBytes).toBeLessThanOrEqual(2000)
    journal.isHolding = false
    await world.settle()
    expect(peers.map((peer) => peer.of('submitted').map(({ ref }) => ref))).toEqual([1, 2, 3, 4].map(() => [1, 2]))
    expect(Math.max(...journal.batches.map(({ bodies }) => bodies.length))).toBeLessThanOrEqual(2000)
    expect(peers.map(({ isPaused }) => isPaused)).toEqual([false, false, false, false])
  })

  test('[HOST-9] input that waited and fills the next batch keeps its connection from being read', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal, config: { stagedBytesMax: 1000 } })
    const peer = await world.member({ roles: ['producer'] })
    const body = `"${'x'.repeat(998)}"`
    journal.isHolding = true
    peer.submit(1, [1], body)
    await world.settle()
    peer.submit(2, [2], body)
    peer.submit(3, [3], body)
    expect(peer.isPaused).toBe(true)
    journal.release()
    await world.settle()
    // The second one is being written, the third one fills the next batch.
    expect([peer.of('submitted').length, peer.isPaused]).toEqual([1, true])
    journal.isHolding = false
    journal.release()
    await world.settle()
    expect(peer.of('submitted').map(({ ref }) => ref)).toEqual([1, 2, 3])
    expect(peer.isPaused).toBe(false)
  })

  test('[HOST-9] submissions by HTTP wait likewise', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal, config: { stagedBytesMax: 1000 } })
    const bytes = bytesOf(`"${'x'.repeat(998)}"`)
    const answers = await world.during(
      Promise.all([1, 2, 3, 4, 5].map((n) => world.api.submit('photos', undefined, [{ id: taskId(n), bytes }]))),
    )
    expect(answers).toEqual([1, 2, 3, 4, 5].map(() => [undefined]))
    expect(Math.max(...journal.batches.map(({ bodies }) => bodies.length))).toBeLessThanOrEqual(1000)
  })
})

describe('a reader that is slow', () => {
  test('[HOST-10] past the high-water mark nothing is delivered until it has read', async () => {
    const world = await World.started({ config: { sendBufferBytesHigh: 1000 } })
    const producer = await world.member({ roles: ['producer'] })
    const worker = await world.worker(100, ['photos'])
    worker.isSlow = true
    const body = `"${'x'.repeat(1200)}"`
    producer.submit(1, [1], body)
    await world.settle()
    producer.submit(2, [2, 3], body)
    await world.settle()
    expect(worker.deliveries).toHaveLength(1)
    worker.say({ type: 'credit', credit: 100, queues: ['photos'] })
    await world.settle()
    expect(worker.deliveries).toHaveLength(1)
    worker.isSlow = false
    worker.read()
    await world.settle()
    expect(worker.deliveries).toHaveLength(3)
    expect(worker.closedWith).toBeUndefined()
  })

  test('[HOST-10] word that all has left which comes late, when more waits again, changes nothing', async () => {
    const world = await World.started({ config: { sendBufferBytesHigh: 1000 } })
    const producer = await world.member({ roles: ['producer'] })
    const slow = await world.worker(100, ['photos'])
    slow.isSlow = true
    producer.submit(1, [1], `"${'x'.repeat(1200)}"`)
    await world.settle()
    const other = await world.worker(1, ['photos'])
    slow.connection?.emptied()
    producer.submit(2, [2])
    await world.settle()
    expect([slow.deliveries.length, other.deliveries.length]).toEqual([1, 1])
    slow.read()
    producer.submit(3, [3])
    await world.settle()
    expect(slow.deliveries).toHaveLength(2)
  })

  test('[HOST-10] work goes to another worker meanwhile', async () => {
    const world = await World.started({ config: { sendBufferBytesHigh: 1000 } })
    const producer = await world.member({ roles: ['producer'] })
    const slow = await world.worker(100, ['photos'])
    slow.isSlow = true
    producer.submit(1, [1], `"${'x'.repeat(1200)}"`)
    await world.settle()
    const other = await world.worker(1, ['photos'])
    producer.submit(2, [2])
    await world.settle()
    expect([slow.deliveries.length, other.deliveries.length]).toEqual([1, 1])
  })

  test('[HOST-11] past the hard cap it is closed with slow_reader', async () => {
    const world = await World.started({ config: { sendBufferBytesHigh: 500, sendBufferBytesMax: 2000 } })
    const peer = await world.member()
    peer.isSlow = true
    for (let ref = 0; ref < 100; ref += 1) {
      peer.say({ type: 'ping', ref })
      await world.settle()
    }
    expect(peer.closedWith).toEqual({ code: 4004, reason: 'slow_reader' })
    expect(peer.isTerminated).toBe(true)
    expect(peer.bufferedBytes).toBeLessThan(3000)
  })

  test('[HOST-11] what is withheld from it counts as well: who submits for ever and reads nothing is closed', async () => {
    const world = await World.started({
      engine: { queueResultsMax: 10 },
      config: { sendBufferBytesHigh: 100, sendBufferBytesMax: 8 * 1000 },
    })
    const peer = await world.member({ roles: ['producer'] })
    const worker = await world.worker(1000, ['photos'])
    peer.isSlow = true
    for (let ref = 0; ref < 40 && !peer.closedWith; ref += 1) {
      peer.submit(
        ref,
        Array.from({ length: 100 }, (_, i) => 100 * ref + i),
      )
      await world.settle()
      for (const { lease } of worker.deliveries.slice(100 * ref)) worker.complete(lease, lease)
      await world.settle()
    }
    expect(peer.closedWith).toEqual({ code: 4004, reason: 'slow_reader' })
    expect(peer.bufferedBytes).toBeLessThan(8 * 1000)
    expect(worker.closedWith).toBeUndefined()
  })

  test('[HOST-10] a worker with much credit gets large bodies little by little, never past the hard cap', async () => {
    const world = await World.started({
      config: { sendBufferBytesHigh: 1024 * KIB, sendBufferBytesMax: 4 * 1024 * KIB },
    })
    const producer = await world.member({ roles: ['producer'] })
    const body = `"${'x'.repeat(200 * KIB)}"`
    for (let n = 0; n < 60; n += 1) {
      producer.submit(n, [n], body)
      await world.settle()
    }
    const worker = await world.member({ roles: ['worker'] })
    worker.isSlow = true
    worker.say({ type: 'credit', credit: 1000, queues: ['photos'] })
    for (let i = 0; i < 60 && worker.deliveries.length < 60; i += 1) {
      await world.settle()
      expect(worker.closedWith).toBeUndefined()
      worker.read()
    }
    expect(new Set(worker.deliveries.map(({ id }) => id)).size).toBe(60)
  })

  test('[HOST-10] a watcher of many large results gets them little by little, never past the hard cap', async () => {
    const world = await World.started({
      config: { sendBufferBytesHigh: 1024 * KIB, sendBufferBytesMax: 4 * 1024 * KIB },
    })
    const producer = await world.member({ roles: ['producer'] })
    const worker = await world.worker(100, ['photos'])
    const ids = Array.from({ length: 60 }, (_, n) => n)
    producer.submit(1, ids, 'null', undefined, 'photos', false)
    await world.settle()
    const result = `"${'x'.repeat(200 * KIB)}"`
    for (const { lease } of worker.deliveries) {
      worker.complete(lease, lease, result)
      await world.settle()
    }
    producer.isSlow = true
    producer.say({ type: 'watch', ref: 2, ids: ids.map(taskId) })
    for (let i = 0; i < 60 && producer.outcomes.length < 60; i += 1) {
      await world.settle()
      expect(producer.closedWith).toBeUndefined()
      producer.read()
    }
    expect(new Set(producer.outcomes.map(({ id }) => id)).size).toBe(60)
    expect(producer.outcomes.every(({ bytes }) => bytes.length === result.length)).toBe(true)
  })

  test('[RESULT-2] a watch past the bound of watchers is refused by name, before the answer for the others', async () => {
    const world = await World.started({ engine: { watchersMax: 1 } })
    const first = await world.member({ roles: ['producer'] })
    first.submit(1, [1, 2])
    const other = await world.member({ roles: ['producer'] })
    other.submit(1, [3])
    other.say({ type: 'watch', ref: 9, ids: [taskId(3), taskId(1)] })
    await world.settle()
    const said = other.of('error').map(({ ref, code, field }) => ({ ref, code, field }))
    expect(said).toEqual([{ ref: 9, code: 'busy', field: 'ids[1]' }])
    const types = other.heard.map(({ type }) => type)
    expect(types.indexOf('error')).toBeLessThan(types.indexOf('watched'))
  })

  test('[RESULT-2] a watcher that reads nothing until a record is forgotten is told that it is', async () => {
    const world = await World.started({
      config: { sendBufferBytesHigh: 1000 },
      engine: { queueResultsMax: 2 },
    })
    const producer = await world.member({ roles: ['producer'] })
    const worker = await world.worker(100, ['photos'])
    producer.submit(1, [1, 2, 3, 4, 5], 'null')
    await world.settle()
    producer.isSlow = true
    for (const { lease } of worker.deliveries) {
      worker.complete(lease, lease, `"${'x'.repeat(1200)}"`)
      await world.settle()
    }
    expect(producer.outcomes).toHaveLength(1)
    producer.isSlow = false
    producer.read()
    await world.settle()
    expect(producer.outcomes.map(({ id, status }) => [id, status])).toEqual([
      [taskId(1), 'succeeded'],
      [taskId(2), 'forgotten'],
      [taskId(3), 'forgotten'],
      [taskId(4), 'succeeded'],
      [taskId(5), 'succeeded'],
    ])
  })
})

describe('dead letters with long stacks', () => {
  test('[HOST-10] are told little by little as well', async () => {
    const world = await World.started({ config: { sendBufferBytesHigh: 64 * KIB, sendBufferBytesMax: 256 * KIB } })
    const worker = await world.worker(100, ['photos'])
    const producer = await world.member({ roles: ['producer'] })
    const ids = Array.from({ length: 100 }, (_, n) => n)
    producer.submit(1, ids, 'null', undefined, 'photos', false)
    await world.settle()
    const error = { message: 'no', stack: 'ж'.repeat(8000) }
    for (const { lease } of worker.deliveries) {
      worker.say({ type: 'fail', ref: lease, failures: [{ lease, error, retryable: false }] })
      await world.settle()
    }
    producer.isSlow = true
    producer.say({ type: 'watch', ref: 2, ids: ids.map(taskId) })
    for (let i = 0; i < 100 && producer.outcomes.length < 100; i += 1) {
      await world.settle()
      expect(producer.closedWith).toBeUndefined()
      producer.read()
    }
    expect(new Set(producer.outcomes.map(({ id }) => id)).size).toBe(100)
  })
})

describe('limits under which an answer can be larger than a frame', () => {
  test('close the connection that asked, and leave the broker and the others as they are', async () => {
    const limits = { ...DEFAULT_LIMITS, frameBytesMax: 16 * KIB, bodyBytesMax: 8 * KIB }
    const world = await World.started({ config: { limits } })
    const peer = await world.member()
    const other = await world.member()
    peer.say({ type: 'release', ref: 1, leases: Array.from({ length: 1000 }, (_, n) => n + 1) })
    other.submit(1, [1])
    await world.settle()
    expect(peer.of('error')).toMatchObject([{ code: 'internal' }])
    expect(peer.closedWith?.code).toBe(4009)
    expect(world.failures).toEqual([])
    expect(other.of('submitted')).toHaveLength(1)
  })
})

describe('bodies', () => {
  const types = [undefined, 'image/jpeg', 'text/plain'] as const

  test.each([
    ['from the cache', 64 * 1024 * KIB, false],
    ['from the journal', 0, false],
    ['from a journal that takes time', 0, true],
  ])('[HOST-12] come back byte for byte, large and empty ones too: %s', async (_, bodyCacheBytesMax, readsTakeTime) => {
    const journal = new HeldJournal()
    journal.durability = 'strict'
    journal.readsTakeTime = readsTakeTime
    const world = await World.started({ journal, config: { bodyCacheBytesMax } })
    const producer = await world.member({ roles: ['producer'] })
    const bodies = ['', '{"a":1}', 'x'.repeat(200 * KIB), 'é∂'].map(bytesOf)
    const tasks = bodies.map((bytes, i) => {
      const contentType = types[i % 3] ?? 'application/octet-stream'
      return { id: taskId(i), bytes, contentType }
    })
    for (const [i, { id, bytes, contentType }] of tasks.entries()) {
      const bodies = Bodies.ofPieces([bytes], [bytes.length])
      producer.say({ type: 'submit', ref: i, queue: 'photos', ids: [id], bodies, contentType })
    }
    await world.settle()
    const worker = await world.worker(10, ['photos'])
    expect(worker.deliveries.map(({ id, bytes, contentType }) => ({ id, bytes, contentType }))).toEqual(tasks)
    for (const { lease, bytes } of worker.deliveries)
      worker.say({
        type: 'complete',
        ref: lease,
        leases: [lease],
        bodies: Bodies.ofPieces([bytes.toReversed()], [bytes.length]),
        contentType: 'image/png',
      })
    await world.settle()
    const reversed = bodies.map((bytes) => bytes.toReversed())
    expect(producer.outcomes.map(({ bytes, contentType }) => [bytes, contentType])).toEqual(
      reversed.map((bytes) => [bytes, 'image/png']),
    )
    expect((await world.during(world.api.task(taskId(2))))?.result).toEqual({
      bytes: reversed[2],
      contentType: 'image/png',
    })
    expect(journal.reads.length > 0).toBe(bodyCacheBytesMax === 0)
  })

  test('[HOST-12] the cache is bounded by bytes and keeps what was used last', async () => {
    const journal = new HeldJournal()
    const world = await World.started({ journal, config: { bodyCacheBytesMax: 300 * KIB } })
    const producer = await world.member({ roles: ['producer'] })
    for (let n = 0; n < 5; n += 1) {
      producer.submit(n, [n], `"${String(n).repeat(99 * KIB)}"`)
      await world.settle()
    }
    const worker = await world.worker(5, ['photos'])
    expect(worker.deliveries.map(({ bytes }) => textOf(bytes)[1])).toEqual(['0', '1', '2', '3', '4'])
    expect(journal.reads.length).toBeGreaterThanOrEqual(2)
  })

  test('[HOST-12] a small batch holds no more memory than about its own size', async () => {
    const kept: number[] = []
    const inner = memoryJournal()
    const world = await World.started({
      journal: {
        ...inner,
        append: (batch) => {
          kept.push(batch.bodies.buffer.byteLength)
          return inner.append(batch)
        },
      },
    })
    const producer = await world.member({ roles: ['producer'] })
    for (let n = 0; n < 20; n += 1) {
      producer.submit(n, [n], '"small"')
      await world.settle()
    }
    expect(Math.max(...kept)).toBeLessThan(64)
  })
})
