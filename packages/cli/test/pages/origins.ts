import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { type Broker, createBroker, signToken } from '@sluice/broker'
import type { TestProject } from 'vitest/node'

declare module 'vitest' {
  interface ProvidedContext {
    /** Where tests in a browser ask for brokers, and the port at which every `*.example` name serves the page of attempts. */
    origins: { controlUrl: string; pagePort: number }
  }
}

/** What a broker answered over HTTP. */
export interface Answer {
  method: string
  path: string
  origin: string | undefined
  host: string | undefined
  status: number
}

export interface StartedBroker {
  url: string
  httpUrl: string
  port: number
  /** Of a broker with access control: it may do everything. */
  token?: string
}

const SECRET = 'a secret of thirty-two bytes or more, for pages'
const page = readFileSync(join(import.meta.dirname, 'attempts.html'))

async function pageServer(): Promise<Server> {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(page))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return server
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port

/** Before the tests in the browser: pages of other origins, and brokers that are started when a test asks for one. */
export default async function provideOrigins(project: TestProject): Promise<() => Promise<void>> {
  const pages = await pageServer()
  const brokers: Broker[] = []
  const moving: Server[] = []
  const answers = new Map<number, Answer[]>()
  const note = (message: unknown): void => {
    const { request, response } = message as { request: IncomingMessage; response: ServerResponse }
    const { method = '', url: path = '', headers } = request
    const { origin, host } = headers
    answers.get(request.socket.localPort ?? 0)?.push({ method, path, origin, host, status: response.statusCode })
  }
  subscribe('http.server.response.finish', note)

  async function start(listed: string | null, port = 0): Promise<StartedBroker> {
    const broker = await createBroker({
      journal: { kind: 'memory' },
      port,
      ...(listed === null ? {} : { access: { secret: SECRET }, allowedOrigins: [listed] }),
    })
    brokers.push(broker)
    answers.set(broker.port, [])
    const { url, httpUrl } = broker
    const token = listed === null ? {} : { token: await signToken(SECRET, { sub: 'ada', scope: 'admin' }, 600_000) }
    return { url, httpUrl, port: broker.port, ...token }
  }

  /** A page whose name is pointed at a broker once it has been loaded, which is what DNS rebinding comes to. */
  async function rebind(port: number): Promise<StartedBroker> {
    const server = moving.find((candidate) => portOf(candidate) === port) as Server
    moving.splice(moving.indexOf(server), 1)
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
    return start(null, port)
  }

  const controls: Record<string, (query: URLSearchParams) => Promise<unknown>> = {
    '/start': (query) => start(query.get('listed')),
    '/movingPage': async () => {
      const server = await pageServer()
      moving.push(server)
      return { port: portOf(server) }
    },
    '/rebind': (query) => rebind(Number(query.get('port'))),
    '/answers': async (query) => answers.get(Number(query.get('port'))),
  }
  const control = createServer(async ({ url = '' }, response) => {
    const { pathname, searchParams } = new URL(url, 'http://control')
    const answer = await controls[pathname]?.(searchParams)
    response.writeHead(answer === undefined ? 404 : 200, { 'access-control-allow-origin': '*' })
    response.end(JSON.stringify(answer ?? null))
  })
  control.listen(0, '127.0.0.1')
  await once(control, 'listening')
  project.provide('origins', { controlUrl: `http://127.0.0.1:${portOf(control)}`, pagePort: portOf(pages) })
  return async () => {
    unsubscribe('http.server.response.finish', note)
    for (const server of [control, pages, ...moving]) {
      server.closeAllConnections()
      server.close()
    }
    await Promise.all(brokers.map((broker) => broker.close()))
  }
}
