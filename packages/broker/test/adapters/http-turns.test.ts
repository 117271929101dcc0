import { once } from 'node:events'
import { createServer, type RequestListener, type Server } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { HttpTurns, type HttpTurnsOptions } from '../../src/adapters/http-turns.ts'

const LARGE = Buffer.alloc(32 * 1024 ** 2)
const large: RequestListener = (_, response) => response.end(LARGE)
const refuse: RequestListener = (_, response) => {
  response.writeHead(503)
  response.end()
}

let server: Server
const sockets: Socket[] = []

async function serving(options: HttpTurnsOptions): Promise<HttpTurns> {
  const turns = new HttpTurns(large, refuse, options)
  server = createServer((request, response) => turns.take(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return turns
}

async function asking(): Promise<Socket> {
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
  sockets.push(socket)
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n')
  return socket
}

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy()
  server.close()
})

test('[HOST-25] who does not read its answer in time is cut', async () => {
  const turns = await serving({ writeTimeoutMs: 50 })
  const [socket] = (await Promise.all([once(server, 'connection'), asking()])).flat() as [Socket]
  await once(socket, 'close')
  await new Promise(setImmediate)
  expect(turns.unreadBytes).toBe(0)
})

test('[HOST-25] where too many answers are unread, the next request is refused for now', async () => {
  const turns = await serving({ unreadBytesMax: 1024 ** 2 })
  await asking()
  await once(server, 'request')
  await new Promise(setImmediate)
  expect(turns.unreadBytes).toBeGreaterThan(1024 ** 2)
  const next = await asking()
  const [answer] = (await once(next, 'data')) as [Buffer]
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 503 /)
})
