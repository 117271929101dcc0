import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:https'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pino } from 'pino'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { signToken } from '../../src/access/tokens.ts'
import { createBroker } from '../../src/index.ts'
import { selfSigned, writeSelfSigned } from './certificate.ts'

/** The configurations that docs/deployment.md shows, in front of a real broker; only names, ports and files are others. */

const SECRET = 'a secret of thirty-two bytes or so, or more'
const ORIGIN = 'https://app.example.com'
const document = readFileSync(join(import.meta.dirname, '../../../../docs/deployment.md'), 'utf8')

interface Place {
  directory: string
  port: number
  brokerPort: number
  certificate: { cert: string; key: string }
}

interface Proxy {
  /** Writes the configuration; returns the arguments that start it in the foreground. */
  configure: (place: Place) => string[]
}

const PROXIES: Record<string, Proxy> = {
  nginx: {
    configure: ({ directory, port, brokerPort, certificate: { cert, key } }) => {
      const server = shown('nginx')
        .replace('listen 443 ssl', `listen 127.0.0.1:${port} ssl`)
        .replace(/ssl_certificate .*;/, `ssl_certificate ${cert};`)
        .replace(/ssl_certificate_key .*;/, `ssl_certificate_key ${key};`)
        .replace('127.0.0.1:7331', `127.0.0.1:${brokerPort}`)
      const places = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
        .map((name) => `${name}_temp_path ${directory}/${name};`)
        .join('\n')
      const user = process.getuid?.() === 0 ? 'user root;' : ''
      const path = join(directory, 'nginx.conf')
      const global = `daemon off; ${user} pid ${directory}/nginx.pid; error_log stderr; events {}`
      writeFileSync(path, `${global}\nhttp {\naccess_log off;\n${places}\n${server}\n}\n`)
      return ['-p', directory, '-e', 'stderr', '-c', path]
    },
  },
  caddy: {
    configure: ({ directory, port, brokerPort, certificate: { cert, key } }) => {
      const site = shown('caddyfile')
        .replace('queue.example.com {', `https://localhost:${port} {\ntls ${cert} ${key}`)
        .replace('127.0.0.1:7331', `127.0.0.1:${brokerPort}`)
      const path = join(directory, 'Caddyfile')
      writeFileSync(path, `{\nadmin off\nauto_https off\n}\n${site}`)
      return ['run', '--config', path, '--adapter', 'caddyfile']
    },
  },
}

/** The block of this language in the document. */
function shown(language: string): string {
  return new RegExp(`\`\`\`${language}\\n([\\s\\S]*?)\`\`\``).exec(document)?.[1] as string
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  server.close()
  await once(server, 'close')
  return port
}

/** Until it answers; its own words where it ends before. */
async function answering(proxy: ChildProcess, said: () => string, ask: () => Promise<unknown>): Promise<void> {
  for (;;) {
    if (proxy.exitCode !== null) throw new Error(`the proxy has ended:\n${said()}`)
    const answered = await ask().then(
      () => true,
      () => false,
    )
    if (answered) return
    await new Promise((resolve) => setTimeout(resolve, 20))
  }
}

async function started(name: string, { configure }: Proxy) {
  const directory = mkdtempSync(join(tmpdir(), `sluice-${name}-`))
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }))
  const certificate = { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }
  const mine = selfSigned('queue.example.com')
  writeSelfSigned(certificate, mine)
  const lines: { msg: string; address?: string }[] = []
  const broker = await createBroker({
    journal: { kind: 'memory' },
    port: 0,
    access: { secret: SECRET },
    allowedOrigins: [ORIGIN],
    allowedHosts: ['queue.example.com'],
    trustedProxies: ['127.0.0.1'],
    logger: pino({ level: 'info' }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
  })
  onTestFinished(() => broker.close())
  const port = await freePort()
  const proxy = spawn(name, configure({ directory, port, brokerPort: broker.port, certificate }), {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, HOME: directory, XDG_DATA_HOME: directory, XDG_CONFIG_HOME: directory },
  })
  let words = ''
  for (const stream of [proxy.stdout, proxy.stderr]) stream.on('data', (text) => (words += String(text)))
  const ended = once(proxy, 'exit')
  onTestFinished(async () => {
    proxy.kill('SIGTERM')
    await ended
  })
  const tls = { ca: mine.cert, servername: 'localhost' }
  const url = `localhost:${port}`
  const ask = async (path: string, headers: Record<string, string> = {}, body?: string) => {
    const method = body === undefined ? 'GET' : 'POST'
    const asked = request(`https://${url}${path}`, { ...tls, agent: false, method, headers }).end(body)
    const [response] = await once(asked, 'response')
    let text = ''
    for await (const piece of response) text += piece
    return { status: response.statusCode as number, text }
  }
  await answering(
    proxy,
    () => words,
    () => ask('/readyz'),
  )
  const connect = (headers: Record<string, string>) => new WebSocket(`wss://${url}`, 'sluice.v1', { ...tls, headers })
  return { ask, connect, lines, token: await signToken(SECRET, { sub: 'ada', scope: 'admin' }, 60_000) }
}

describe.each(Object.entries(PROXIES))('the configuration of %s in docs/deployment.md', (name, proxy) => {
  test('carries HTTP and WebSockets, with the address and the origin of the client', async ({ skip }) => {
    if (spawnSync(name, ['version']).error !== undefined) skip(`${name} is not installed`)
    const { ask, connect, lines, token } = await started(name, proxy)
    const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' }
    expect(await ask('/v1/tasks', headers, '{"queue":"photos","body":1}')).toMatchObject({ status: 202 })
    expect((await ask('/v1/queues')).status).toBe(401)
    expect((await ask('/v1/queues', { ...headers, origin: ORIGIN })).status).toBe(200)
    expect((await ask('/v1/queues', { ...headers, origin: 'https://elsewhere.example' })).status).toBe(403)

    const page = connect({ origin: ORIGIN })
    await once(page, 'open')
    page.send(JSON.stringify([{ type: 'hello', versions: [1], roles: ['producer'], token }]))
    const [welcome] = await once(page, 'message')
    expect(JSON.parse(String(welcome))).toMatchObject([{ type: 'welcome' }])
    page.terminate()

    const foreign = connect({ origin: 'https://elsewhere.example' })
    const [refusal] = await once(foreign, 'error')
    expect(String(refusal)).toContain('403')

    const liar = connect({ 'x-forwarded-for': '203.0.113.9', forwarded: 'for=203.0.113.9' })
    await once(liar, 'open')
    liar.send('nonsense')
    await once(liar, 'close')
    expect(lines.find(({ msg }) => msg === 'refused a connection')?.address).toBe('127.0.0.1')
  })
})
