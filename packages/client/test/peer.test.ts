import { expect, test } from 'vitest'
import { createPeer, type Peer, silentLogger } from '../src/index.ts'
import { bodiesOf, type FakeConnection, FakeWorld, valuesOf } from './fake-world.ts'

const ID = '01890a5d-ac96-774b-bcce-00000000000'

interface Rig {
  world: FakeWorld
  connection: FakeConnection
  peer: Peer
  /** Ends the handlers that run. */
  finish: () => void
  deliver: (...leases: number[]) => Promise<void>
}

async function connected(): Promise<Rig> {
  const world = new FakeWorld()
  const { promise, resolve } = Promise.withResolvers<void>()
  const handler = async (input: unknown): Promise<unknown> => {
    await promise
    return input
  }
  const peer = createPeer({
    url: 'ws://broker',
    platform: world.platform,
    logger: silentLogger,
    handlers: { q: handler },
  })
  const connection = await world.welcome()
  const deliver = async (...leases: number[]): Promise<void> => {
    const ids = leases.map((lease) => `${ID}${lease}`)
    connection.say({ type: 'deliver', queue: 'q', leaseMs: 30_000, ids, leases, bodies: bodiesOf(...leases) })
    await world.settle()
  }
  return { world, connection, peer, finish: resolve, deliver }
}

test('a peer submits and works over one connection, with one session', async () => {
  const { world, connection, peer, finish, deliver } = await connected()
  expect(world.connections).toHaveLength(1)
  expect(connection.of('hello').map(({ roles }) => [...roles].sort())).toEqual([['producer', 'worker']])
  expect(connection.last('credit')).toMatchObject({ credit: 16, queues: ['q'] })
  const submission = peer.client.submit('other', { n: 1 })
  await deliver(7)
  finish()
  await world.settle()
  expect(valuesOf(connection.last('submit'))).toEqual([{ n: 1 }])
  expect(connection.last('complete').leases).toEqual([7])
  const refs = [connection.last('submit').ref, connection.last('complete').ref]
  expect(refs[0]).not.toBe(refs[1])
  connection.say({ type: 'submitted', ref: refs[0]!, refused: [] }, { type: 'settled', ref: refs[1]!, refused: [] })
  await world.settle()
  expect((await submission).queue).toBe('other')
  expect(peer.worker.stats()).toMatchObject({ succeeded: 1, settling: 0 })
})

test('after a lost connection the session is resumed with the leases of the worker', async () => {
  const { world, connection, deliver } = await connected()
  await deliver(3, 4)
  connection.close(1006)
  await world.pass(1000)
  const again = await world.welcome({ resumed: true })
  expect(again.last('hello')).toMatchObject({ resume: { session: 's1', leases: [3, 4] } })
})

test('a worker that leaves hands its leases back, and the client goes on', async () => {
  const { world, connection, peer, deliver } = await connected()
  await deliver(1, 2)
  await peer.worker.close()
  await world.settle()
  expect(connection.last('credit').credit).toBe(0)
  expect(connection.last('release').leases).toEqual([1, 2])
  expect(connection.of('bye')).toEqual([])
  await deliver(5)
  expect(connection.last('release').leases).toEqual([5])
  const submission = peer.client.submit('other', 1).catch((error: unknown) => error)
  await world.settle()
  expect(connection.of('submit')).toHaveLength(1)
  const closed = peer.client.close({ drainMs: 0 })
  await world.pass(1)
  await Promise.all([closed, submission])
  expect(connection.of('bye')).toHaveLength(1)
})

test('a client that leaves lets the worker go on', async () => {
  const { world, connection, peer, finish, deliver } = await connected()
  await deliver(1)
  await peer.client.close({ drainMs: 0 })
  finish()
  await world.settle()
  expect(connection.of('bye')).toEqual([])
  expect(connection.last('complete').leases).toEqual([1])
  connection.say({ type: 'settled', ref: connection.last('complete').ref, refused: [] })
  await world.settle()
  await peer.close()
  await world.settle()
  expect(connection.of('bye')).toHaveLength(1)
  expect(world.clock.pending).toBe(0)
})

test('a broker that drains is left when neither half needs it any more', async () => {
  const { world, connection, peer, finish, deliver } = await connected()
  await deliver(1)
  const submission = peer.client.submit('other', 1, { watch: false })
  await world.settle()
  connection.say({ type: 'submitted', ref: connection.last('submit').ref, refused: [] })
  connection.say({ type: 'drain', retryAfterMs: 100 })
  await world.settle()
  await submission
  expect(connection.closedBy).toBe(undefined)
  finish()
  await world.settle()
  connection.say({ type: 'settled', ref: connection.last('complete').ref, refused: [] })
  await world.settle()
  expect(connection.closedBy).toMatchObject({ code: 1001 })
})

test('a refusal for good ends both halves', async () => {
  const { world, connection, peer } = await connected()
  const submission = peer.client.submit('other', 1).catch((error: unknown) => error)
  connection.say({ type: 'error', code: 'unauthorized', message: 'no' })
  connection.close(4001)
  await world.settle()
  expect(await submission).toMatchObject({ code: 'unauthorized' })
  await peer.worker.closed
  expect([peer.client.state, peer.worker.state]).toEqual(['failed', 'stopped'])
})
