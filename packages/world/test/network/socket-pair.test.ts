import { expect, test } from 'vitest'
import { makeConnection } from '../surroundings.ts'

const kilobyte = (fill: number) => new Uint8Array(1020).fill(fill)

test('a connection opens after a message there and one back', () => {
  const { atNode, seen } = makeConnection()
  expect(atNode.opened).toBe(true)
  expect(seen).toEqual([
    { type: 'connecting', node: 'worker-1', connection: 1, atMs: 0 },
    { type: 'connected', node: 'worker-1', connection: 1, atMs: 20 },
  ])
})

test('where nobody listens the attempt is refused', () => {
  const world = makeConnection()
  world.wires.listener = undefined
  world.connect()
  world.clock.advance(100)
  expect(world.atNode.closed).toEqual({ code: 1006, reason: '' })
  expect(world.wires.size).toBe(1)
})

test('frames arrive in their order, however their delays fall', () => {
  const { socket, clock, atBroker } = makeConnection({ delayMs: { kind: 'uniform', min: 0, max: 500 } })
  clock.advance(2000)
  for (let i = 0; i < 100; i += 1) {
    socket.send(String(i))
    clock.advance(3)
  }
  clock.advance(1000)
  expect(atBroker.frames).toEqual(Array.from({ length: 100 }, (_, i) => String(i)))
  expect(new Set(atBroker.atMs).size).toBeGreaterThan(10)
})

test('a frame is what it was when it was sent, whatever its sender does to the buffer', () => {
  const { socket, clock, atBroker } = makeConnection()
  const buffer = new Uint8Array([1, 2, 3])
  socket.send(buffer)
  buffer.fill(9)
  clock.advance(100)
  expect(atBroker.frames).toEqual([new Uint8Array([1, 2, 3])])
})

test('bandwidth spaces frames by their bytes', () => {
  const { socket, clock, atBroker } = makeConnection({ bytesPerSecond: 10_240 })
  for (let i = 0; i < 3; i += 1) socket.send(kilobyte(i))
  clock.advance(1000)
  const [first = 0, second = 0, third = 0] = atBroker.atMs
  expect(second - first).toBe(100)
  expect(third - second).toBe(100)
})

test('what the window does not hold stays with the sender, which counts it as buffered', () => {
  const world = makeConnection({ windowBytes: 4096 })
  world.brokerEnd.pause()
  for (let i = 0; i < 6; i += 1) world.socket.send(kilobyte(i))
  world.clock.advance(1000)
  expect(world.socket.bufferedBytes).toBe(2048)
  expect(world.atBroker.frames).toEqual([])

  world.brokerEnd.resume()
  world.clock.advance(1000)
  expect(world.socket.bufferedBytes).toBe(0)
  expect(world.atBroker.frames.map((frame) => frame[0])).toEqual([0, 1, 2, 3, 4, 5])
})

test('text counts as the bytes that it is sent as', () => {
  const { socket, seen } = makeConnection({ windowBytes: 100 })
  socket.send('ü'.repeat(100))
  expect(socket.bufferedBytes).toBe(104)
  expect(seen.at(-2)).toMatchObject({ type: 'frame', bytes: 200, buffered: 104 })
})

test('a frame larger than the window passes in pieces', () => {
  const world = makeConnection({ windowBytes: 1000 })
  world.socket.send(new Uint8Array(10_000).fill(7))
  expect(world.socket.bufferedBytes).toBeGreaterThan(8000)
  world.clock.advance(1000)
  expect(world.atBroker.frames).toEqual([new Uint8Array(10_000).fill(7)])
})

test('the sender hears that its buffer is empty, once, and only if it was not', () => {
  const world = makeConnection({ windowBytes: 2048 })
  world.brokerEnd.send(kilobyte(1))
  world.clock.advance(100)
  expect(world.atBroker.drains).toBe(0)
  for (let i = 0; i < 5; i += 1) world.brokerEnd.send(kilobyte(i))
  world.clock.advance(1000)
  expect(world.atBroker.drains).toBe(1)
  expect(world.brokerEnd.bufferedBytes).toBe(0)
})

test('a close comes after the frames before it, and is answered', () => {
  const world = makeConnection()
  world.brokerEnd.send('last words')
  world.brokerEnd.close(4006, 'draining')
  world.brokerEnd.send('too late')
  world.clock.advance(100)
  expect(world.atNode.frames).toEqual(['last words'])
  expect(world.atNode.closed).toEqual({ code: 4006, reason: 'draining' })
  expect(world.atBroker.closed).toEqual({ code: 4006, reason: 'draining' })
  expect(world.wires.size).toBe(0)
  expect(world.clock.pending).toBe(0)
})

test('an attempt that is given up before it succeeds ends like one that failed, and nothing comes of it', () => {
  const world = makeConnection()
  world.atNode.opened = false
  const socket = world.connect()
  world.clock.advance(10)
  socket.close(1000, 'changed its mind')
  expect(world.atNode.closed).toBeUndefined()
  world.clock.advance(100)
  expect(world.atNode).toMatchObject({ opened: false, closed: { code: 1006, reason: '' } })
  expect(world.wires.size).toBe(1)
  expect(world.clock.pending).toBe(0)
})

test('who sends before the connection is open is told so, and after its end nothing is sent', () => {
  const world = makeConnection()
  const early = world.connect()
  expect(() => early.send('too early')).toThrow('not open yet')
  world.socket.close(1000, 'bye')
  world.socket.send('too late')
  world.clock.advance(100)
  expect(world.atBroker.frames).toEqual([])
})

test('a close that nobody answers ends the connection after half a minute', () => {
  const world = makeConnection({ giveUpAfterMs: 600_000 })
  world.wires.partition('worker-1')
  world.socket.close(1000, 'bye')
  world.clock.advance(29_999)
  expect(world.atNode.closed).toBeUndefined()
  world.clock.advance(2)
  expect(world.atNode.closed).toEqual({ code: 1006, reason: '' })
})

test('both ends of a connection may close it at the same moment', () => {
  const world = makeConnection()
  world.brokerEnd.close(4006, 'draining')
  world.socket.close(1000, 'bye')
  world.clock.advance(100)
  expect(world.atNode.closed).toEqual({ code: 4006, reason: 'draining' })
  expect(world.atBroker.closed).toEqual({ code: 1000, reason: 'bye' })
  expect(world.clock.pending).toBe(0)
})

test('a partition shorter than the patience of the kernel delays and loses nothing', () => {
  const world = makeConnection({ giveUpAfterMs: 5000 })
  const heal = world.wires.partition('worker-1')
  world.socket.send('there')
  world.brokerEnd.send('back')
  world.clock.advance(4000)
  expect(world.atBroker.frames).toEqual([])
  heal()
  world.socket.send('later')
  world.clock.advance(100)
  expect(world.atBroker.frames).toEqual(['there', 'later'])
  expect(world.atNode.frames).toEqual(['back'])
  world.clock.advance(10_000)
  expect(world.atNode.closed).toBeUndefined()
  expect(world.clock.pending).toBe(0)
})

test('what was on its way when a longer one began ends the connection as well', () => {
  const world = makeConnection({ giveUpAfterMs: 5000 })
  world.socket.send('on its way')
  world.clock.advance(5)
  world.wires.partition('worker-1')
  world.clock.advance(4999)
  expect(world.atNode.closed).toBeUndefined()
  world.clock.advance(1)
  expect(world.atNode.closed).toEqual({ code: 1006, reason: '' })
  expect(world.atBroker.frames).toEqual([])
})

test('a longer one ends the connection at the end that has something to say', () => {
  const world = makeConnection({ giveUpAfterMs: 5000 })
  const heal = world.wires.partition('broker')
  world.clock.advance(1000)
  world.socket.send('there')
  world.clock.advance(4999)
  expect(world.atNode.closed).toBeUndefined()
  world.clock.advance(1)
  expect(world.atNode.closed).toEqual({ code: 1006, reason: '' })
  expect(world.atBroker.closed).toBeUndefined()
  heal()
  world.clock.advance(1000)
  expect(world.atBroker.frames).toEqual([])
  expect(world.atBroker.closed).toBeUndefined()
  // The other end finds out when it says something.
  world.brokerEnd.send('are you there?')
  world.clock.advance(100)
  expect(world.atBroker.closed).toEqual({ code: 1006, reason: '' })
  expect(world.wires.size).toBe(0)
})

test('what was on its way when a partition began arrives after it, before what was sent later', () => {
  const world = makeConnection({ delayMs: { kind: 'constant', value: 100 } })
  world.clock.advance(1000)
  world.socket.send('before')
  world.clock.advance(50)
  const heal = world.wires.partition('worker-1')
  world.clock.advance(500)
  heal()
  world.socket.send('after')
  world.clock.advance(99)
  expect(world.atBroker.frames).toEqual([])
  world.clock.advance(1)
  expect(world.atBroker.frames).toEqual(['before', 'after'])
})

test('a connection made during a partition waits for its end', () => {
  const world = makeConnection()
  const heal = world.wires.partition('worker-1')
  world.atNode.opened = false
  world.connect()
  world.clock.advance(1000)
  expect(world.atNode.opened).toBe(false)
  heal()
  world.clock.advance(100)
  expect(world.atNode.opened).toBe(true)
})

test('half open: one end is told, to the other it looks open and silent until a ping has had no answer', () => {
  const world = makeConnection({ giveUpAfterMs: 60_000 })
  world.wires.halfOpen('worker-1')
  world.clock.advance(1000)
  expect(world.atNode.closed).toEqual({ code: 1006, reason: '' })
  world.brokerEnd.send('is anybody there?')
  expect(world.brokerEnd.ping()).toBe(true)
  world.clock.advance(25_000)
  expect(world.atBroker.closed).toBeUndefined()
  expect(world.brokerEnd.ping()).toBe(false)
  world.brokerEnd.terminate()
  world.clock.advance(1)
  expect(world.atBroker.closed).toEqual({ code: 1006, reason: '' })
  expect(world.wires.size).toBe(0)
})

test('half open: where nobody pings, the kernel gives up what it cannot get through', () => {
  const world = makeConnection({ giveUpAfterMs: 5000 })
  world.wires.halfOpen('worker-1')
  world.brokerEnd.send('is anybody there?')
  world.clock.advance(5000)
  expect(world.atBroker.closed).toEqual({ code: 1006, reason: '' })
  expect(world.clock.pending).toBe(0)
})

test('a peer that lives answers every ping', () => {
  const world = makeConnection()
  for (let i = 0; i < 5; i += 1) {
    expect(world.brokerEnd.ping()).toBe(true)
    world.clock.advance(100)
  }
})

test('a peer whose long message is still coming in is not taken for dead', () => {
  const world = makeConnection({ bytesPerSecond: 20_000 })
  world.socket.send(new Uint8Array(200_000))
  for (let i = 0; i < 8; i += 1) {
    expect(world.brokerEnd.ping()).toBe(true)
    world.clock.advance(1000)
  }
  expect(world.atBroker.frames).toEqual([])
  world.clock.advance(3000)
  expect(world.atBroker.frames).toHaveLength(1)
})

test('a peer that is not read from is not taken for dead', () => {
  const world = makeConnection()
  world.brokerEnd.pause()
  for (let i = 0; i < 3; i += 1) {
    expect(world.brokerEnd.ping()).toBe(true)
    world.clock.advance(1000)
  }
})

test('a reset: both ends are told, and what was on its way is lost', () => {
  const world = makeConnection()
  world.socket.send('there')
  world.wires.reset('worker-1')
  world.clock.advance(100)
  expect(world.atNode.closed).toEqual({ code: 1006, reason: '' })
  expect(world.atBroker.closed).toEqual({ code: 1006, reason: '' })
  expect(world.atBroker.frames).toEqual([])
  expect(world.wires.size).toBe(0)
})

test('a slow reader fills the buffers of whoever sends to it, and reads everything in the end', () => {
  const world = makeConnection({ windowBytes: 2048 })
  const end = world.wires.stall('worker-1')
  for (let i = 0; i < 10; i += 1) world.brokerEnd.send(kilobyte(i))
  world.clock.advance(60_000)
  expect(world.brokerEnd.bufferedBytes).toBe(8 * 1024)
  expect(world.atNode.frames).toEqual([])
  world.socket.send('it still speaks')
  world.clock.advance(100)
  expect(world.atBroker.frames).toEqual(['it still speaks'])
  end()
  world.clock.advance(1000)
  expect(world.atNode.frames.map((frame) => frame[0])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
})

test('a delay makes every message take longer, and overtaking is still impossible', () => {
  const world = makeConnection()
  const end = world.wires.delay('worker-1', 300)
  world.socket.send('slow')
  end()
  world.socket.send('fast')
  world.clock.advance(309)
  expect(world.atBroker.frames).toEqual([])
  world.clock.advance(1)
  expect(world.atBroker.frames).toEqual(['slow', 'fast'])
})

test('a delay of the broker is everybody’s, and adds to their own', () => {
  const world = makeConnection()
  world.wires.delay('worker-1', 300)
  world.wires.delay('broker', 50)
  world.socket.send('there')
  world.brokerEnd.send('back')
  world.clock.advance(359)
  expect([...world.atBroker.frames, ...world.atNode.frames]).toEqual([])
  world.clock.advance(1)
  expect([...world.atBroker.frames, ...world.atNode.frames]).toEqual(['there', 'back'])
})

test('a program that stops reading while it stands still does not read on when it goes on', () => {
  const world = makeConnection()
  world.machine.resumesAtMs = world.clock.nowMs + 1000
  world.brokerEnd.send('waits')
  world.clock.advance(500)
  const end = world.wires.stall('worker-1')
  world.clock.advance(1000)
  expect(world.atNode.frames).toEqual([])
  end()
  world.clock.advance(100)
  expect(world.atNode.frames).toEqual(['waits'])
})

test('the death of a process is told to its peers, after what had left it', () => {
  const world = makeConnection({ windowBytes: 2048 })
  world.socket.send('last words')
  for (let i = 0; i < 5; i += 1) world.socket.send(kilobyte(i))
  world.worker.kill()
  world.wires.processEnded(world.worker, false)
  world.clock.advance(1000)
  // The first kilobytes fitted into the kernel; the others died with the process.
  expect(world.atBroker.frames.slice(0, 2)).toEqual(['last words', kilobyte(0)])
  expect(world.atBroker.frames.length).toBeLessThan(4)
  expect(world.atBroker.closed).toEqual({ code: 1006, reason: '' })
})

test('the death of a machine is told to nobody, until it is back, knows nothing and is spoken to', () => {
  const world = makeConnection({ giveUpAfterMs: 600_000 })
  world.brokerEnd.send('lost with the machine')
  const back = world.wires.partition('broker')
  world.broker.kill()
  world.wires.processEnded(world.broker, true)
  world.clock.advance(60_000)
  expect(world.atNode.closed).toBeUndefined()
  back()
  world.clock.advance(60_000)
  expect(world.atNode).toMatchObject({ frames: [], closed: undefined })
  world.socket.send('hello?')
  world.clock.advance(100)
  expect(world.atNode.closed).toEqual({ code: 1006, reason: '' })
  expect(world.wires.size).toBe(0)
})

test('what was said to a machine while it was dead is answered when it is back, however little its program had read', () => {
  const world = makeConnection({ giveUpAfterMs: 600_000 })
  world.brokerEnd.pause()
  world.socket.send('unread')
  world.clock.advance(100)
  const back = world.wires.partition('broker')
  world.broker.kill()
  world.wires.processEnded(world.broker, true)
  world.socket.send('hello?')
  world.clock.advance(60_000)
  expect(world.atNode.closed).toBeUndefined()
  back()
  world.clock.advance(100)
  expect(world.atNode.closed).toEqual({ code: 1006, reason: '' })
})

test('a process that stands still reads nothing, and its peer fills the window', () => {
  const world = makeConnection({ windowBytes: 2048 })
  world.machine.resumesAtMs = world.clock.nowMs + 5000
  for (let i = 0; i < 4; i += 1) world.brokerEnd.send(kilobyte(i))
  world.clock.advance(4999)
  expect(world.atNode.frames).toEqual([])
  expect(world.brokerEnd.bufferedBytes).toBe(2048)
  world.clock.advance(1000)
  expect(world.atNode.frames).toHaveLength(4)
})
