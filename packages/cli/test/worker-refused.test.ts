import { createHash } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { Sandbox } from './processes.ts'

const sandbox = new Sandbox()
afterAll(() => sandbox.end())

test('a worker that the broker refuses for good ends with one line and exit code 1', async () => {
  const server = createServer()
  server.on('upgrade', (request, socket) => {
    const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
    socket.write(
      [
        'HTTP/1.1 101 Switching Protocols',
        'Upgrade: websocket',
        'Connection: Upgrade',
        `Sec-WebSocket-Accept: ${createHash('sha1').update(key).digest('base64')}`,
        'Sec-WebSocket-Protocol: sluice.v1\r\n\r\n',
      ].join('\r\n'),
    )
    // A close frame (RFC 6455 §5.5.1): 4002, no version in common.
    socket.end(Buffer.from([0x88, 2, 0x0f, 0xa2]))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `ws://127.0.0.1:${(server.address() as { port: number }).port}`
  writeFileSync(join(sandbox.directory, 'tasks.mjs'), 'export default { q: () => 1 }')
  const { code, err } = await sandbox.run(['worker', './tasks.mjs', '--url', url])
  server.close()
  expect(err).toMatch(/^sluice: .*4002.*\(unsupported_version\)\n$/)
  expect(code).toBe(1)
})
