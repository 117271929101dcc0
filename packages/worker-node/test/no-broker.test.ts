import { execFile } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createServer as createTcpServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Client, createClient, type Logger, type Worker } from '@sluice/client'
import { afterEach, expect, test, vi } from 'vitest'
import { createWorker, nodePlatform, startWorkerProcess } from '../src/index.ts'
import { patience, startBroker } from './processes.ts'

const root = join(import.meta.dirname, '..', '..', '..')

interface Line {
  level: keyof Logger
  fields: Record<string, unknown>
  message: string
}

function recorder(): { lines: Line[]; logger: Logger } {
  const lines: Line[] = []
  const keep = (level: keyof Logger) => (fields: object, message: string) =>
    void lines.push({ level, fields: fields as Line['fields'], message })
  return { lines, logger: { debug: keep('debug'), info: keep('info'), warn: keep('warn'), error: keep('error') } }
}

/** A port of this machine where nothing listens. */
async function closedPort(): Promise<number> {
  const server = createTcpServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return port
}

let server: Server | undefined
let client: Client | undefined
let worker: Worker | undefined
afterEach(async () => {
  await client?.close({ drainMs: 0 })
  await worker?.close()
  server?.closeAllConnections()
  server?.close()
})

test('a broker that is away is told once, with the cause and the next try, and once more when it is there', async () => {
  const port = await closedPort()
  const { lines, logger } = recorder()
  const url = `ws://127.0.0.1:${port}`
  client = createClient({ url, platform: nodePlatform, logger, timings: { backoffMs: 20, backoffMsMax: 50 } })
  // Many attempts, one line.
  const attempts = () => lines.filter(({ message }) => message.includes('next try')).length
  await expect.poll(attempts, patience).toBeGreaterThan(3)
  const told = () => lines.filter(({ level }) => level !== 'debug')
  expect(told()).toEqual([
    {
      level: 'warn',
      fields: { url, code: 'internal', nextTryMs: expect.any(Number) },
      message: expect.stringMatching(
        /^no connection to ws:\/\/127.0.0.1:\d+: connect ECONNREFUSED .*; next try in \d+ ms$/,
      ),
    },
  ])
  const broker = await startBroker(port)
  await expect.poll(() => told().length, patience).toBe(2)
  expect(told()[1]).toMatchObject({
    level: 'info',
    message: expect.stringMatching(/^connected to ws:.* after [\d.]+ m?s$/),
  })
  broker.child.kill('SIGKILL')
})

test('a time-out and a close name the cause for which there was no connection', async () => {
  const { logger } = recorder()
  client = createClient({ url: `ws://127.0.0.1:${await closedPort()}`, platform: nodePlatform, logger })
  await expect.poll(() => client!.state, patience).toBe('backingOff')
  const late = client.submit('q', 1, { signal: AbortSignal.timeout(50) })
  await expect(late).rejects.toMatchObject({ name: 'TimeoutError', message: expect.stringContaining('ECONNREFUSED') })
  const left = client.submit('q', 1)
  const asked = client.handle('01890a5d-ac96-774b-bcce-b302099a8057').status()
  void client.close({ drainMs: 0 })
  await expect(left).rejects.toMatchObject({ name: 'ClosedError', message: expect.stringContaining('ECONNREFUSED') })
  await expect(asked).rejects.toThrow('ECONNREFUSED')
})

test.each([
  [403, 'Forbidden', 'this host is not allowed'],
  [401, 'Unauthorized', ''],
  [426, 'Upgrade Required', ''],
  [200, 'OK', '<html>\n  <p>a web server</p>'],
])('a worker shows what refuses its WebSocket: HTTP %i', async (status, phrase, body) => {
  server = createServer()
  server.on('upgrade', (_, socket) => {
    socket.end(`HTTP/1.1 ${status} ${phrase}\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`)
  })
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
  const { lines, logger } = recorder()
  const { port } = server.address() as { port: number }
  worker = createWorker({ url: `ws://127.0.0.1:${port}`, handlers: { q: () => 1 }, logger })
  void worker.start().catch(() => {})
  await expect
    .poll(() => lines.find(({ level }) => level === 'warn')?.message, patience)
    .toContain(`HTTP ${status} (${phrase})`)
  expect(lines.find(({ level }) => level === 'warn')?.message).toContain(body.replace(/\s+/g, ' '))
})

test('without a logger the console has the warning', async () => {
  const warn = vi.spyOn(console, 'warn').mockImplementation(() => {})
  client = createClient({ url: `ws://127.0.0.1:${await closedPort()}`, platform: nodePlatform })
  await expect.poll(() => warn.mock.calls.flat()[0], patience).toContain('sluice: no connection to ws://127.0.0.1')
  warn.mockRestore()
})

test('in a runtime without WebSocket a client is refused at once, and told what to do', async () => {
  const program = `
    const { createClient } = await import('@sluice/client')
    try { createClient({ url: 'ws://127.0.0.1:9' }) } catch (error) { console.log(error.message) }`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--no-experimental-websocket', '--input-type=module', '-e', program],
    { cwd: join(root, 'packages', 'worker-node') },
  )
  expect(stdout).toBe(
    'ws://127.0.0.1:9 cannot be reached: this runtime has no WebSocket: use Node 22 or later, or pass platform: nodePlatform of @sluice/worker-node\n',
  )
})

test('a worker with more queues than the broker allows fails at its start, and names the setting', async () => {
  const broker = await startBroker()
  const { lines, logger } = recorder()
  const handlers = Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`q${index}`, () => 1]))
  worker = createWorker({ url: broker.url, handlers, logger })
  await expect(worker.start()).rejects.toMatchObject({
    code: 'too_large',
    limit: 64,
    message: expect.stringContaining('sessionQueuesMax'),
  })
  await worker.closed
  expect(lines.filter(({ level }) => level === 'error')).toHaveLength(1)
  broker.child.kill('SIGKILL')
})

test('a name that is too long for the broker is told by the name of its option, and a long module name is cut', async () => {
  const broker = await startBroker()
  worker = createWorker({ url: broker.url, handlers: { q: () => 1 }, name: 'n'.repeat(140) })
  await expect(worker.start()).rejects.toThrow(/^name: At most 128/)
  const folder = await mkdtemp(join(tmpdir(), 'sluice-name-'))
  const module = join(folder, `${'m'.repeat(140)}.mjs`)
  await writeFile(module, 'export default { q: () => 1 }')
  const started = await startWorkerProcess({ url: broker.url, module, signals: false })
  worker = started.worker
  expect(worker.state).toBe('working')
  await worker.close()
  await rm(folder, { recursive: true })
  broker.child.kill('SIGKILL')
})
