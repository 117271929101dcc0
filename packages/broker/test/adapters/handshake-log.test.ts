import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { connect } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { pino } from 'pino'
import { afterEach, expect, test } from 'vitest'
import { RareWarnings } from '../../src/adapters/rare-warnings.ts'
import { type Broker, createBroker } from '../../src/index.ts'
import { upgradeStatus } from './socket-peer.ts'

const cleanups: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup()
})

type Line = Record<string, unknown>

/** A broker, and the lines that it logs from `warn` on. */
async function logging(): Promise<{ broker: Broker; lines: Line[] }> {
  const lines: Line[] = []
  const logger = pino({ level: 'warn', base: null }, { write: (line) => void lines.push(JSON.parse(line) as Line) })
  const broker = await createBroker({ journal: { kind: 'memory' }, port: 0, logger })
  cleanups.push(() => broker.close())
  lines.length = 0
  return { broker, lines }
}

test.each([
  [['sluice.v1'], { host: 'sluice_upstream' }, { status: 403, Host: 'sluice_upstream' }, /proxy_set_header Host/],
  [['sluice.v1'], { origin: 'https://example.com' }, { status: 403, Origin: 'https://example.com' }, /allowedOrigins/],
  [['other.v1'], {}, { status: 426, offered: 'other.v1' }, /subprotocol sluice\.v1/],
])(
  '[HOST-24] a handshake that is refused is logged with what it said: %j %j',
  async (protocols, headers, fields, message) => {
    const { broker, lines } = await logging()
    await upgradeStatus(broker.url, protocols, headers as Record<string, string>)
    expect(lines).toMatchObject([{ ...fields, from: '127.0.0.1', msg: expect.stringMatching(message) }])
  },
)

test('[HOST-24] what a refused handshake said is logged short and without control characters', async () => {
  const { broker, lines } = await logging()
  const socket = connect(broker.port, '127.0.0.1')
  const request = `GET / HTTP/1.1\r\nHost: a\u009b2Jb${'c'.repeat(1000)}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n`
  socket.write(Buffer.from(request, 'latin1'))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  socket.destroy()
  expect(answer.toString()).toMatch(/^HTTP\/1\.1 403 [\s\S]*"field":"Host"/)
  expect(lines[0]?.Host).toBe(`a\ufffd2Jb${'c'.repeat(95)}…`)
})

test('[HOST-24] many refusals are a few lines, and the next one says how many were left out', async () => {
  const { broker, lines } = await logging()
  for (let i = 0; i < 20; i++) await upgradeStatus(broker.url, [])
  expect(lines.length).toBe(5)

  let nowMs = 0
  const said: object[] = []
  const silent = () => {}
  const log = { debug: silent, info: silent, error: silent, warn: (fields: object) => void said.push(fields) }
  const warnings = new RareWarnings(log, () => nowMs)
  for (let n = 0; n < 12; n++) warnings.warn({ n }, 'refused')
  nowMs = 60_000
  warnings.warn({ n: 12 }, 'refused')
  warnings.warn({ n: 13 }, 'refused')
  expect(said.slice(5)).toEqual([{ n: 12, leftOut: 7 }, { n: 13 }])
})

test.runIf(process.platform === 'linux')(
  '[HOST-24] a broker that may open no more files says so, and takes connections again later',
  async () => {
    const script = join(import.meta.dirname, 'broker-process.ts')
    const child = spawn('sh', ['-c', 'ulimit -n 60; exec "$@"', 'sh', process.execPath, script, 'log'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    cleanups.push(() => child.kill('SIGKILL'))
    const lines = createInterface(child.stdout)[Symbol.asyncIterator]()
    // Warnings come before it: of the journal, and that everybody may do everything.
    let url: string | undefined
    while (url === undefined) url = (JSON.parse((await lines.next()).value as string) as { url?: string }).url
    const { port } = new URL(url)
    const sockets = Array.from({ length: 80 }, () => connect(Number(port), '127.0.0.1').on('error', () => {}))
    cleanups.push(() => sockets.map((socket) => socket.destroy()))
    const { msg } = JSON.parse((await lines.next()).value as string) as { msg: string }
    expect(msg).toMatch(/a connection was dropped.*open files for \d+ .*raise the limit \(ulimit -n, LimitNOFILE=\)/)
    for (const socket of sockets) socket.destroy()
    for (;;) {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined)
      if (answer?.ok) break
    }
  },
)
