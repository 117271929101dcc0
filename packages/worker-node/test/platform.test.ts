import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { Socket } from '@sluice/client'
import { SUBPROTOCOL } from '@sluice/protocol'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { createNodePlatform, nodePlatform } from '../src/index.ts'

interface Heard {
  socket: Socket
  opened: Promise<void>
  closed: Promise<{ code: number; reason: string }>
  next(): Promise<string | Uint8Array>
}

function connect(url: string, platform = nodePlatform): Heard {
  const socket = platform.connect(url, { protocol: SUBPROTOCOL })
  const messages: (string | Uint8Array)[] = []
  let wake = () => {}
  socket.onmessage = (data) => {
    messages.push(data)
    wake()
  }
  return {
    socket,
    opened: new Promise((resolve) => {
      socket.onopen = resolve
    }),
    closed: new Promise((resolve) => {
      socket.onclose = resolve
    }),
    async next() {
      while (messages.length === 0) {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
      return messages.shift()!
    },
  }
}

describe('the socket of Node', () => {
  let server: WebSocketServer
  let url: string
  beforeEach(async () => {
    server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: true })
    await once(server, 'listening')
    url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
    server.on('connection', (peer) => peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary })))
  })
  afterEach(() => {
    for (const peer of server.clients) {
      peer.terminate()
    }
    server.close()
  })

  test('the mask of every frame is random, to the loopback interface too', async () => {
    const seen: string[] = []
    server.once('connection', (_, request) => {
      // Two bytes of a short frame's header, then the mask.
      request.socket.on('data', (chunk: Buffer) => seen.push(chunk.subarray(2, 6).toString('hex')))
    })
    const { socket, opened, next } = connect(url)
    await opened
    for (let count = 1; count <= 8; count += 1) {
      socket.send(new Uint8Array([7]))
      expect(await next()).toEqual(Buffer.from([7]))
      expect(seen).toHaveLength(count)
    }
    expect(new Set(seen).size).toBeGreaterThan(6)
  })

  test('text comes as a string and bytes as bytes', async () => {
    const { socket, opened, next } = connect(url)
    await opened
    socket.send('grün')
    expect(await next()).toBe('grün')
    socket.send(new Uint8Array([0, 200, 255]))
    const bytes = await next()
    expect(bytes).toBeInstanceOf(Uint8Array)
    expect([...(bytes as Uint8Array)]).toEqual([0, 200, 255])
    socket.close()
  })

  test('a text frame that is no UTF-8 closes the connection, and nothing of it is heard', async () => {
    server.once('connection', (_, request) => {
      // One frame, text, of two bytes that no text has.
      request.socket.write(Buffer.from([0x81, 2, 0xff, 0xfe]))
    })
    const { socket, opened, closed } = connect(url)
    const heard: unknown[] = []
    socket.onmessage = (data) => heard.push(data)
    await opened
    expect(await closed).toMatchObject({ reason: expect.stringContaining('UTF-8') })
    expect(heard).toEqual([])
  })

  test('asks for the subprotocol and for no compression', async () => {
    const connected = once(server, 'connection')
    const { opened, socket } = connect(url)
    const [peer, request] = await connected
    await opened
    expect(peer.protocol).toBe(SUBPROTOCOL)
    expect(request.headers['sec-websocket-extensions']).toBeUndefined()
    socket.close()
  })

  test('a close of the peer arrives once, with its code and reason', async () => {
    const { opened, closed } = connect(url)
    await opened
    for (const peer of server.clients) {
      peer.close(4006, 'draining')
    }
    expect(await closed).toEqual({ code: 4006, reason: 'draining' })
  })

  test('a peer that does not answer a close is not waited for long', { timeout: 15_000 }, async () => {
    server.once('connection', (_, request) => request.socket.pause())
    const { socket, opened, closed } = connect(url)
    await opened
    socket.close(1000)
    expect(await closed).toMatchObject({ code: 1006 })
  })

  test('a frame past the bound closes the connection instead of being taken', async () => {
    const { socket, opened, closed } = connect(url, createNodePlatform({ frameBytesMax: 1024 }))
    await opened
    socket.send(new Uint8Array(1025))
    expect(await closed).toMatchObject({ reason: expect.stringMatching(/max payload/i) })
  })
})

test('where nobody listens, the connection closes and says why', async () => {
  const { closed } = connect('ws://127.0.0.1:1')
  expect(await closed).toEqual({ code: 1006, reason: expect.stringContaining('ECONNREFUSED') })
})

test('a peer that never answers the handshake is given up', async () => {
  const silent = createServer().listen(0, '127.0.0.1')
  await once(silent, 'listening')
  const { port } = silent.address() as AddressInfo
  const { closed } = connect(`ws://127.0.0.1:${port}`, createNodePlatform({ handshakeTimeoutMs: 200 }))
  expect(await closed).toEqual({ code: 1006, reason: expect.stringContaining('handshake') })
  silent.close()
})
