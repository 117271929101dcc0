import { describe, expect, test } from 'vitest'
import { type ConnectionState, createWorker } from '../src/index.ts'
import { bodiesOf, type FakeConnection, FakeWorld } from './fake-world.ts'

const ID = '01900000-0000-7000-8000-00000000000'

/** A worker whose handlers run until they are told to return. */
async function connected(concurrency: number, prefetch: number) {
  const world = new FakeWorld()
  const returns = new Map<unknown, () => void>()
  const states: ConnectionState[] = []
  const worker = createWorker({
    url: 'ws://broker',
    platform: world.platform,
    concurrency,
    prefetch,
    onConnectionChange: (state) => states.push(state),
    handlers: { q: (input) => new Promise<void>((resolve) => returns.set(input, resolve)) },
  })
  void worker.start()
  const connection = await world.welcome()
  return { world, worker, connection, returns, states }
}

async function deliver(world: FakeWorld, connection: FakeConnection, ...numbers: number[]): Promise<void> {
  const ids = numbers.map((number) => `${ID}${number}`)
  connection.say({ type: 'deliver', queue: 'q', leaseMs: 30_000, ids, leases: numbers, bodies: bodiesOf(...numbers) })
  await world.settle()
}

describe('a worker that is resized', () => {
  test('announces its new credit, and starts what there is room for now', async () => {
    const { world, worker, connection, returns } = await connected(1, 2)
    await deliver(world, connection, 1, 2, 3)
    expect([...returns.keys()]).toEqual([1])
    worker.resize({ concurrency: 2, prefetch: 1 })
    await world.settle()
    expect([...returns.keys()]).toEqual([1, 2])
    expect(connection.last('credit').credit).toBe(3)
    worker.resize({ concurrency: 4 })
    await world.settle()
    expect([...returns.keys()]).toEqual([1, 2, 3])
    expect(connection.last('credit').credit).toBe(8)
  })

  test('to nothing hands back what waits, lets what runs finish, and is delivered nothing', async () => {
    const { world, worker, connection, returns } = await connected(1, 1)
    await deliver(world, connection, 1, 2)
    worker.resize({ concurrency: 0, prefetch: 5 })
    await world.settle()
    expect(connection.last('credit').credit).toBe(0)
    expect(connection.of('release').map(({ leases }) => leases)).toEqual([[2]])
    await deliver(world, connection, 3)
    expect(connection.of('release').map(({ leases }) => leases)).toEqual([[2], [3]])
    returns.get(1)?.()
    await world.settle()
    expect(connection.of('complete')).toHaveLength(1)
    expect(worker.state).toBe('working')
    worker.resize({ concurrency: 1, prefetch: 0 })
    await deliver(world, connection, 4)
    expect(returns.has(4)).toBe(true)
  })

  test('keeps its size across a reconnection', async () => {
    const { world, worker, connection } = await connected(4, 4)
    worker.resize({ concurrency: 0 })
    connection.close(1006)
    while (world.connections.length === 1) await world.pass(50)
    const again = await world.welcome({ resumed: true })
    expect(again.last('credit').credit).toBe(0)
  })

  test.each([-1, 0.5, Number.NaN])('to %s is refused', async (size) => {
    const { worker } = await connected(1, 1)
    expect(() => worker.resize({ concurrency: size })).toThrow('concurrency has to be a whole number of at least 0')
    expect(() => worker.resize({ concurrency: 1, prefetch: size })).toThrow('prefetch has to be')
  })
})

test('a worker tells how its connection goes, and why there is none', async () => {
  const { world, worker, connection, states } = await connected(1, 1)
  expect(states).toEqual(['connecting', 'handshaking', 'ready'])
  expect(worker.trouble).toBeUndefined()
  connection.close(1006, 'the cable is out')
  await world.settle()
  expect(states.at(-1)).toBe('backingOff')
  expect(worker.trouble).toBe('no connection to ws://broker: the cable is out')
  await worker.close()
  expect(states.at(-1)).toBe('stopped')
})
