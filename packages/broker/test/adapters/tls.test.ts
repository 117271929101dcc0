import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { WebSocket } from 'ws'
import { type Broker, createBroker } from '../../src/index.ts'
import { type SelfSigned, selfSigned, writeSelfSigned } from './certificate.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

function files() {
  const directory = mkdtempSync(join(tmpdir(), 'sluice-tls-'))
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }))
  return { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem'), lookEveryMs: 10 }
}

/** A broker that speaks TLS, and what it logs. */
async function started(first: SelfSigned) {
  const tls = files()
  writeSelfSigned(tls, first)
  const lines: { msg: string }[] = []
  const waiting: (() => void)[] = []
  const logger = pino(
    { level: 'info' },
    {
      write: (line: string) => {
        lines.push(JSON.parse(line))
        for (const look of waiting.splice(0)) look()
      },
    },
  )
  const broker = await createBroker({ journal: { kind: 'memory' }, port: 0, tls, logger })
  cleanups.push(() => broker.close())
  const logs = async (message: RegExp): Promise<void> => {
    while (!lines.some(({ msg }) => message.test(msg))) await new Promise<void>((resolve) => waiting.push(resolve))
  }
  return { broker, tls, logs }
}

async function status({ httpUrl }: Broker, ca: string): Promise<number | undefined> {
  const asked = request(`${httpUrl}/readyz`, { ca, agent: false }).end()
  const [response] = await once(asked, 'response')
  response.resume()
  return response.statusCode
}

async function connected({ url }: Broker, ca: string): Promise<WebSocket> {
  const socket = new WebSocket(url, 'sluice.v1', { ca })
  cleanups.push(() => socket.terminate())
  await once(socket, 'open')
  return socket
}

const answerTo = async (socket: WebSocket, frame: string) => {
  socket.send(frame)
  const [data] = await once(socket, 'message')
  return JSON.parse(String(data))[0]
}

test('https and wss are spoken with the certificate that is given, and plain HTTP is not', async () => {
  const mine = selfSigned('first')
  const { broker } = await started(mine)
  expect([broker.url, broker.httpUrl]).toEqual([`wss://127.0.0.1:${broker.port}`, `https://127.0.0.1:${broker.port}`])
  expect(await status(broker, mine.cert)).toBe(200)
  const socket = await connected(broker, mine.cert)
  const hello = '[{"type":"hello","versions":[1],"roles":["producer"]}]'
  expect(await answerTo(socket, hello)).toMatchObject({ type: 'welcome' })
  await expect(fetch(`http://127.0.0.1:${broker.port}/readyz`)).rejects.toThrow()
  await expect(status(broker, selfSigned('other').cert)).rejects.toThrow(/self-signed|certificate/)
})

test('a renewed certificate counts from then on, and a half written one does not; connections stay', async () => {
  const [first, second] = [selfSigned('first'), selfSigned('second')]
  const { broker, tls, logs } = await started(first)
  const socket = await connected(broker, first.cert)
  writeFileSync(tls.cert, second.cert)
  await logs(/cannot be used yet/)
  expect(await status(broker, first.cert)).toBe(200)
  writeFileSync(tls.key, second.key)
  await logs(/took up a new certificate/)
  expect(await status(broker, second.cert)).toBe(200)
  const { _socket: raw } = (await connected(broker, second.cert)) as unknown as { _socket: TLSSocket }
  expect(raw.getPeerCertificate().subject.CN).toBe('second')
  expect(await answerTo(socket, '[{"type":"hello","versions":[1],"roles":["producer"]}]')).toMatchObject({
    type: 'welcome',
  })
})

test('wrong files stop the start, and are named by their setting', async () => {
  const start = (tls: { cert: string; key: string }) => createBroker({ journal: { kind: 'memory' }, port: 0, tls })
  const tls = files()
  await expect(start(tls)).rejects.toThrow(/^tlsCert cannot be read: .*ENOENT/)
  writeFileSync(tls.cert, selfSigned('first').cert)
  await expect(start(tls)).rejects.toThrow(/^tlsKey cannot be read: .*ENOENT/)
  writeFileSync(tls.key, selfSigned('second').key)
  await expect(start(tls)).rejects.toThrow(/^tlsCert .* and tlsKey .* do not work together: /)
  writeFileSync(tls.cert, 'no certificate')
  await expect(start(tls)).rejects.toThrow(/^tlsCert .* and tlsKey .* do not work together: /)
})
