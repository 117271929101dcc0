import { Bodies, type Deliver, type Start, type Welcome } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { createClient, createWorker, type Executor, type TaskContext, type WorkerOptions } from '../src/index.ts'
import { bodiesOf, type FakeConnection, FakeWorld } from './fake-world.ts'

const HEARTBEAT_MS = 10_000
/** How long a handler may go on after its signal has fired before it counts as running no more. */
const UNHEEDED_MS = 2000

interface Call {
  lease: number
  ctx: TaskContext
  finish: (value?: unknown) => void
  /** What had arrived at the socket when the handler was called, of begin alone. */
  begun: number[]
}

/** A connected worker whose handlers end when the test says so. */
async function working(options: Partial<WorkerOptions> = {}, over: Partial<Welcome> = { begins: true }) {
  const world = new FakeWorld()
  const calls: Call[] = []
  const handler = (input: unknown, ctx: TaskContext) =>
    new Promise((finish) => void calls.push({ lease: input as number, ctx, finish, begun: leftBy(world) }))
  const worker = createWorker({
    url: 'ws://broker',
    platform: world.platform,
    handlers: { q: handler },
    concurrency: 4,
    ...options,
  })
  void worker.start()
  const connection = await world.welcome({ heartbeatMs: HEARTBEAT_MS, ...over })
  const deliver = async (leases: number[], start?: Start, fields: Partial<Deliver> = {}) => {
    world.connection.say(delivery(leases, start, fields))
    await world.settle()
  }
  return { world, worker, connection, calls, deliver, running: () => calls.map(({ lease }) => lease) }
}

function delivery(leases: number[], start?: Start, fields: Partial<Deliver> = {}): Deliver {
  const ids = leases.map((lease) => `01900000-0000-7000-8000-${String(lease).padStart(12, '0')}`)
  const bodies = bodiesOf(...leases)
  return { type: 'deliver', queue: 'q', leaseMs: 30_000, ...fields, ...(start && { start }), ids, leases, bodies }
}

/** The leases of every begin that has left the worker so far, whether or not it has arrived. */
function leftBy(world: FakeWorld): number[] {
  world.connection.carryToBroker()
  return begun(world.connection)
}

function begun(connection: FakeConnection): number[] {
  return connection.of('begin').map(({ lease }) => lease)
}

function types(connection: FakeConnection): string[] {
  return connection.received.map(({ type }) => type)
}

async function reconnect(world: FakeWorld, over: Partial<Welcome> = {}): Promise<FakeConnection> {
  const { length } = world.connections
  world.connection.close(1006)
  while (world.connections.length === length) await world.pass(50)
  return await world.welcome({ heartbeatMs: HEARTBEAT_MS, begins: true, ...over })
}

describe('a worker and a broker', () => {
  test('[BEGIN-2] a worker says that it begins, and a producer does not', async () => {
    const { world, connection } = await working()
    expect(connection.last('hello')).toMatchObject({ begins: true })
    const producer = createClient({ url: 'ws://broker', platform: world.platform })
    const { connection: other } = world
    other.open()
    await world.settle()
    expect(other.last('hello')).not.toHaveProperty('begins')
    await producer.close({ drainMs: 0 })
  })

  test.each([undefined, 'announced', 'alone'] as const)(
    '[BEGIN-2] a broker that does not understand begin never hears it (start: %s)',
    async (start) => {
      const { world, calls, running, deliver } = await working({}, {})
      await deliver([1, 2], start)
      calls[0]?.finish()
      await world.settle()
      expect(running()).toEqual([1, 2])
      expect(begun(world.connection)).toEqual([])
    },
  )
})

describe('an ordinary delivery', () => {
  test('[BEGIN-3] what still runs at the end of the turn is said to be begun, once for all', async () => {
    const { world, connection, calls, deliver } = await working({ concurrency: 2 })
    const before = connection.frames
    await deliver([1, 2, 3])
    expect([begun(connection), connection.frames - before]).toEqual([[2], 1])
    calls[0]?.finish()
    await world.settle()
    expect([begun(connection), connection.frames - before]).toEqual([[2, 3], 2])
    expect(types(connection).slice(-2)).toEqual(['complete', 'begin'])
    await world.pass(HEARTBEAT_MS)
    expect(begun(connection)).toEqual([2, 3])
  })

  test.each([
    ['returns at once', () => 1],
    ['awaits a little', async () => void (await null)],
    [
      'throws',
      () => {
        throw new Error('it broke')
      },
    ],
  ])('[BEGIN-3] of a handler that %s nothing is said but its answer', async (_, handler) => {
    const { connection, deliver } = await working({ handlers: { q: handler } })
    const before = connection.frames
    await deliver([1, 2, 3, 4, 5, 6])
    await deliver([7])
    expect([begun(connection), connection.frames - before]).toEqual([[], 2])
  })

  test('[BEGIN-3] a quick handler beside a slow one costs no word either', async () => {
    const handler = (input: unknown) => (input === 1 ? new Promise(() => {}) : input)
    const { connection, deliver } = await working({ handlers: { q: handler } })
    await deliver([1, 2])
    await deliver([3, 4])
    await deliver([5])
    expect(begun(connection)).toEqual([2])
  })

  test('[BEGIN-3] of a handler whose lease is lost in the same turn nothing is said', async () => {
    const { world, connection, running } = await working()
    connection.say(delivery([1]), { type: 'revoke', leases: [1], reason: 'cancelled' })
    await world.settle()
    expect([running(), begun(connection)]).toEqual([[1], []])
  })

  test('[BEGIN-3] one that takes the place of a handler that did not heed its signal is said to be begun as well', async () => {
    const { world, connection, calls, deliver } = await working({ concurrency: 1 })
    await deliver([1, 2])
    connection.say({ type: 'revoke', leases: [1], reason: 'cancelled' })
    await world.settle()
    expect(begun(connection)).toEqual([1])
    calls[0]?.finish()
    await world.settle()
    expect(begun(connection)).toEqual([1, 2])
  })

  test('[BEGIN-3] a task that was handed to an executor is begun', async () => {
    const executor: Executor = { run: () => new Promise(() => {}), close: async () => {} }
    const { connection, deliver } = await working({ executor, concurrency: 2 })
    await deliver([1, 2, 3])
    expect(begun(connection)).toEqual([2])
  })

  test('begins although the connection is lost', async () => {
    const { world, connection, calls, deliver, running } = await working({ concurrency: 1 })
    await deliver([1, 2])
    connection.close(1006)
    await world.settle()
    calls[0]?.finish()
    await world.settle()
    expect(running()).toEqual([1, 2])
  })
})

describe('an announced delivery', () => {
  test('[BEGIN-4] begin has left for each task before its handler is called, and for no other', async () => {
    const { calls, running, connection, deliver } = await working({ concurrency: 2 })
    await deliver([1, 2, 3], 'announced')
    expect(calls.map((call) => call.begun)).toEqual([[1], [1, 2]])
    expect(running()).toEqual([1, 2])
    expect(begun(connection)).toEqual([1, 2])
  })

  test('[BEGIN-4] a handler that returns at once is announced all the same', async () => {
    const seen: number[][] = []
    const world = { current: undefined as FakeWorld | undefined }
    const rig = await working({ handlers: { q: () => void seen.push(leftBy(world.current as FakeWorld)) } })
    world.current = rig.world
    await rig.deliver([1, 2], 'announced')
    expect(seen).toEqual([[1], [1, 2]])
    expect(rig.connection.of('complete').flatMap(({ leases }) => leases)).toEqual([1, 2])
  })

  test('[BEGIN-4] an executor is given the task after begin has left', async () => {
    const seen: number[][] = []
    const world = { current: undefined as FakeWorld | undefined }
    const executor: Executor = {
      run: async () => {
        seen.push(leftBy(world.current as FakeWorld))
        return { bytes: Bodies.ofTexts(['1']).at(0) }
      },
      close: async () => {},
    }
    const rig = await working({ executor, concurrency: 1 })
    world.current = rig.world
    await rig.deliver([1, 2], 'announced')
    expect(seen).toEqual([[1], [1, 2]])
  })

  test('[BEGIN-4] it waits while the word is still in the socket, and so does what is behind it', async () => {
    const { world, connection, running, deliver } = await working()
    connection.socket.bufferedBytes = 100
    await deliver([1], 'announced')
    await deliver([2])
    await world.pass(1000)
    expect([begun(connection), running()]).toEqual([[1], []])
    connection.socket.bufferedBytes = 0
    await world.pass(10)
    expect([begun(connection), running()]).toEqual([
      [1, 2],
      [1, 2],
    ])
  })

  test('[BEGIN-4] what waits for its word leaves with a worker that is closed, and no timer stays', async () => {
    const { world, worker, connection, deliver, running } = await working()
    connection.socket.bufferedBytes = 100
    await deliver([1], 'announced')
    void worker.close()
    await world.settle()
    expect(world.clock.pending).toBe(0)
    expect(running()).toEqual([])
  })

  test('[BEGIN-4] answers given before leave before the word', async () => {
    const { world, calls, deliver } = await working({ concurrency: 1 })
    await deliver([1])
    await deliver([2], 'announced')
    calls[0]?.finish()
    await world.settle()
    expect(types(world.connection).slice(-3)).toEqual(['begin', 'complete', 'begin'])
    expect(begun(world.connection)).toEqual([1, 2])
  })

  test('[BEGIN-5] without a connection it waits, and all behind it, until the word can leave', async () => {
    const { world, connection, calls, running, deliver } = await working({ concurrency: 1 })
    await deliver([1])
    await deliver([2], 'announced')
    await deliver([3])
    connection.close(1006)
    await world.settle()
    calls[0]?.finish()
    await world.settle()
    expect(running()).toEqual([1])
    while (world.connections.length === 1) await world.pass(50)
    const next = await world.welcome({ begins: true, resumed: true })
    expect(next.last('hello').resume).toEqual({ session: 's1', leases: [1, 2, 3], begun: 1 })
    expect(running()).toEqual([1, 2])
    expect(calls[1]?.begun).toEqual([2])
  })

  test('[BEGIN-5] a word that had left before the connection was lost is said again where nothing was begun', async () => {
    const { world, connection, running, deliver } = await working()
    connection.socket.bufferedBytes = 100
    await deliver([1], 'announced')
    const next = await reconnect(world, { resumed: true })
    expect(next.last('hello').resume?.begun).toBe(0)
    expect([begun(connection), begun(next), running()]).toEqual([[1], [1], [1]])
  })

  test('[BEGIN-5] where the next broker does not understand begin, it begins without', async () => {
    const { world, connection, running, deliver } = await working()
    connection.socket.bufferedBytes = 100
    await deliver([1], 'announced')
    const { begins: _, ...silent } = world.welcomeMessage({ resumed: true })
    connection.close(1006)
    while (world.connections.length === 1) await world.pass(50)
    world.connection.open()
    await world.settle()
    world.connection.say(silent)
    await world.settle()
    expect([begun(world.connection), running()]).toEqual([[], [1]])
  })

  test.each(['revoked', 'not renewed', 'lost while away'])(
    '[BEGIN-5] one that waits and is %s is not begun, and what is behind it is',
    async (how) => {
      const { world, connection, running, deliver } = await working()
      world.bufferedBytes = 100
      connection.socket.bufferedBytes = 100
      await deliver([1], 'announced')
      await deliver([2])
      if (how === 'revoked') connection.say({ type: 'revoke', leases: [1], reason: 'expired' })
      else if (how === 'not renewed') {
        await world.pass(HEARTBEAT_MS)
        expect(connection.last('heartbeat').leases).toEqual([1, 2])
        connection.say({ type: 'renewed', ref: connection.last('heartbeat').ref, lost: [1] })
      } else await reconnect(world, { resumed: true, lostLeases: [1] })
      await world.settle()
      expect(running()).toEqual([2])
    },
  )
})

describe('a delivery that is to run alone', () => {
  test('[BEGIN-6] it begins when nothing else runs, nothing begins beside it, and the order is kept', async () => {
    const { world, connection, calls, running, deliver } = await working()
    await deliver([1, 2])
    await deliver([3, 4], 'alone')
    await deliver([5, 6])
    expect(running()).toEqual([1, 2])
    calls[1]?.finish()
    await world.settle()
    expect(running()).toEqual([1, 2])
    calls[0]?.finish()
    await world.settle()
    expect(running()).toEqual([1, 2, 3])
    expect(calls[2]?.begun).toEqual([2, 3])
    calls[2]?.finish()
    await world.settle()
    expect(running()).toEqual([1, 2, 3, 4])
    calls[3]?.finish()
    await world.settle()
    expect(running()).toEqual([1, 2, 3, 4, 5, 6])
    expect(begun(connection)).toEqual([2, 3, 4, 6])
  })

  test('[BEGIN-6] those whose handlers return at once run one after the other, and what is behind them too', async () => {
    const order: unknown[] = []
    const { connection, deliver } = await working({ handlers: { q: (input) => void order.push(input) } })
    await deliver([1, 2, 3], 'alone')
    await deliver([4, 5])
    expect(order).toEqual([1, 2, 3, 4, 5])
    expect(begun(connection)).toEqual([1, 2, 3])
  })

  test('[BEGIN-6] a handler whose signal has fired is waited for, while it may still heed it', async () => {
    const { world, connection, calls, running, deliver } = await working()
    await deliver([1])
    await deliver([2], 'alone')
    connection.say({ type: 'revoke', leases: [1], reason: 'cancelled' })
    await world.pass(UNHEEDED_MS - 1)
    expect(running()).toEqual([1])
    calls[0]?.finish()
    await world.settle()
    expect(running()).toEqual([1, 2])
  })

  test('[BEGIN-7] one that goes on for two seconds after its signal is waited for no longer', async () => {
    const { world, worker, connection, calls, running, deliver } = await working()
    await deliver([1, 2])
    await deliver([3], 'alone')
    await deliver([4])
    connection.say({ type: 'revoke', leases: [1], reason: 'cancelled' })
    await world.pass(2 * UNHEEDED_MS)
    // The other one has not been told to stop.
    expect(running()).toEqual([1, 2])
    calls[1]?.finish()
    await world.settle()
    expect(running()).toEqual([1, 2, 3])
    calls[2]?.finish()
    await world.settle()
    expect(running()).toEqual([1, 2, 3, 4])
    expect(worker.stats()).toMatchObject({ running: 2, queued: 0 })
    calls[0]?.finish()
    await deliver([5], 'alone')
    expect(running()).toEqual([1, 2, 3, 4])
    calls[3]?.finish()
    await world.settle()
    expect(running()).toEqual([1, 2, 3, 4, 5])
    expect(connection.of('release')).toEqual([])
  })

  test('[BEGIN-7] one that ran alone and does not heed its signal keeps its place and no more', async () => {
    const { world, connection, running, deliver } = await working({ concurrency: 2 })
    await deliver([1], 'alone', { timeLimitMs: 1000 })
    await deliver([2])
    await world.pass(1000 + UNHEEDED_MS - 1)
    expect(connection.of('fail')).toHaveLength(1)
    expect(running()).toEqual([1])
    await world.pass(1)
    expect([running(), begun(connection)]).toEqual([
      [1, 2],
      [1, 2],
    ])
  })

  test('[BEGIN-7] where no place is free of such handlers, it is handed back with all that waits', async () => {
    const { world, connection, running, deliver, calls } = await working({ concurrency: 1 })
    await deliver([1], undefined, { timeLimitMs: 1000 })
    await deliver([2], 'alone')
    await world.pass(1000 + UNHEEDED_MS)
    expect([running(), connection.last('release').leases]).toEqual([[1], [2]])
    expect(connection.last('credit').credit).toBe(0)
    calls[0]?.finish()
    await world.settle()
    expect([running(), connection.last('credit').credit]).toEqual([[1], 2])
  })

  test.each([
    ['worker', ({ worker }: Rig) => void worker.drain({ graceMs: 5000 })],
    ['broker', ({ connection }: Rig) => connection.say({ type: 'drain', retryAfterMs: 1000 })],
  ])('one that waits is handed back when the %s drains', async (_, drain) => {
    const rig = await working()
    await rig.deliver([1])
    await rig.deliver([2], 'alone')
    drain(rig)
    await rig.world.settle()
    expect(rig.connection.last('release').leases).toEqual([2])
    rig.calls[0]?.finish()
    await rig.world.settle()
    expect(rig.running()).toEqual([1])
  })

  test('one that waits and is cancelled lets those behind it begin', async () => {
    const { world, connection, running, deliver } = await working()
    await deliver([1])
    await deliver([2], 'alone')
    await deliver([3])
    connection.say({ type: 'revoke', leases: [2], reason: 'cancelled' })
    await world.settle()
    expect([running(), begun(connection)]).toEqual([
      [1, 3],
      [1, 3],
    ])
  })
})

type Rig = Awaited<ReturnType<typeof working>>

describe('a session that is resumed', () => {
  test('[BEGIN-8] hello says what was begun meanwhile, and it is not said again', async () => {
    const { world, connection, calls, deliver } = await working({ concurrency: 1 })
    await deliver([1, 2, 3])
    connection.close(1006)
    await world.settle()
    calls[0]?.finish()
    await world.settle()
    while (world.connections.length === 1) await world.pass(50)
    const next = await world.welcome({ begins: true, resumed: true })
    expect(next.last('hello').resume).toEqual({ session: 's1', leases: [1, 2, 3], begun: 2 })
    expect(begun(next)).toEqual([])
    calls[1]?.finish()
    await world.settle()
    expect(begun(next)).toEqual([3])
  })

  test('[BEGIN-8] a handler that began between hello and welcome is said to be begun behind them', async () => {
    const { world, connection, calls, deliver } = await working({ concurrency: 1 })
    await deliver([1, 2])
    connection.close(1006)
    while (world.connections.length === 1) await world.pass(50)
    const next = world.connection
    next.open()
    await world.settle()
    calls[0]?.finish()
    await world.settle()
    next.say(world.welcomeMessage({ begins: true, resumed: true }))
    await world.settle()
    expect(next.last('hello').resume?.begun).toBe(1)
    expect(begun(next)).toEqual([2])
  })

  test('[BEGIN-8] a new session starts anew, whatever the leases of the old one were', async () => {
    const { world, calls, deliver } = await working()
    await deliver([101, 102])
    const second = await reconnect(world, { session: 's2', resumed: false })
    await deliver([7])
    expect(begun(second)).toEqual([7])
    // The handlers of the old session have not returned, and when they do nothing is told of them.
    calls[0]?.finish()
    await world.settle()
    expect(begun(second)).toEqual([7])
    const third = await reconnect(world, { session: 's2', resumed: true })
    expect(third.last('hello').resume).toEqual({ session: 's2', leases: [7], begun: 7 })
    const fourth = await reconnect(world, { session: 's3', resumed: false })
    const fifth = await reconnect(world, { session: 's3', resumed: true })
    expect([third, fourth, fifth].map(begun)).toEqual([[], [], []])
    expect(fifth.last('hello').resume).toEqual({ session: 's3', leases: [], begun: 0 })
  })
})

describe('a lease that is answered', () => {
  test('[ORDER-1] one that a renewal does not know any more is left to its verdict', async () => {
    const { world, worker, connection, calls, deliver } = await working()
    await deliver([1, 2, 3])
    await world.pass(HEARTBEAT_MS)
    calls[0]?.finish()
    calls[1]?.finish()
    await world.settle()
    connection.say({ type: 'renewed', ref: connection.last('heartbeat').ref, lost: [1, 2, 3] })
    await world.settle()
    expect(worker.stats()).toMatchObject({ settling: 2, lost: 1 })
    expect(calls.map(({ ctx }) => ctx.signal.aborted)).toEqual([false, false, true])
    const error = { code: 'lease_lost' as const, message: 'gone' }
    connection.say({ type: 'settled', ref: connection.last('complete').ref, refused: [{ index: 1, error }] })
    await world.settle()
    expect(worker.stats()).toMatchObject({ settling: 0, lost: 2, succeeded: 2 })
    await world.pass(HEARTBEAT_MS)
    expect(connection.of('complete')).toHaveLength(1)
  })

  test('[BEAT-1] an answer that the broker wants to hear later keeps its lease alive, and can be lost until it is said again', async () => {
    const { world, worker, connection, calls, deliver } = await working()
    await deliver([1, 2])
    calls[0]?.finish()
    calls[1]?.finish()
    await world.settle()
    const error = { code: 'busy' as const, message: 'full', retryAfterMs: 15_000 }
    const refused = [0, 1].map((index) => ({ index, error }))
    connection.say({ type: 'settled', ref: connection.last('complete').ref, refused })
    await world.pass(HEARTBEAT_MS)
    expect(connection.last('heartbeat').leases).toEqual([1, 2])
    connection.say({ type: 'renewed', ref: connection.last('heartbeat').ref, lost: [1] })
    await world.pass(5001)
    expect(connection.of('complete').map(({ leases }) => leases)).toEqual([[1, 2], [2]])
    expect(worker.stats()).toMatchObject({ settling: 1, lost: 1 })
    const { length } = connection.of('heartbeat')
    await world.pass(HEARTBEAT_MS)
    expect(connection.of('heartbeat')).toHaveLength(length)
  })
})
