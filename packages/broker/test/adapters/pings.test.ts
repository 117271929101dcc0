import { once } from 'node:events'
import type { Socket } from 'node:net'
import { afterEach, expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { type Broker, createBroker } from '../../src/index.ts'

const HELLO = '[{"type":"hello","versions":[1],"roles":["worker"]}]'

const PING = '[{"type":"ping","ref":1}]'
const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

/** A broker that looks for signs of life when told. */
async function started(): Promise<{ broker: Broker; beat: () => Promise<void> }> {
  const intervals = vi.spyOn(globalThis, 'setInterval')
  const broker = await createBroker({ journal: { kind: 'memory' }, port: 0 })
  cleanups.push(() => broker.close())
  const look = intervals.mock.calls.find(([, ms]) => ms === 25_000)?.[0] as () => void
  intervals.mockRestore()
  const beat = async (): Promise<void> => {
    look()
    await new Promise((resolve) => setImmediate(resolve))
  }
  return { broker, beat }
}

async function connect(broker: Broker, autoPong = true): Promise<WebSocket> {
  const socket = new WebSocket(broker.url, 'sluice.v1', { autoPong })
  cleanups.push(() => socket.terminate())
  await once(socket, 'open')
  return socket
}

test('who has said nothing since the last ping is dropped; who speaks is not, however late its pongs are', async () => {
  const { broker, beat } = await started()
  const [silent, speaking, answering] = await Promise.all([
    connect(broker, false),
    connect(broker, false),
    connect(broker),
  ])
  const silentClosed = once(silent, 'close')

  await beat()
  await once(answering, 'ping')
  speaking.send(HELLO)
  await once(speaking, 'message')
  await beat()
  await silentClosed
  expect([speaking.readyState, answering.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN])
})

/** Sends bytes by hand, and waits until the broker has read them: until it has answered another connection behind them. */
async function said(socket: WebSocket, other: WebSocket, bytes: number[]): Promise<void> {
  const raw = (socket as unknown as { _socket: Socket })._socket
  await new Promise((resolve) => raw.write(Uint8Array.from(bytes), resolve))
  for (let i = 0; i < 2; i += 1) {
    other.send(PING)
    await once(other, 'message')
  }
}

/** One who has been welcomed, and whose pongs may stand between what is said by hand, and another one. */
async function members(broker: Broker, autoPong: boolean): Promise<[WebSocket, WebSocket]> {
  const [socket, other] = await Promise.all([connect(broker, autoPong), connect(broker)])
  for (const one of [socket, other]) {
    one.send(HELLO)
    await once(one, 'message')
  }
  return [socket, other]
}

/** The beginning of a message of 1000 bytes, masked with zeros: of its only frame, or of the first one of several. */
const FRAME = [0x81, 0xfe, 0x03, 0xe8, 0, 0, 0, 0]
const FRAGMENT = [0x01, 0xfe, 0x03, 0xe8, 0, 0, 0, 0, ...Array(1000).fill(0x20)]

test.each([
  ['goes on for ever with one frame, a byte now and then,', false, [...FRAME, 0x20], [0x20]],
  ['says a fragment, and from then on pongs alone,', true, FRAGMENT, []],
  ['does not come to the end of a header', false, FRAME.slice(0, 3), [0x00]],
])('[HOST-18] who %s is dropped at the second look', { timeout: 10_000 }, async (_, autoPong, first, then) => {
  const { broker, beat } = await started()
  const [slow, other] = await members(broker, autoPong)
  const closed = once(slow, 'close')
  await said(slow, other, first)
  await beat()
  await said(slow, other, then)
  expect(slow.readyState).toBe(WebSocket.OPEN)
  await beat()
  await closed
  expect(other.readyState).toBe(WebSocket.OPEN)
})

test('[HOST-18] who is amid another message at every look stays', async () => {
  const { broker, beat } = await started()
  const [socket, other] = await members(broker, false)
  const frame = [0x81, 0x80 | PING.length, 0, 0, 0, 0, ...Buffer.from(PING)]
  await said(socket, other, frame.slice(0, 9))
  for (let i = 0; i < 4; i += 1) {
    await beat()
    await said(socket, other, [...frame.slice(9), ...frame.slice(0, 9)])
  }
  expect(socket.readyState).toBe(WebSocket.OPEN)
})

test('who was not read from between two looks has not been silent', async () => {
  const pause = vi.spyOn(WebSocket.prototype, 'isPaused', 'get')
  const { broker, beat } = await started()
  const socket = await connect(broker, false)
  pause.mockReturnValue(true)
  await beat()
  await beat()
  pause.mockRestore()
  await beat()
  socket.send(HELLO)
  await once(socket, 'message')
  expect(socket.readyState).toBe(WebSocket.OPEN)
})

test('[HOST-18] pingEveryMs says how often connections are pinged: one that answers none is dropped that soon', async () => {
  const broker = await createBroker({ journal: { kind: 'memory' }, port: 0, hosting: { pingEveryMs: 50 } })
  cleanups.push(() => broker.close())
  const silent = await connect(broker, false)
  expect(await once(silent, 'close')).toEqual([1006, Buffer.alloc(0)])
})
