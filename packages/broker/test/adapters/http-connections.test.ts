import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Broker, createBroker } from '../../src/index.ts'
import { taskId } from '../core/world.ts'

let broker: Broker
let sockets: Socket[]

beforeEach(async () => {
  broker = await createBroker({ journal: { kind: 'memory' }, port: 0 })
  sockets = []
})

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await broker.close()
})

/** A connection that says this and keeps its own half open. */
async function saying(...lines: string[]): Promise<{ socket: Socket; line: Promise<string> }> {
  const socket = connect({ port: broker.port, host: '127.0.0.1', allowHalfOpen: true })
  sockets.push(socket)
  await once(socket, 'connect')
  const line = once(socket, 'data').then(([data]) => String(data).split('\r\n')[0]!)
  socket.write([...lines, '', ''].join('\r\n'))
  return { socket, line }
}

const UPGRADE = ['GET / HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket']

test('a connection whose upgrade is refused is not kept, though the other side keeps its half of it', async () => {
  const { socket, line } = await saying(...UPGRADE, 'Sec-WebSocket-Version: 13')
  expect(await line).toBe('HTTP/1.1 426 Upgrade Required')
  const lost = once(socket, 'error')
  const writing = setInterval(() => socket.write('x'), 5)
  expect(await lost).toEqual([expect.objectContaining({ code: expect.stringMatching(/EPIPE|ECONNRESET/) })])
  clearInterval(writing)
})

test('an HTTP client that offers HTTP/2 on the way is answered all the same', async () => {
  const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA']
  const { line } = await saying('GET /healthz HTTP/1.1', 'Host: localhost', ...offer)
  expect(await line).toBe('HTTP/1.1 200 OK')
})

test('[HOST-13] closing answers whoever waits for an outcome, and waits for nobody who asks for nothing', async () => {
  await fetch(`${broker.httpUrl}/v1/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ queue: 'photos', id: taskId(1), body: null }),
  })
  const silent = await saying('GET /healthz HTTP/1.1', 'Host: localhost')
  await silent.line
  const waiting = Array.from({ length: 5 }, () => fetch(`${broker.httpUrl}/v1/tasks/${taskId(1)}?waitMs=60000`))
  // It takes the same way after them: its answer says that they have arrived.
  await fetch(`${broker.httpUrl}/healthz`)
  await broker.close()
  for (const answer of await Promise.all(waiting)) {
    expect([200, 503]).toContain(answer.status)
    expect(answer.headers.get('connection')).toBe('close')
  }
})
