import { once } from 'node:events'
import { expect, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { createBroker } from '../../src/index.ts'

const HELLO = '[{"type":"hello","versions":[1],"roles":["worker"]}]'

test('who has said nothing since the last ping is dropped; who speaks is not, however late its pongs are', async () => {
  const intervals = vi.spyOn(globalThis, 'setInterval')
  const broker = await createBroker({ journal: { kind: 'memory' }, port: 0 })
  const beat = intervals.mock.calls.find(([, ms]) => ms === 25_000)?.[0] as () => void
  intervals.mockRestore()
  const connect = async (autoPong: boolean): Promise<WebSocket> => {
    const socket = new WebSocket(broker.url, 'sluice.v1', { autoPong })
    await once(socket, 'open')
    return socket
  }
  const [silent, speaking, answering] = await Promise.all([connect(false), connect(false), connect(true)])
  const silentClosed = once(silent as WebSocket, 'close')

  beat()
  await once(answering as WebSocket, 'ping')
  speaking?.send(HELLO)
  await once(speaking as WebSocket, 'message')
  beat()
  await silentClosed
  expect([speaking?.readyState, answering?.readyState]).toEqual([WebSocket.OPEN, WebSocket.OPEN])

  for (const socket of [speaking, answering]) socket?.close()
  await broker.close()
})
