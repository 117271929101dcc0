import { Bodies } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import {
  createWorker,
  defineTask,
  type Executor,
  handle,
  LeaseLostError,
  PermanentError,
  retryAfter,
  type TaskContext,
  type WorkerOptions,
} from '../src/index.ts'
import { bodiesOf, FakeWorld, utf8, valuesOf } from './fake-world.ts'

const ID = '01900000-0000-7000-8000-00000000000'

/** A handler that ends when the test says so. */
function manual() {
  const calls: { input: unknown; ctx: TaskContext; finish: (v?: unknown) => void; fail: (e: unknown) => void }[] = []
  const handler = (input: unknown, ctx: TaskContext) =>
    new Promise((finish, fail) => {
      calls.push({ input, ctx, finish, fail })
    })
  return { calls, handler }
}

async function working(options: Partial<WorkerOptions> & Pick<WorkerOptions, 'handlers'>, limits = {}) {
  const world = new FakeWorld(limits)
  const worker = createWorker({ url: 'ws://broker', platform: world.platform, ...options })
  void worker.start()
  const connection = await world.welcome()
  const deliver = async (leases: number[], over: { timeLimitMs?: number; leaseMs?: number; queue?: string } = {}) => {
    const ids = leases.map((lease) => `${ID}${lease}`)
    const bodies = bodiesOf(...leases.map((lease) => ({ lease })))
    world.connection.say({ type: 'deliver', queue: 'q', leaseMs: 30_000, ...over, ids, leases, bodies })
    await world.settle()
  }
  return { world, worker, connection, deliver }
}

describe('taking work', () => {
  test('credit covers handlers and prefetch; what does not run waits', async () => {
    const { calls, handler } = manual()
    const { world, worker, connection, deliver } = await working({
      handlers: { q: handler },
      concurrency: 2,
      prefetch: 1,
    })
    expect(connection.last('credit')).toEqual({ type: 'credit', credit: 3, queues: ['q'] })
    await deliver([1, 2, 3])
    expect(calls.map((c) => c.input)).toEqual([{ lease: 1 }, { lease: 2 }])
    expect(worker.stats()).toMatchObject({ running: 2, queued: 1 })
    calls[0]?.finish('done')
    await world.settle()
    expect(calls).toHaveLength(3)
    const result = connection.last('complete')
    expect([result.leases, valuesOf(result)]).toEqual([[1], ['done']])
  })

  test('a credit that is refused for now is announced again when the broker wishes', async () => {
    const { world, connection } = await working({ handlers: { q: () => 1 } })
    connection.say({ type: 'error', code: 'busy', message: 'too many queues', retryAfterMs: 2000 })
    await world.pass(1999)
    expect(connection.of('credit')).toHaveLength(1)
    await world.pass(1)
    expect(connection.of('credit')).toEqual([connection.last('credit'), connection.last('credit')])
  })

  test('synchronous handlers settle in one message', async () => {
    const { connection, deliver } = await working({ handlers: { q: (input) => input }, concurrency: 1, prefetch: 8 })
    await deliver([1, 2, 3, 4, 5])
    expect(connection.of('complete')).toHaveLength(1)
    expect(connection.last('complete').leases).toEqual([1, 2, 3, 4, 5])
  })

  test('handlers that take a few promises still settle in one frame, whatever the concurrency', async () => {
    const handler = async (input: unknown) => {
      await null
      await null
      return input
    }
    const { connection, deliver } = await working({ handlers: { q: handler }, concurrency: 2, prefetch: 8 })
    const before = connection.frames
    await deliver([1, 2, 3, 4, 5, 6, 7, 8])
    expect(connection.frames - before).toBe(1)
    expect(connection.last('complete').leases).toHaveLength(8)
  })

  test('thousands of deliveries to synchronous handlers do not grow the stack', async () => {
    const { world, worker } = await working({ handlers: { q: () => 1 }, concurrency: 1, prefetch: 9999 })
    for (let from = 0; from < 9000; from += 1000) {
      const leases = Array.from({ length: 1000 }, (_, i) => from + i + 1)
      const [ids, bodies] = [leases.map(() => `${ID}1`), bodiesOf(...leases)]
      world.connection.say({ type: 'deliver', queue: 'q', leaseMs: 30_000, ids, leases, bodies })
    }
    await world.settle()
    expect(worker.stats()).toMatchObject({ succeeded: 9000, queued: 0, running: 0 })
  })

  test('a queue that nobody asked for is handed back', async () => {
    const { connection, deliver } = await working({ handlers: { q: () => 1 } })
    await deliver([4], { queue: 'other' })
    expect(connection.last('release').leases).toEqual([4])
  })

  test('what a handler throws decides about the next attempt', async () => {
    const thrown: Record<number, unknown> = {
      1: new Error('maybe'),
      2: new PermanentError('never'),
      3: retryAfter(5000),
      4: 'text',
    }
    const handler = ({ lease }: { lease: number }) => {
      throw thrown[lease]
    }
    const errors: unknown[] = []
    const { connection, deliver } = await working({ handlers: { q: handler }, onError: (error) => errors.push(error) })
    await deliver([1, 2, 3, 4])
    const failures = connection.last('fail').failures.map(({ lease, retryable, retryAfterMs, error }) => ({
      lease,
      retryable,
      retryAfterMs,
      message: error.message,
    }))
    expect(failures).toEqual([
      { lease: 1, retryable: undefined, retryAfterMs: undefined, message: 'maybe' },
      { lease: 2, retryable: false, retryAfterMs: undefined, message: 'never' },
      { lease: 3, retryable: true, retryAfterMs: 5000, message: 'try again after 5000 ms' },
      { lease: 4, retryable: undefined, retryAfterMs: undefined, message: 'text' },
    ])
    expect(errors).toHaveLength(4)
  })

  test('an endless error message is cut to the limit instead of spoiling the frame', async () => {
    const handler = () => {
      throw new Error('\u{1f600}'.repeat(5000))
    }
    const { world, connection, deliver } = await working({ handlers: { q: handler } })
    await deliver([1])
    const message = connection.last('fail').failures[0]!.error.message
    expect(message.length).toBeLessThanOrEqual(world.limits.messageLengthMax)
    expect(message.isWellFormed()).toBe(true)
  })

  test('an output past the body limit fails for good, naming the limit', async () => {
    const { connection, deliver } = await working({ handlers: { q: () => 'x'.repeat(500) } }, { bodyBytesMax: 100 })
    await deliver([1])
    const [failure] = connection.last('fail').failures
    expect(failure).toMatchObject({ retryable: false, error: { message: expect.stringContaining('at most 100') } })
  })

  test('bytes travel as they are, both ways', async () => {
    const handler = (input: Uint8Array) => input.map((byte) => byte + 1)
    const { world, connection } = await working({ handlers: { q: handler } })
    const bodies = Bodies.ofPieces([new Uint8Array([1, 2, 3])], [2, 1])
    const ids = [`${ID}1`, `${ID}2`]
    connection.say({ type: 'deliver', queue: 'q', leaseMs: 1000, contentType: 'image/x', ids, leases: [1, 2], bodies })
    await world.settle()
    const result = connection.last('complete')
    expect(result.leases.map((_, index) => [...result.bodies.at(index)])).toEqual([[2, 3], [4]])
    expect(result.contentType).toBe('application/octet-stream')
  })
})

describe('contracts', () => {
  const numberSchema = (what: string) => ({
    '~standard': {
      version: 1 as const,
      vendor: 'test',
      validate: (value: unknown) =>
        typeof value === 'number' ? { value: value + 100 } : { issues: [{ message: `${what} is no number` }] },
    },
  })

  test('the receiving end uses what the schema makes of a value, and the sending end only checks', async () => {
    const contract = defineTask<number, number>({ queue: 'q', input: numberSchema('in'), output: numberSchema('out') })
    const seen: number[] = []
    const { world, connection } = await working({
      handlers: {
        q: handle(contract, (input) => {
          seen.push(input)
          return input
        }),
      },
    })
    connection.say({ type: 'deliver', queue: 'q', leaseMs: 1000, ids: [`${ID}1`], leases: [1], bodies: bodiesOf(5) })
    await world.settle()
    expect(seen).toEqual([105])
    expect(valuesOf(connection.last('complete'))).toEqual([105])
  })

  test('an input that does not fit fails for good, and the handler is not called', async () => {
    const contract = defineTask<number, unknown>({ queue: 'q', input: numberSchema('in') })
    const { connection, deliver } = await working({
      handlers: {
        q: handle(contract, () => {
          throw new Error('called')
        }),
      },
    })
    await deliver([1])
    expect(connection.last('fail').failures[0]).toMatchObject({
      retryable: false,
      error: { name: 'ValidationError', message: 'the input is invalid: in is no number' },
    })
  })
})

describe('leases', () => {
  test('leases too short for the heartbeat of the broker get their own, three in a lease, until they end', async () => {
    const { calls, handler } = manual()
    const { world, connection, deliver } = await working({ handlers: { q: handler }, concurrency: 4 })
    const before = world.clock.pending
    await deliver([1, 2])
    await deliver([3], { leaseMs: 3000 })
    await deliver([4], { leaseMs: 900 })
    await world.pass(1000)
    expect(connection.of('heartbeat').map(({ leases }) => leases)).toEqual([
      [3, 4],
      [3, 4],
      [3, 4],
    ])
    calls[3]?.finish()
    await world.settle()
    connection.say({ type: 'settled', ref: connection.last('complete').ref, refused: [] })
    await world.pass(200)
    const again = connection.of('heartbeat').length
    await world.pass(2000)
    expect(
      connection
        .of('heartbeat')
        .slice(again)
        .map(({ leases }) => leases),
    ).toEqual([[3], [3]])
    calls[2]?.finish()
    await world.settle()
    connection.say({ type: 'settled', ref: connection.last('complete').ref, refused: [] })
    await world.pass(1000)
    expect(world.clock.pending).toBe(before)
  })

  test('a lease that is too short for the heartbeat of the next broker gets its own from then on', async () => {
    const { world, connection, deliver } = await working({ handlers: { q: () => new Promise(() => {}) } })
    await deliver([1])
    await world.pass(1000)
    connection.close(1006)
    await world.pass(500)
    const next = await world.welcome({ resumed: true, heartbeatMs: 60_000 })
    await world.pass(10_000)
    expect(next.of('heartbeat').map(({ leases }) => leases)).toEqual([[1]])
  })

  test('[BEAT-1] each heartbeat names every lease that runs or waits, and none that is answered', async () => {
    const { calls, handler } = manual()
    const { world, connection, deliver } = await working({ handlers: { q: handler }, concurrency: 2, prefetch: 2 })
    await deliver([1, 2, 3])
    calls[0]?.finish()
    await world.pass(10_000)
    expect(connection.last('heartbeat').leases.sort()).toEqual([2, 3])
    connection.say({ type: 'settled', ref: connection.last('complete').ref, refused: [] })
    await world.pass(10_000)
    expect(connection.last('heartbeat').leases.sort()).toEqual([2, 3])
  })

  test('a revoked lease fires the signal with its reason, and what the handler returns is not sent', async () => {
    const { calls, handler } = manual()
    const { world, connection, deliver } = await working({ handlers: { q: handler } })
    await deliver([1])
    const { signal } = calls[0]!.ctx
    connection.say({ type: 'revoke', leases: [1], reason: 'cancelled' })
    await world.settle()
    expect(signal.reason).toBeInstanceOf(LeaseLostError)
    expect(signal.reason.reason).toBe('cancelled')
    calls[0]?.finish('late')
    await world.settle()
    expect(connection.of('complete')).toHaveLength(0)
  })

  test('a signal asked for after the lease was lost has fired already', async () => {
    const { calls, handler } = manual()
    const { world, connection, deliver } = await working({ handlers: { q: handler } })
    await deliver([1])
    await world.pass(10_000)
    connection.say({ type: 'renewed', ref: connection.last('heartbeat').ref, lost: [1] })
    await world.settle()
    expect(calls[0]!.ctx.signal.aborted).toBe(true)
    expect(calls[0]!.ctx.signal.reason.reason).toBe('expired')
  })

  test('a revoked delivery that has not started never starts', async () => {
    const { calls, handler } = manual()
    const { world, connection, deliver } = await working({ handlers: { q: handler }, concurrency: 1 })
    await deliver([1, 2])
    connection.say({ type: 'revoke', leases: [2], reason: 'cancelled' })
    await world.settle()
    calls[0]?.finish()
    await world.settle()
    expect(calls).toHaveLength(1)
  })

  test('the time limit fails the attempt at once, even if the handler does not heed its signal', async () => {
    const { calls, handler } = manual()
    const { world, worker, connection, deliver } = await working({ handlers: { q: handler }, concurrency: 1 })
    await deliver([1], { timeLimitMs: 2000 })
    const { signal } = calls[0]!.ctx
    await world.pass(1999)
    expect(signal.aborted).toBe(false)
    await world.pass(1)
    expect(signal.aborted).toBe(true)
    expect(connection.last('fail').failures[0]).toMatchObject({ lease: 1, error: { name: 'TimeLimitExceeded' } })
    expect(worker.stats().running).toBe(1)
    calls[0]?.finish('late')
    await world.settle()
    expect(connection.of('complete')).toHaveLength(0)
    expect(worker.stats().running).toBe(0)
  })

  test('a lease may be lost after its time limit, its handler returned and its failure not yet confirmed', async () => {
    const { calls, handler } = manual()
    const { world, worker, connection, deliver } = await working({ handlers: { q: handler }, concurrency: 1 })
    await deliver([1], { timeLimitMs: 2000 })
    await world.pass(2000)
    calls[0]?.finish('late')
    await world.settle()
    connection.say({ type: 'revoke', leases: [1], reason: 'expired' })
    await world.settle()
    expect(worker.stats()).toMatchObject({ running: 0, settling: 0 })
    await deliver([2])
    expect(calls).toHaveLength(2)
  })

  test('an attempt that ends in time leaves no timer behind', async () => {
    const { world, worker, deliver } = await working({ handlers: { q: () => 1 } })
    const before = world.clock.pending
    await deliver([1], { timeLimitMs: 2000 })
    expect(worker.stats().succeeded).toBe(1)
    expect(world.clock.pending).toBe(before)
  })

  test('after a resume, unconfirmed answers of leases still held are sent again, and no others', async () => {
    const { calls, handler } = manual()
    const { world, worker, connection, deliver } = await working({ handlers: { q: handler } })
    await deliver([1, 2, 3, 4])
    calls[0]?.finish('one')
    calls[1]?.finish('two')
    await world.settle()
    connection.close(1006)
    await world.settle()
    calls[2]?.finish('three')
    await world.pass(500)
    const next = await world.welcome({ resumed: true, lostLeases: [2] })
    expect(next.last('hello').resume?.leases.sort()).toEqual([1, 2, 3, 4])
    expect(next.of('complete').flatMap((m) => m.leases)).toEqual([1, 3])
    expect(next.last('credit').credit).toBe(16)
    expect(worker.stats().running).toBe(1)
    next.say({ type: 'settled', ref: next.last('complete').ref, refused: [] })
    await world.settle()
    expect(worker.stats().settling).toBe(0)
  })

  test('a new session means that every lease is lost', async () => {
    const { calls, handler } = manual()
    const { world, worker, connection, deliver } = await working({ handlers: { q: handler }, concurrency: 1 })
    await deliver([1, 2])
    connection.close(1006)
    await world.pass(500)
    const next = await world.welcome({ session: 's2', resumed: false })
    expect(calls[0]!.ctx.signal.reason.reason).toBe('session_lost')
    calls[0]?.finish()
    await world.settle()
    expect(next.of('complete')).toHaveLength(0)
    expect(calls).toHaveLength(1)
    expect(worker.stats()).toMatchObject({ running: 0, queued: 0, lost: 2 })
  })

  test('a settlement refused as lost is dropped; one refused as busy is said again', async () => {
    const { world, worker, connection, deliver } = await working({ handlers: { q: () => 1 } })
    await deliver([1, 2])
    const first = connection.last('complete')
    connection.say({
      type: 'settled',
      ref: first.ref,
      refused: [
        { index: 0, error: { code: 'lease_lost', message: 'gone' } },
        { index: 1, error: { code: 'busy', message: 'full', retryAfterMs: 700 } },
      ],
    })
    await world.pass(699)
    expect(connection.of('complete')).toHaveLength(1)
    expect(worker.stats().settling).toBe(1)
    await world.pass(1)
    expect(connection.last('complete').leases).toEqual([2])
  })
})

describe('progress', () => {
  test('the newest value travels, at most every 100 ms, and a value that does not fit is left out', async () => {
    const { calls, handler } = manual()
    const { world, connection, deliver } = await working({ handlers: { q: handler } })
    await deliver([1, 2])
    const { progress } = calls[0]!.ctx
    progress(1)
    progress(2)
    await world.settle()
    progress(3)
    calls[1]!.ctx.progress('x'.repeat(5000))
    progress(4)
    await world.pass(99)
    expect(connection.of('reportProgress').map((m) => m.updates)).toEqual([[{ lease: 1, progress: 2 }]])
    await world.pass(1)
    expect(connection.last('reportProgress').updates).toEqual([{ lease: 1, progress: 4 }])
  })

  test('the last value of an attempt arrives before its answer, however short the attempt was', async () => {
    const handler = async (_: unknown, ctx: TaskContext) => {
      ctx.progress(1)
      for (let turn = 0; turn < 30; turn++) await null
      ctx.progress(2)
    }
    const { connection, deliver } = await working({ handlers: { q: handler } })
    await deliver([1])
    const updates = connection.of('reportProgress').flatMap((m) => m.updates.map((update) => update.progress))
    expect(updates).toEqual([1, 2])
    const types = connection.received.map((m) => m.type)
    expect(types.lastIndexOf('reportProgress')).toBeLessThan(types.indexOf('complete'))
  })
})

describe('leaving', () => {
  test('drain takes nothing more, hands back what waits, and lets what runs finish', async () => {
    const { calls, handler } = manual()
    const { world, worker, connection, deliver } = await working({ handlers: { q: handler }, concurrency: 1 })
    await deliver([1, 2])
    let left = false
    void worker.drain({ graceMs: 5000 }).then(() => {
      left = true
    })
    await world.settle()
    expect(connection.last('credit').credit).toBe(0)
    expect(connection.last('release').leases).toEqual([2])
    await deliver([3])
    expect(connection.last('release').leases).toEqual([3])
    calls[0]?.finish('done')
    await world.settle()
    for (const { ref } of connection.of('release')) connection.say({ type: 'settled', ref, refused: [] })
    await world.settle()
    expect(left).toBe(false)
    connection.say({ type: 'settled', ref: connection.last('complete').ref, refused: [] })
    await world.settle()
    expect(left).toBe(true)
    expect(connection.received.at(-1)).toEqual({ type: 'bye' })
    expect(connection.closedBy?.code).toBe(1000)
    expect(world.clock.pending).toBe(0)
  })

  test('after the grace, what still runs is aborted and handed back', async () => {
    const { calls, handler } = manual()
    const { world, worker, connection, deliver } = await working({ handlers: { q: handler } })
    await deliver([1])
    void worker.drain({ graceMs: 5000 })
    await world.pass(5000)
    expect(calls[0]!.ctx.signal.reason.reason).toBe('handed_back')
    expect(connection.last('release').leases).toEqual([1])
    connection.say({ type: 'settled', ref: connection.last('release').ref, refused: [] })
    await world.settle()
    expect(worker.state).toBe('stopped')
  })

  test('a worker without work leaves at once', async () => {
    const { world, worker } = await working({ handlers: { q: () => 1 } })
    void worker.drain()
    await world.settle()
    expect(worker.state).toBe('stopped')
  })

  test('when the broker drains, what runs is settled before the connection is left', async () => {
    const { calls, handler } = manual()
    const { world, connection, deliver } = await working({ handlers: { q: handler }, concurrency: 1 })
    await deliver([1, 2])
    connection.say({ type: 'drain', retryAfterMs: 1000 })
    await world.pass(2000)
    expect(connection.last('release').leases).toEqual([2])
    connection.say({ type: 'settled', ref: connection.last('release').ref, refused: [] })
    calls[0]?.finish()
    await world.settle()
    expect(world.connections).toHaveLength(1)
    connection.say({ type: 'settled', ref: connection.last('complete').ref, refused: [] })
    await world.pass(1500)
    expect(world.connections).toHaveLength(2)
    const next = await world.welcome({ resumed: true })
    expect(next.last('credit').credit).toBe(2)
  })

  test('start rejects and closed resolves when the broker refuses for good', async () => {
    const world = new FakeWorld()
    const worker = createWorker({ url: 'ws://broker', platform: world.platform, handlers: { q: () => 1 } })
    const started = worker.start().catch((error) => error)
    world.connection.open()
    await world.settle()
    world.connection.close(4002)
    await world.settle()
    expect(await started).toMatchObject({ code: 'unsupported_version' })
    await worker.closed
  })
})

test('an executor gets bytes of its own, and its errors decide about the next attempt', async () => {
  const inputs: Uint8Array[] = []
  let closed = false
  const executor: Executor = {
    run: async ({ input, attempt, queue }) => {
      inputs.push(input.bytes)
      if (inputs.length === 2) throw { name: 'Far', message: 'away', retryable: false }
      return { bytes: utf8({ queue, attempt }) }
    },
    close: async () => {
      closed = true
    },
  }
  const { world, worker, connection, deliver } = await working({ handlers: {}, queues: ['q'], executor })
  await deliver([1, 2])
  expect(inputs.map((bytes) => bytes.byteLength === bytes.buffer.byteLength)).toEqual([true, true])
  expect(valuesOf(connection.last('complete'))).toEqual([{ queue: 'q', attempt: 1 }])
  expect(connection.last('fail').failures[0]).toMatchObject({
    retryable: false,
    error: { name: 'Far', message: 'away' },
  })
  void worker.close()
  await world.settle()
  expect(closed).toBe(true)
})

test('options out of range are named', () => {
  const { platform } = new FakeWorld()
  const base = { url: 'ws://broker', platform }
  expect(() => createWorker({ ...base, handlers: { q: () => 1 }, concurrency: 0 })).toThrow('concurrency')
  expect(() => createWorker({ ...base, handlers: {} })).toThrow('at least one queue')
  expect(() => createWorker({ ...base, handlers: { 'a b': () => 1 } })).toThrow('no queue name')
})
