import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Broker, createBroker } from '../../src/index.ts'
import { taskId } from '../core/world.ts'

let broker: Broker
let sockets: Socket[]
let logged: string[]

beforeEach(async () => {
  logged = []
  const logger = pino({ level: 'warn' }, { write: (line: string) => void logged.push(line) })
  broker = await createBroker({ journal: { kind: 'memory' }, port: 0, logger })
  sockets = []
  // That durability is `memory`.
  logged = []
})

afterEach(async () => {
  for (const socket of sockets) socket.destroy()
  await broker.close()
})

/** A connection that says this and keeps its own half open. */
async function saying(...lines: string[]): Promise<Socket> {
  const socket = connect({ port: broker.port, host: '127.0.0.1', allowHalfOpen: true })
  sockets.push(socket)
  await once(socket, 'connect')
  socket.write([...lines, '', ''].join('\r\n'))
  return socket
}

/** The status lines of so many answers, which have short bodies; of fewer where the connection ends before. */
function statuses(socket: Socket, count: number): Promise<string[]> {
  return new Promise((resolve) => {
    let text = ''
    const found = () => [...text.matchAll(/HTTP\/1\.1 (.*)\r/g)].map(([, status]) => status!)
    socket.on('data', (data) => {
      text += data
      if (found().length === count) resolve(found())
    })
    socket.on('end', () => resolve(found()))
  })
}

/** A task that nobody works on. */
async function submit({ httpUrl }: Broker): Promise<void> {
  await fetch(`${httpUrl}/v1/tasks`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ queue: 'photos', id: taskId(1), body: null }),
  })
}

const UPGRADE = ['GET / HTTP/1.1', 'Host: localhost', 'Connection: Upgrade', 'Upgrade: websocket']

test('a connection whose upgrade is refused is not kept, though the other side keeps its half of it', async () => {
  const socket = await saying(...UPGRADE, 'Sec-WebSocket-Version: 13')
  expect(await statuses(socket, 1)).toEqual(['426 Upgrade Required'])
  const lost = once(socket, 'error')
  const writing = setInterval(() => socket.write('x'), 5)
  expect(await lost).toEqual([expect.objectContaining({ code: expect.stringMatching(/EPIPE|ECONNRESET/) })])
  clearInterval(writing)
})

test('an HTTP client that offers HTTP/2 on the way is answered all the same', async () => {
  const offer = ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA']
  const socket = await saying('GET /healthz HTTP/1.1', 'Host: localhost', ...offer)
  expect(await statuses(socket, 1)).toEqual(['200 OK'])
})

test('sockets are bounded in number, whatever they say or do not say', async () => {
  const small = await createBroker({
    journal: { kind: 'memory' },
    port: 0,
    hosting: { connectionsMax: 2, waitersMax: 1 },
  })
  const open = Array.from({ length: 3 }, () => connect(small.port, '127.0.0.1'))
  sockets.push(...open)
  await Promise.all(open.map((socket) => once(socket, 'connect')))
  const further = connect(small.port, '127.0.0.1')
  sockets.push(further)
  await once(further, 'close')
  open[2]!.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n')
  expect(await statuses(open[2]!, 1)).toEqual(['200 OK'])
  await small.close()
})

test.each([
  ['GET /healthz HTTP/1.1', 'Host: a b'],
  ['GET http://[ HTTP/1.1', 'Host: localhost'],
])('a request that names no place is refused as any other is: %s, %s', async (...lines) => {
  const socket = await saying(...lines, 'Connection: close')
  const answer = await text(socket)
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  expect(JSON.parse(answer.slice(answer.indexOf('\r\n\r\n')))).toMatchObject({ error: { code: 'bad_message' } })
})

const SUBMIT = ['POST /v1/tasks HTTP/1.1', 'Host: localhost', 'Content-Type: application/json']

test('a request that is too large is refused, and its connection goes on behind it', async () => {
  const bytes = 3 * 1024 ** 2
  const socket = await saying(...SUBMIT, `Content-Length: ${bytes}`)
  socket.write(Buffer.alloc(bytes))
  socket.write('GET /readyz HTTP/1.1\r\nHost: localhost\r\n\r\n')
  expect(await statuses(socket, 2)).toEqual(['413 Payload Too Large', '200 OK'])
})

test.each(['Content-Length: 100', 'Transfer-Encoding: chunked'])(
  'a request that its sender breaks off is no failure of the broker: %s',
  async (length) => {
    const socket = await saying(...SUBMIT, length, '', '5', '{"que')
    // Both are on their way, in this order.
    await fetch(`${broker.httpUrl}/healthz`)
    socket.destroy()
    await once(socket, 'close')
    for (let n = 0; n < 3; n += 1) await fetch(`${broker.httpUrl}/healthz`)
    expect(logged).toEqual([])
  },
)

const upgrade = (origin: string) => [...UPGRADE, 'Sec-WebSocket-Version: 13', `Origin: ${origin}`]

test.each(['chrome-extension://localhost', 'moz-extension://127.0.0.1', 'null', 'https://localhost.example.com'])(
  'a page of %s is of another origin, whatever its name is',
  async (origin) => {
    expect(await statuses(await saying(...upgrade(origin)), 1)).toEqual(['403 Forbidden'])
  },
)

test('[HOST-25] requests that are sent ahead are answered one after the other, in their order', async () => {
  const ids = [1, 2, 3, 4, 5].map(taskId)
  const lines = ids.flatMap((id) => [`GET /v1/tasks/${id} HTTP/1.1`, 'Host: localhost', ''])
  const socket = await saying(...lines, 'GET /readyz HTTP/1.1', 'Host: localhost', 'Connection: close')
  const answer = await text(socket)
  expect([...answer.matchAll(/No task (\S+) is held/g)].map(([, id]) => id)).toEqual(ids)
  expect(answer).toMatch(/"status":"ready"/)
})

test('[HOST-25] a connection that asks a thousand times and never reads is cut, and others are answered', async () => {
  const socket = connect({ port: broker.port, host: '127.0.0.1' })
  sockets.push(socket)
  socket.on('error', () => {})
  await once(socket, 'connect')
  socket.write('GET /v1/dead?limit=1000 HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(1200))
  await once(socket, 'close')
  expect((await fetch(`${broker.httpUrl}/readyz`)).status).toBe(200)
})

test('[HOST-25] the body of a stranger is not received', async () => {
  const access = { secret: 'a secret of thirty-two bytes or so, or more' }
  const guarded = await createBroker({ journal: { kind: 'memory' }, port: 0, access })
  const socket = connect(guarded.port, '127.0.0.1')
  sockets.push(socket)
  socket.write([...SUBMIT, 'Transfer-Encoding: chunked', '', '5', '{"que'].join('\r\n'))
  expect(await statuses(socket, 1)).toEqual(['401 Unauthorized'])
  socket.destroy()
  await guarded.close()
})

test('an unknown name of a megabyte is not sent back whole', async () => {
  const name = 'x'.repeat(900_000)
  const send = (path: string, body?: object) =>
    fetch(`${broker.httpUrl}${path}`, {
      ...(body ? { method: 'POST', body: JSON.stringify(body) } : {}),
      headers: { 'content-type': 'application/json' },
    })
  const answers = await Promise.all([
    send('/v1/tasks', { queue: 'q', body: 1, [name]: 1 }),
    send('/v1/tasks', { queue: 'q', body: 1, options: { [name]: 1 } }),
    send('/v1/dead/redrive', { [name]: 1 }),
    send('/v1/revocations', { session: name }),
    send(`/v1/${name.slice(0, 10_000)}`),
  ])
  for (const answer of answers) {
    expect(answer.status).toBeGreaterThanOrEqual(400)
    expect((await answer.text()).length).toBeLessThan(1500)
  }
})

test('[HOST-12] whoever leaves before the outcome makes room for another to wait', async () => {
  const small = await createBroker({ journal: { kind: 'memory' }, port: 0, hosting: { waitersMax: 1 } })
  await submit(small)
  const wait = (waitMs: number, signal: AbortSignal | null = null) =>
    fetch(`${small.httpUrl}/v1/tasks/${taskId(1)}?waitMs=${waitMs}`, { signal })
  const leaving = new AbortController()
  const left = wait(60_000, leaving.signal).catch((error: Error) => error.name)
  while ((await wait(1)).status !== 503);
  leaving.abort()
  expect(await left).toBe('AbortError')
  while ((await wait(1)).status !== 200);
  await small.close()
})

test('[HOST-13] closing answers whoever waits for an outcome, and waits for nobody who asks for nothing', async () => {
  await submit(broker)
  await statuses(await saying('GET /healthz HTTP/1.1', 'Host: localhost'), 1)
  const waiting = Array.from({ length: 5 }, () => fetch(`${broker.httpUrl}/v1/tasks/${taskId(1)}?waitMs=60000`))
  // It takes the same way after them: its answer says that they have arrived.
  await fetch(`${broker.httpUrl}/healthz`)
  await broker.close()
  for (const answer of await Promise.all(waiting)) {
    expect([200, 503]).toContain(answer.status)
    expect(answer.headers.get('connection')).toBe('close')
  }
})

test('[HOST-25] requestTimeoutMs says how long a request may take', async () => {
  const hurried = await createBroker({ journal: { kind: 'memory' }, port: 0, hosting: { requestTimeoutMs: 100 } })
  const socket = connect({ port: hurried.port, host: '127.0.0.1' })
  sockets.push(socket)
  socket.write(
    'POST /v1/tasks HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{',
  )
  expect(await text(socket)).toMatch(/^HTTP\/1\.1 408 /)
  await hurried.close()
})
