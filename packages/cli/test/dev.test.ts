import { createServer } from 'node:net'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Running, Sandbox } from './processes.ts'

const dev = join(import.meta.dirname, '..', 'src', 'dev.ts')

let sandbox: Sandbox
beforeEach(() => {
  sandbox = new Sandbox()
})
afterEach(() => sandbox.end())

/** Listens on a free port until closed. */
async function takenPort(): Promise<{ port: number; close: () => Promise<void> }> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  return { port, close: () => new Promise((resolve) => server.close(() => resolve())) }
}

async function freePort(): Promise<number> {
  const { port, close } = await takenPort()
  await close()
  return port
}

const devEnv = (port: number) => ({ SLUICE_PORT: String(port), SLUICE_DATA_FILE: join(sandbox.directory, 'dev.db') })

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

const pidsOf = ({ out }: { out: string }) => [...out.matchAll(/\(process (\d+)\)/g)].map(([, pid]) => Number(pid))

test('dev starts broker, workers and pages, says what to try, and Ctrl-C ends all of it', async () => {
  const port = await freePort()
  const running = sandbox.start([], devEnv(port), dev)
  await running.says(/Sluice is running[\s\S]*In a second terminal:/)
  await running.says(/worker .*working/)
  await running.says(/thumbs .*working/)
  const pids = pidsOf(running)
  expect(pids).toHaveLength(4)

  const url = `ws://127.0.0.1:${port}`
  const { out } = await sandbox.run(['queues', '--json'], { env: { SLUICE_URL: url } })
  expect(JSON.parse(out)).toHaveProperty('queues')

  running.signal('SIGINT')
  expect((await running.ended).code).toBe(0)
  expect(pids.filter(alive)).toEqual([])
  expect((await sandbox.run(['queues'], { env: { SLUICE_URL: url } })).code).toBe(3)
})

/** Where dev says that a page is. */
async function pageOf(running: Running, name: string): Promise<URL> {
  const [, url = ''] = await running.says(new RegExp(`(http://127\\.0\\.0\\.1:\\d+/${name}/)`))
  return new URL(url)
}

test('the example pages answer, know their broker, and may use it', async () => {
  const port = await freePort()
  const running = sandbox.start([], devEnv(port), dev)
  const page = await pageOf(running, 'photo-app')
  // The pages come first of what there is to try.
  await running.says(/Sluice is running[\s\S]*photo-app[\s\S]*In a second terminal:/)
  const html = await (await fetch(page)).text()
  expect(html).toContain(`<meta name="sluice-broker" content="ws://127.0.0.1:${port}">`)
  expect(html).not.toContain('sluice-token')
  const script = await fetch(new URL('./src/page/main.tsx', page))
  expect(script.headers.get('content-type')).toBe('text/javascript')
  expect(await (await fetch(page.origin)).text()).toContain('href="/photo-app/"')
  const { headers } = await fetch(`http://127.0.0.1:${port}/v1/queues`, { headers: { origin: page.origin } })
  expect(headers.get('access-control-allow-origin')).toBe(page.origin)
  running.signal('SIGINT')
  expect((await running.ended).code).toBe(0)
  await expect(fetch(page)).rejects.toThrow()
})

test('without the example pages the rest goes on, and dev says so', async () => {
  const port = await freePort()
  const running = sandbox.start([], devEnv(port), dev)
  await running.says(/Sluice is running/)
  const [, pid] = await running.says(/pages .*\(process (\d+)\)/)
  process.kill(Number(pid), 'SIGKILL')
  await running.says(/The example pages are not served any more/)
  const { code } = await sandbox.run(['queues'], { env: { SLUICE_URL: `ws://127.0.0.1:${port}` } })
  expect(code).toBe(0)
  running.signal('SIGINT')
  expect((await running.ended).code).toBe(0)
  expect(pidsOf(running).filter(alive)).toEqual([])
})

test('when dev itself is killed, all that it has started leaves as well', async () => {
  const running = sandbox.start([], devEnv(await freePort()), dev)
  await running.says(/worker .*working/)
  const pids = pidsOf(running)
  running.child.kill('SIGKILL')
  await expect.poll(() => pids.filter(alive), { timeout: 10_000 }).toEqual([])
})

test('a port that is none is refused by name', async () => {
  const ended = await sandbox.start([], { SLUICE_PORT: 'http' }, dev).ended
  expect(ended).toMatchObject({ code: 2, out: '' })
  expect(ended.err).toBe('SLUICE_PORT must be a whole number from 1 to 65535, not "http"\n')
})

test('when the port that was asked for is taken, dev says so and what to do', async () => {
  const { port, close } = await takenPort()
  const ended = await sandbox.start([], devEnv(port), dev).ended
  await close()
  expect(ended.code).toBe(1)
  expect(ended.err).toMatch(new RegExp(`Port ${port} is taken[\\s\\S]*SLUICE_PORT=8000 npx -y pnpm@12 dev`))
})

test('when the usual port is taken and none was asked for, dev finds another and says how to reach it', async () => {
  // Taken by this test, or by something else on this machine.
  const server = createServer().on('error', () => {})
  await new Promise<void>((resolve) => {
    server.once('error', () => resolve()).listen(7331, '127.0.0.1', () => resolve())
  })
  const service = 'tcp://10.0.0.1:7331'
  const env = { SLUICE_DATA_FILE: join(sandbox.directory, 'dev.db'), SLUICE_PORT: service }
  const running = sandbox.start([], env, dev)
  const [, url = ''] = await running.says(/export SLUICE_URL=(ws:\/\/127\.0\.0\.1:\d+)/)
  expect(running.err).toBe(`Port 7331 is taken: this broker takes ${new URL(url).port}.\n`)
  const { out } = await sandbox.run(['queues', '--json'], { env: { SLUICE_URL: url } })
  expect(JSON.parse(out)).toHaveProperty('queues')
  running.signal('SIGINT')
  expect((await running.ended).code).toBe(0)
  server.close()
})

test('dev ends all that it has started when nobody reads its output any more', async () => {
  const port = await freePort()
  const running = sandbox.start([], devEnv(port), dev)
  await running.says(/worker .*working/)
  const pids = pidsOf(running)
  running.child.stdout?.destroy()
  // The broker logs that it refused this, which dev cannot pass on.
  const socket = new WebSocket(`ws://127.0.0.1:${port}`, 'sluice.v1')
  socket.addEventListener('open', () => socket.send('no frame'))
  expect(await running.ended).toMatchObject({ code: 141, err: '' })
  expect(pids.filter(alive)).toEqual([])
})

test('dev with a secret asks for tokens, and prints one that works', async () => {
  const port = await freePort()
  const running = sandbox.start([], { ...devEnv(port), SLUICE_TOKEN_SECRET: 'x'.repeat(48) }, dev)
  const [, token] = await running.says(/export SLUICE_TOKEN=(\S+)[\s\S]*sluice dead list/)
  await running.says(/worker .*working/)
  const url = `ws://127.0.0.1:${port}`
  const asked = await sandbox.run(['queues', '--json'], { env: { SLUICE_URL: url, SLUICE_TOKEN: token as string } })
  expect(JSON.parse(asked.out)).toHaveProperty('queues')
  const refused = await sandbox.run(['queues'], { env: { SLUICE_URL: url } })
  expect(refused.code).not.toBe(0)
  expect(refused.err).toMatch(/token/)

  // A page gets a token for its demo user, and a page of another site gets none.
  const { origin } = await pageOf(running, 'photo-app')
  expect(await (await fetch(`${origin}/photo-app/`)).text()).toContain('<meta name="sluice-token"')
  const ofAda = await (await fetch(`${origin}/demo-token?user=ada`)).text()
  const submitted = await fetch(`http://127.0.0.1:${port}/v1/tasks`, {
    method: 'POST',
    headers: { origin, authorization: `Bearer ${ofAda}`, 'content-type': 'application/json' },
    body: '{"queue":"photos.thumbnail","body":{}}',
  })
  expect(submitted.status).toBeLessThan(300)
  const foreign = await fetch(`${origin}/demo-token?user=ada`, { headers: { 'sec-fetch-site': 'cross-site' } })
  expect(foreign.status).toBe(403)
  running.signal('SIGINT')
  expect((await running.ended).code).toBe(0)
})
