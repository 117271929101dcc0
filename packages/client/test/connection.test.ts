import { DEFAULT_LIMITS, type Limits } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { createClient, createWorker, silentLogger } from '../src/index.ts'
import { FakeWorld } from './fake-world.ts'

function connecting(limits: Partial<Limits> = {}) {
  const world = new FakeWorld(limits)
  const states: string[] = []
  const client = createClient({ url: 'ws://broker', platform: world.platform })
  client.onStateChange((state) => states.push(state))
  return { world, client, states }
}

test('a socket that does not open in time is given up, and another is tried', async () => {
  const { world, states } = connecting()
  await world.pass(10_000)
  expect(world.connections[0]?.closedBy?.reason).toBe('connect timeout')
  expect(states.at(-1)).toBe('backingOff')
  await world.pass(250)
  expect(world.connections).toHaveLength(2)
})

test('what a socket says after it was given up is not heard', async () => {
  const { world, states } = connecting()
  const [first] = world.connections
  await world.pass(10_000)
  first?.open()
  first?.say(world.welcomeMessage())
  await world.settle()
  expect(states.at(-1)).toBe('backingOff')
})

test('hello is answered in time or the connection is given up', async () => {
  const { world, states } = connecting()
  world.connection.open()
  await world.pass(10_000)
  expect(world.connections[0]?.closedBy?.reason).toBe('hello timeout')
  expect(states.at(-1)).toBe('backingOff')
})

test('the back-off grows to its cap with full jitter, and starts over only after a stable connection', async () => {
  const { world } = connecting()
  world.draw = 0.999999
  const waits: number[] = []
  const refuse = async () => {
    const { connection } = world
    const count = world.connections.length
    const fromMs = world.clock.nowMs
    connection.close(1006)
    await world.settle()
    while (world.connections.length === count) await world.pass(1)
    waits.push(world.clock.nowMs - fromMs)
  }
  for (let i = 0; i < 9; i++) await refuse()
  expect(waits).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000].map((ms) => ms - 1))
  waits.length = 0
  await world.welcome()
  await world.pass(9000)
  await refuse()
  expect(waits).toEqual([9999])
  await world.welcome()
  await world.pass(10_000)
  await refuse()
  expect(waits[1]).toBe(249)
  world.draw = 0
  await refuse()
  expect(waits[2]).toBeLessThanOrEqual(1)
}, 60_000)

test("a busy broker's wish is the floor of the wait", async () => {
  const { world } = connecting()
  world.connection.open()
  await world.settle()
  world.connection.say({ type: 'error', code: 'busy', message: 'too many connections', retryAfterMs: 7000 })
  world.connection.close(4008)
  await world.pass(6999)
  expect(world.connections).toHaveLength(1)
  await world.pass(300)
  expect(world.connections).toHaveLength(2)
})

test('a socket that does not say why it closed is told by how far it came', async () => {
  const world = new FakeWorld()
  const lines: string[] = []
  const logger = { ...silentLogger, warn: (_: object, message: string) => void lines.push(message) }
  createClient({ url: 'ws://user:secret@broker', platform: world.platform, logger })
  world.connection.close(1006)
  await world.pass(200)
  await world.welcome()
  world.connection.close(1006)
  await world.settle()
  expect(lines).toEqual([
    'no connection to ws://broker: no WebSocket opens there, and the runtime does not say why (is it a broker?); next try in 125 ms',
    'no connection to ws://broker: the connection broke off; next try in 250 ms',
  ])
})

test('what was refused some time before the connection broke says nothing about why it did', async () => {
  const { world, client } = connecting()
  const connection = await world.welcome()
  connection.say({ type: 'error', code: 'not_permitted', message: 'that needs a role' })
  connection.say({ type: 'error', code: 'busy', message: 'too many queues', retryAfterMs: 60_000 })
  await world.settle()
  connection.say({ type: 'pong', ref: 1 })
  connection.close(1006)
  await world.pass(500)
  expect(client.state).toBe('connecting')
})

test.each([4000, 4001, 4002, 4005])('close code %i ends it for good', async (code) => {
  const { world, states } = connecting()
  await world.welcome()
  world.connection.close(code)
  await world.pass(120_000)
  expect(states.at(-1)).toBe('failed')
  expect(world.connections).toHaveLength(1)
})

test.each([1001, 1006, 1011, 4003, 4004, 4007, 4009])('close code %i is followed by another attempt', async (code) => {
  const { world } = connecting()
  await world.welcome()
  world.connection.close(code)
  await world.pass(1000)
  expect(world.connections).toHaveLength(2)
})

test('bytes that are no frame end the connection for good', async () => {
  const { world, client } = connecting()
  const connection = await world.welcome()
  connection.sayRaw('{')
  await world.settle()
  expect(connection.closedBy?.code).toBe(4000)
  expect(client.state).toBe('failed')
})

test('a ping is answered, and one is sent every heartbeat', async () => {
  const { world } = connecting()
  const connection = await world.welcome({ heartbeatMs: 1000 })
  connection.say({ type: 'ping', ref: 9 })
  await world.pass(1000)
  expect(connection.last('pong').ref).toBe(9)
  expect(connection.of('ping')).toHaveLength(1)
})

test('a broker silent for two and a half heartbeats is reconnected to, with the session', async () => {
  const { world, client } = connecting()
  const connection = await world.welcome({ heartbeatMs: 1000 })
  connection.dead = true
  await world.pass(2499)
  expect(client.state).toBe('ready')
  await world.pass(1)
  expect(connection.closedBy?.code).toBe(4007)
  await world.pass(500)
  const next = await world.welcome({ resumed: true })
  expect(next.last('hello').resume).toEqual({ session: 's1', leases: [] })
})

test('a broker that answers pings is never given up', async () => {
  const { world, client } = connecting()
  const connection = await world.welcome({ heartbeatMs: 1000 })
  for (let second = 0; second < 60; second++) {
    connection.say({ type: 'pong', ref: second })
    await world.pass(1000)
  }
  expect(client.state).toBe('ready')
  expect(world.connections).toHaveLength(1)
})

test('after the machine slept, a dead socket is found out within one heartbeat', async () => {
  const { world, client } = connecting()
  const connection = await world.welcome({ heartbeatMs: 1000 })
  connection.dead = true
  world.clock.nowMs += 3_600_000
  await world.pass(1)
  expect(client.state).toBe('ready')
  await world.pass(1000)
  expect(client.state).not.toBe('ready')
})

test('a process that was blocked, with a living socket, keeps its connection', async () => {
  const { world, client } = connecting()
  const connection = await world.welcome({ heartbeatMs: 1000 })
  world.clock.nowMs += 60_000
  await world.pass(1)
  for (const { ref } of connection.of('ping')) connection.say({ type: 'pong', ref })
  await world.pass(1500)
  expect(client.state).toBe('ready')
  expect(world.connections).toHaveLength(1)
})

test.each(['localhost:7331', 'http://localhost:7331', 'ws://', ''])(
  'a URL that is none of a WebSocket is refused: %s',
  (url) => {
    const { platform } = new FakeWorld()
    expect(() => createClient({ url, platform })).toThrow('ws://')
    expect(() => createWorker({ url, platform, handlers: { q: () => 1 } })).toThrow('ws://')
  },
)

test('a bound that cannot work is refused by its name', () => {
  const { platform } = new FakeWorld()
  const base = { url: 'ws://broker', platform }
  for (const watchedMax of [0, 1.5, Number.NaN])
    expect(() => createClient({ ...base, watchedMax })).toThrow('watchedMax')
})

test('what the platform says can never connect is thrown at once, and nothing is left behind', async () => {
  const world = new FakeWorld()
  const platform = {
    ...world.platform,
    connect: () => {
      throw new SyntaxError('bad url')
    },
  }
  expect(() => createClient({ url: 'ws://nonsense', platform })).toThrow('bad url')
  const worker = createWorker({ url: 'ws://nonsense', platform, handlers: { q: () => 1 } })
  await expect(worker.start()).rejects.toThrow('bad url')
  await worker.closed
  expect(world.clock.pending).toBe(0)
})

test('[HELLO-4] each role announces itself, its name and its labels, and the token travels in hello only', async () => {
  const world = new FakeWorld()
  const worker = createWorker({
    url: 'ws://broker',
    platform: world.platform,
    handlers: { q: () => 1 },
    token: 'secret',
    name: 'host-1',
    labels: { gpu: '', memoryGb: '64' },
  })
  void worker.start()
  const connection = await world.welcome()
  expect(connection.last('hello')).toMatchObject({ roles: ['worker'], versions: [1], token: 'secret', name: 'host-1' })
  expect(connection.last('hello').labels).toEqual({ gpu: '', memoryGb: '64' })
})

test('[HELLO-4] labels that a broker would refuse are refused before anything is opened', () => {
  const { platform } = new FakeWorld()
  const made = (labels: object) => () =>
    createWorker({
      url: 'ws://broker',
      platform,
      handlers: { q: () => 1 },
      labels: labels as Record<string, string>,
    })
  expect(made({ gpu: 1 })).toThrow('labels.gpu: A string is needed here.')
  expect(made({ 'gpu>1': '' })).toThrow('labels: "gpu>1" names no label.')
})

test('a broker that comes back with wider limits is understood from its welcome on', async () => {
  const { world, states } = connecting({ frameBytesMax: 4096, bodyBytesMax: 1024, batchItemsMax: 3 })
  await world.welcome()
  world.connection.close(1006)
  while (world.connections.length === 1) await world.pass(10)
  Object.assign(world.limits, DEFAULT_LIMITS)
  world.connection.open()
  const progress = {
    type: 'progress' as const,
    tasks: Array.from({ length: 100 }, (_, index) => ({ ref: 1, index, progress: 'x'.repeat(100) })),
  }
  world.connection.say(world.welcomeMessage(), progress)
  await world.settle()
  expect(world.connections[1]?.closedBy).toBeUndefined()
  expect(states.at(-1)).toBe('ready')
})
