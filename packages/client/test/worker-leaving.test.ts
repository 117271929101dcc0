import { expect, test } from 'vitest'
import { createClient, createWorker, type TaskContext, type WorkerOptions } from '../src/index.ts'
import { bodiesOf, FakeWorld, valuesOf } from './fake-world.ts'

const ID = '01900000-0000-7000-8000-00000000000'

/** A connected worker whose handlers end when the test says so, and heed no signal. */
async function working(options: Partial<WorkerOptions> = {}) {
  const world = new FakeWorld()
  const idle = world.clock.pending
  const calls: { ctx: TaskContext; finish: (value?: unknown) => void }[] = []
  const handlers = { q: (_: unknown, ctx: TaskContext) => new Promise((finish) => void calls.push({ ctx, finish })) }
  const worker = createWorker({ url: 'ws://broker', platform: world.platform, handlers, ...options })
  void worker.start()
  const connection = await world.welcome()
  const deliver = async (leases: number[], over: { timeLimitMs?: number } = {}) => {
    const ids = leases.map((lease) => `${ID}${lease}`)
    const bodies = bodiesOf(...leases)
    world.connection.say({ type: 'deliver', queue: 'q', leaseMs: 30_000, ...over, ids, leases, bodies })
    await world.settle()
  }
  return { world, worker, connection, calls, deliver, idle }
}

test('a draining worker that finds its session gone has nothing to wait for', async () => {
  const { world, worker, connection, deliver } = await working()
  await deliver([1])
  void worker.drain({ graceMs: 60_000 })
  connection.close(1006)
  await world.pass(500)
  await world.welcome({ session: 's2', resumed: false })
  expect(worker.state).toBe('stopped')
})

test('what is done when a worker is closed is told before it says goodbye', async () => {
  const { world, worker, connection, calls, deliver } = await working()
  await deliver([1, 2])
  calls[0]?.finish('done')
  for (let turn = 0; turn < 5; turn++) await null
  expect(worker.stats().settling).toBe(1)
  void worker.close()
  await world.settle()
  expect(connection.received.slice(-2).map(({ type }) => type)).toEqual(['complete', 'bye'])
  expect(valuesOf(connection.last('complete'))).toEqual(['done'])
})

test('a closed worker leaves no timer behind, whatever it was waiting for', async () => {
  const { world, worker, connection, calls, deliver, idle } = await working({ concurrency: 2 })
  await deliver([1, 2], { timeLimitMs: 3_600_000 })
  calls[0]?.ctx.progress(1)
  // One handler goes on although its lease is lost, and the answer of the other is to be given again later.
  connection.say({ type: 'revoke', leases: [1], reason: 'expired' })
  calls[1]?.finish()
  await world.settle()
  const { ref } = connection.last('complete')
  const error = { code: 'busy' as const, message: 'full', retryAfterMs: 30_000 }
  connection.say({ type: 'settled', ref, refused: [{ index: 0, error }] })
  await world.settle()
  expect(worker.stats()).toMatchObject({ running: 1, settling: 1 })
  void worker.close()
  await world.settle()
  expect(world.clock.pending).toBe(idle)
})

test('an answer that is to be given again later is given once, even if the connection is lost meanwhile', async () => {
  const { world, connection, calls, deliver } = await working()
  await deliver([1])
  calls[0]?.finish('done')
  await world.settle()
  // The message as a whole is refused, for now.
  const { ref } = connection.last('complete')
  connection.say({ type: 'error', ref, code: 'busy', message: 'full', retryAfterMs: 2000 })
  await world.settle()
  connection.close(1006)
  await world.pass(500)
  const next = await world.welcome({ resumed: true })
  await world.pass(5000)
  expect(next.of('complete').map(({ leases }) => leases)).toEqual([[1]])
})

test('a message of answers that is refused for now is said again when the broker wishes', async () => {
  const { world, worker, connection, calls, deliver } = await working()
  await deliver([1])
  calls[0]?.finish('done')
  await world.settle()
  const { ref } = connection.last('complete')
  connection.say({ type: 'error', ref, code: 'busy', message: 'full', retryAfterMs: 2000 })
  await world.pass(1999)
  expect(connection.of('complete')).toHaveLength(1)
  await world.pass(1)
  expect(connection.of('complete').map(valuesOf)).toEqual([['done'], ['done']])
  expect(worker.stats()).toMatchObject({ settling: 1, lost: 0 })
})

test('a worker whose executor cannot be closed has left all the same', async () => {
  const { world, worker } = await working({
    handlers: {},
    queues: ['q'],
    executor: { run: async () => ({ bytes: new Uint8Array() }), close: () => Promise.reject(new Error('it hangs')) },
  })
  let left = false
  void worker.close().then(() => {
    left = true
  })
  await world.settle()
  expect(left).toBe(true)
})

/** How many listen to the signal. */
function counted(signal: AbortSignal): () => number {
  let count = 0
  const { addEventListener, removeEventListener } = signal
  signal.addEventListener = (...args: Parameters<typeof addEventListener>) => {
    count += 1
    addEventListener.apply(signal, args)
  }
  signal.removeEventListener = (...args: Parameters<typeof removeEventListener>) => {
    count -= 1
    removeEventListener.apply(signal, args)
  }
  return () => count
}

test('a signal closes a worker, before it is connected as well', async () => {
  const controller = new AbortController()
  const { world, worker, calls, deliver } = await working({ signal: controller.signal })
  await deliver([1])
  controller.abort()
  await worker.closed
  expect(calls[0]?.ctx.signal.aborted).toBe(true)
  const late = createWorker({
    url: 'ws://broker',
    platform: world.platform,
    handlers: { q: () => 1 },
    signal: controller.signal,
  })
  await expect(late.start()).rejects.toThrow('closed before it was connected')
})

test('a signal that outlives many clients and workers does not keep them', async () => {
  const world = new FakeWorld()
  const { signal } = new AbortController()
  const count = counted(signal)
  const base = { url: 'ws://broker', platform: world.platform, signal }
  const client = createClient(base)
  const refused = createClient(base)
  const worker = createWorker({ ...base, handlers: { q: () => 1 } })
  expect(count()).toBe(3)
  await client.close({ drainMs: 0 }).catch(() => {})
  world.connection.close(4001)
  await world.settle()
  expect(refused.state).toBe('failed')
  await worker.close()
  await world.pass(1)
  expect(count()).toBe(0)
})
