import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'
import { serve } from '../child.ts'

// The ceiling: what a broker could reach that keeps nothing, checks nothing and reads nothing. A message from the
// producer goes to the worker as the bytes that it came as, and the worker's answer goes back the same way.
serve(async () => {
  const server = new WebSocketServer({
    host: '127.0.0.1',
    port: 0,
    perMessageDeflate: false,
    skipUTF8Validation: true,
    clientTracking: false,
  })
  await new Promise((resolve) => server.once('listening', resolve))
  const ends = new Map<string, WebSocket>()
  server.on('connection', (socket, request) => {
    const role = request.url!.slice(1)
    ends.set(role, socket)
    const peer = role === 'producer' ? 'worker' : 'producer'
    socket.on('message', (data: Buffer) => ends.get(peer)?.send(data))
    socket.on('error', () => socket.terminate())
  })
  return { port: () => (server.address() as AddressInfo).port }
})
