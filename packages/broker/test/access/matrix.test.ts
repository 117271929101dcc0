import { Bodies, type BrokerMessage, type ClientMessage, DEFAULT_LIMITS } from '@sluice/protocol'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { signToken } from '../../src/access/tokens.ts'
import { MESSAGE_RULES } from '../../src/core/access/authorize.ts'
import type { BrokerApi } from '../../src/core/broker-api.ts'
import { ROUTE_RULES, type Route } from '../../src/http/access.ts'
import { createHttpApp } from '../../src/http/app.ts'
import { type Broker, createBroker } from '../../src/index.ts'
import { SocketPeer } from '../adapters/socket-peer.ts'

/** Who may do what, in each cell over a real socket or a real request. */

const SECRET = 'a secret of thirty-two bytes or so, or more'
const QUEUE = 'photos'

type Verdict = 'allowed' | 'not_permitted' | 'unknown'

/** Who asks, by the scopes of a token. `owner` has none, and submitted the task. */
const ASKERS = {
  owner: '',
  nobody: '',
  elsewhere: 'submit:mail work:mail read:mail cancel:mail manage:mail',
  submits: `submit:${QUEUE}`,
  works: `work:${QUEUE}`,
  reads: 'read:pho*',
  cancels: `cancel:${QUEUE}`,
  manages: 'manage',
  admin: 'admin',
}
type Asker = keyof typeof ASKERS
const all = Object.keys(ASKERS) as Asker[]

/** Who is allowed, and what the others are answered. */
interface Cell {
  allowed: readonly Asker[]
  others: Verdict
}

const everybody: Cell = { allowed: all, others: 'not_permitted' }
const only = (...allowed: Asker[]): Cell => ({ allowed: [...allowed, 'admin'], others: 'not_permitted' })
const ofOwner = (...allowed: Asker[]): Cell => ({ allowed: ['owner', ...allowed, 'admin'], others: 'unknown' })

let broker: Broker
let tasks = 0
const tokens = new Map<Asker, string>()

beforeAll(async () => {
  broker = await createBroker({ journal: { kind: 'memory' }, port: 0, access: { secret: SECRET } })
  for (const asker of all) tokens.set(asker, await signToken(SECRET, { sub: asker, scope: ASKERS[asker] }, 600_000))
})
afterAll(() => broker.close())

function newId(): string {
  tasks += 1
  return `01890a5d-ac96-774b-bcce-${tasks.toString(16).padStart(12, '0')}`
}

const submit = (id: string): ClientMessage => ({
  type: 'submit',
  ref: 1,
  queue: QUEUE,
  ids: [id],
  bodies: Bodies.ofTexts(['1']),
})

/** A task of the principal `owner`, whose token may submit when it does. */
async function taskOfOwner(): Promise<string> {
  const id = newId()
  const token = await signToken(SECRET, { sub: 'owner', scope: `submit:${QUEUE}` }, 60_000)
  const peer = await SocketPeer.welcomed(broker.url, { token })
  await peer.answers(submit(id))
  peer.socket.terminate()
  return id
}

/** A dead letter of the principal `owner`. */
async function deadLetterOfOwner(): Promise<string> {
  const id = await taskOfOwner()
  const peer = await SocketPeer.welcomed(broker.url, { token: tokens.get('admin') as string })
  peer.say({ type: 'credit', credit: 1000, queues: [QUEUE] })
  const { ids, leases } = await peer.until('deliver', (message) => message.ids.includes(id))
  const failures = leases.map((lease, i) => ({ lease, error: { message: 'no' }, retryable: ids[i] !== id }))
  await peer.answers(
    { type: 'fail', ref: 2, failures: failures.filter(({ retryable }) => !retryable) },
    { type: 'credit', credit: 0, queues: [] },
  )
  peer.socket.terminate()
  return id
}

function verdictOf(heard: readonly BrokerMessage[]): Verdict {
  for (const message of heard) {
    if (message.type === 'error') return message.code === 'not_permitted' ? 'not_permitted' : 'allowed'
    if (message.type === 'cancelled' && message.refused[0]?.error.code === 'unknown_task') return 'unknown'
    if (message.type === 'watched' && message.unknown.length > 0) return 'unknown'
    if (message.type === 'status' && message.tasks[0]?.state === 'unknown') return 'unknown'
  }
  return 'allowed'
}

/** A cell for each message. A session may always ask about the leases and watches that it holds. */
const MESSAGES: Record<keyof typeof MESSAGE_RULES, { cell: Cell; say: (asker: Asker) => Promise<ClientMessage[]> }> = {
  hello: { cell: everybody, say: async () => [] },
  renew: { cell: everybody, say: async (asker) => [{ type: 'renew', ref: 1, token: tokens.get(asker) as string }] },
  submit: { cell: only('submits'), say: async () => [submit(newId())] },
  credit: { cell: only('works'), say: async () => [{ type: 'credit', credit: 0, queues: [QUEUE] }] },
  begin: { cell: everybody, say: async () => [{ type: 'begin', lease: 1 }] },
  heartbeat: { cell: everybody, say: async () => [{ type: 'heartbeat', ref: 1, leases: [1] }] },
  reportProgress: {
    cell: everybody,
    say: async () => [{ type: 'reportProgress', updates: [{ lease: 1, progress: 1 }] }],
  },
  complete: {
    cell: everybody,
    say: async () => [{ type: 'complete', ref: 1, leases: [1], bodies: Bodies.ofTexts(['1']) }],
  },
  fail: {
    cell: everybody,
    say: async () => [{ type: 'fail', ref: 1, failures: [{ lease: 1, error: { message: '' } }] }],
  },
  release: { cell: everybody, say: async () => [{ type: 'release', ref: 1, leases: [1] }] },
  cancel: { cell: ofOwner('cancels'), say: async () => [{ type: 'cancel', ref: 1, ids: [await taskOfOwner()] }] },
  query: { cell: ofOwner('reads'), say: async () => [{ type: 'query', ref: 1, ids: [await taskOfOwner()] }] },
  watch: { cell: ofOwner('reads'), say: async () => [{ type: 'watch', ref: 1, ids: [await taskOfOwner()] }] },
  unwatch: { cell: everybody, say: async () => [{ type: 'unwatch', ids: [await taskOfOwner()] }] },
  bye: { cell: everybody, say: async () => [] },
  ping: { cell: everybody, say: async () => [{ type: 'ping', ref: 1 }] },
  pong: { cell: everybody, say: async () => [{ type: 'pong', ref: 1 }] },
}

/** `shows`: what is in the answer where it is allowed. */
type Asked = { path: string; body?: object; shows?: string }
const lists = (...allowed: Asker[]): Cell => ({ allowed: [...allowed, 'admin'], others: 'unknown' })

/** A cell for each route. Of a list `unknown` means that the queue is not in it. */
const ROUTES: Record<Route, { cell: Cell; ask: () => Promise<Asked>; shows?: string }> = {
  'POST /v1/tasks': {
    cell: only('submits'),
    ask: async () => ({ path: '/v1/tasks', body: { queue: QUEUE, body: 1 } }),
  },
  'GET /v1/tasks/:id': { cell: ofOwner('reads'), ask: async () => ({ path: `/v1/tasks/${await taskOfOwner()}` }) },
  'DELETE /v1/tasks/:id': { cell: ofOwner('cancels'), ask: async () => ({ path: `/v1/tasks/${await taskOfOwner()}` }) },
  'GET /v1/queues': { cell: lists('reads'), ask: async () => ({ path: '/v1/queues' }), shows: QUEUE },
  'DELETE /v1/queues/:queue': {
    cell: only('manages'),
    ask: async () => ({ path: `/v1/queues/${QUEUE}`, body: {} }),
  },
  'GET /v1/workers': { cell: lists('reads'), ask: async () => ({ path: '/v1/workers' }), shows: QUEUE },
  'GET /v1/dead': {
    cell: lists('reads'),
    ask: async () => {
      await deadLetterOfOwner()
      return { path: '/v1/dead' }
    },
    shows: QUEUE,
  },
  'POST /v1/dead/redrive': {
    cell: only('manages'),
    ask: async () => ({ path: '/v1/dead/redrive', body: { queue: QUEUE } }),
  },
  'POST /v1/dead/purge': {
    cell: only('manages'),
    ask: async () => ({ path: '/v1/dead/purge', body: { queue: QUEUE } }),
  },
  'GET /v1/tasks': {
    cell: { allowed: ['owner', 'reads', 'admin'], others: 'unknown' },
    ask: async () => ({ path: '/v1/tasks?limit=1000', shows: await taskOfOwner() }),
  },
  'POST /v1/queues/purge': {
    cell: only('manages'),
    ask: async () => ({ path: '/v1/queues/purge', body: { queue: QUEUE } }),
  },
  'GET /v1/outcomes': { cell: everybody, ask: async () => ({ path: '/v1/outcomes' }) },
  'POST /v1/tickets': { cell: everybody, ask: async () => ({ path: '/v1/tickets', body: {} }) },
  'POST /v1/revocations': {
    cell: only(),
    ask: async () => ({ path: '/v1/revocations', body: { principal: 'a stranger' } }),
  },
  'GET /healthz': { cell: everybody, ask: async () => ({ path: '/healthz' }) },
  'GET /readyz': { cell: everybody, ask: async () => ({ path: '/readyz' }) },
}

/** What a response holds; of one that goes on for ever the beginning. */
async function textOf(response: Response): Promise<string> {
  if (response.headers.get('content-type')?.includes('ndjson') !== true) return response.text()
  await response.body?.cancel()
  return ''
}

function request(route: Route, { path, body }: Asked, token?: string): Promise<Response> {
  const headers: Record<string, string> = token === undefined ? {} : { authorization: `Bearer ${token}` }
  if (body) headers['content-type'] = 'application/json'
  return fetch(`${broker.httpUrl}${path}`, {
    method: route.split(' ')[0] as string,
    headers,
    ...(body ? { body: JSON.stringify(body) } : {}),
  })
}

describe.each(Object.entries(MESSAGES))('[ACCESS-2] [ACCESS-3] %s over a socket', (_, { cell, say }) => {
  test.each(all)('%s', async (asker) => {
    const messages = await say(asker)
    const peer = await SocketPeer.welcomed(broker.url, { token: tokens.get(asker) as string })
    const verdict = verdictOf(await peer.answers(...messages))
    expect(verdict).toBe(cell.allowed.includes(asker) ? 'allowed' : cell.others)
    peer.socket.terminate()
  })
})

describe.each(Object.entries(ROUTES) as [Route, (typeof ROUTES)[Route]][])(
  '[ACCESS-2] [ACCESS-3] %s over HTTP',
  (route, { cell, ask, shows }) => {
    test.each(all)('%s', async (asker) => {
      const worker = await SocketPeer.welcomed(broker.url, { token: tokens.get('works') as string })
      await worker.answers({ type: 'credit', credit: 0, queues: [QUEUE] })
      const asked = await ask()
      const response = await request(route, asked, tokens.get(asker))
      const text = await textOf(response)
      worker.socket.terminate()
      const expected = asked.shows ?? shows
      const isUnknown = response.status === 404 || (expected !== undefined && !text.includes(expected))
      const verdict = response.status === 403 ? 'not_permitted' : isUnknown ? 'unknown' : 'allowed'
      expect(verdict, text).toBe(cell.allowed.includes(asker) ? 'allowed' : cell.others)
      expect(response.status).not.toBe(500)
    })

    test('[ACCESS-1] without a token', async () => {
      const asked = await ask()
      const response = await request(route, asked)
      expect(response.status).toBe(ROUTE_RULES[route].ask === 'nobody' ? 200 : 401)
      if (response.status !== 401) return
      expect(response.headers.get('www-authenticate')).toBe('Bearer')
      const body = (await response.json()) as { error: { code: string } }
      expect(body.error.code).toBe('unauthorized')
    })
  },
)

test('[ACCESS-3] a task of another is answered to the letter as one that does not exist', async () => {
  const [held, free] = [await taskOfOwner(), newId()]
  const peer = await SocketPeer.welcomed(broker.url, { token: tokens.get('nobody') as string })
  const asked = async (id: string) => {
    const messages = await peer.answers(
      { type: 'cancel', ref: 1, ids: [id] },
      { type: 'watch', ref: 2, ids: [id] },
      { type: 'query', ref: 3, ids: [id] },
    )
    const http = await Promise.all(
      (['GET', 'DELETE'] as const).map(async (method) => {
        const response = await request(`${method} /v1/tasks/:id`, { path: `/v1/tasks/${id}` }, tokens.get('nobody'))
        return [response.status, await response.text()]
      }),
    )
    return JSON.stringify([messages, http]).replaceAll(id, 'ID')
  }
  expect(await asked(held)).toBe(await asked(free))
  peer.socket.terminate()
})

test('[ACCESS-3] an id of another is a conflict, with the same content too; that of oneself is known', async () => {
  const id = await taskOfOwner()
  const verdicts = await Promise.all(
    (['submits', 'admin', 'owner'] as const).map(async (sub) => {
      const token = await signToken(SECRET, { sub, scope: `submit:${QUEUE}` }, 60_000)
      const peer = await SocketPeer.welcomed(broker.url, { token })
      const heard = await peer.answers(submit(id))
      peer.socket.terminate()
      return heard.find((message) => message.type === 'submitted')?.refused.map(({ error }) => error.code)
    }),
  )
  expect(verdicts).toEqual([['id_conflict'], ['id_conflict'], []])
})

test('[ACCESS-3] outcomes are told to those who may see the task', async () => {
  const followed = await Promise.all(
    (['owner', 'reads', 'nobody'] as const).map(async (asker) => {
      const response = await request('GET /v1/outcomes', { path: '/v1/outcomes' }, tokens.get(asker))
      const reader = (response.body as ReadableStream<Uint8Array>).getReader()
      await reader.read()
      return reader
    }),
  )
  const [id, own] = [await taskOfOwner(), newId()]
  const peer = await SocketPeer.welcomed(broker.url, {
    token: await signToken(SECRET, { sub: 'nobody', scope: 'submit:mail' }, 60_000),
  })
  await peer.answers({ ...submit(own), queue: 'mail' } as ClientMessage, { type: 'cancel', ref: 2, ids: [own] })
  await request('DELETE /v1/tasks/:id', { path: `/v1/tasks/${id}` }, tokens.get('owner'))
  await peer.answers({ type: 'ping', ref: 9 })
  const firstIds = await Promise.all(
    followed.map(async (reader) => {
      let text = ''
      while (!/"id":"[^"]+"/.test(text)) text += new TextDecoder().decode((await reader.read()).value)
      await reader.cancel()
      return /"id":"([^"]+)"/.exec(text)?.[1]
    }),
  )
  // The task in mail ended first, and is told to nobody but the one who submitted it.
  expect(firstIds).toEqual([id, id, own])
  peer.socket.terminate()
})

test.each([undefined, 'no token'])(
  '[ACCESS-1] a hello with %s is refused, and the connection is closed',
  async (token) => {
    const peer = await SocketPeer.greeting(broker.url, token === undefined ? {} : { token })
    expect(await peer.until('error')).toMatchObject({ code: 'unauthorized' })
    // Although nothing more is read of it.
    expect(await peer.closed).toBe(4001)
  },
)

test('[ACCESS-4] a session is resumed by its principal alone', async () => {
  const first = await SocketPeer.welcomed(broker.url, { token: tokens.get('works') as string })
  const { session } = await first.until('welcome')
  const resume = { session, leases: [] }
  for (const asker of ['reads', 'admin'] as const) {
    const peer = await SocketPeer.welcomed(broker.url, { token: tokens.get(asker) as string, resume })
    expect(await peer.until('welcome')).toMatchObject({ resumed: false })
    peer.socket.terminate()
  }
  const again = await SocketPeer.welcomed(broker.url, { token: tokens.get('works') as string, resume })
  expect(await again.until('welcome')).toMatchObject({ resumed: true, session })
  expect(await first.closed).toBe(4005)
  again.socket.terminate()
})

test('[ACCESS-11] a ticket admits one request to look, for as much as its principal may', async () => {
  const id = await taskOfOwner()
  const ticketOf = async (asker: Asker) => {
    const response = await request('POST /v1/tickets', { path: '/v1/tickets', body: {} }, tokens.get(asker))
    return ((await response.json()) as { ticket: string }).ticket
  }
  const look = async (ticket: string, method = 'GET') => {
    const response = await fetch(`${broker.httpUrl}/v1/tasks/${id}?ticket=${ticket}`, { method })
    await response.text()
    return response.status
  }
  const ticket = await ticketOf('reads')
  expect(await look(ticket, 'DELETE')).toBe(400)
  expect([await look(ticket), await look(ticket)]).toEqual([200, 401])
  expect([await look(await ticketOf('nobody')), await look('made up')]).toEqual([404, 401])
})

test('a cell for each message, and for each route that the server has', () => {
  expect(Object.keys(MESSAGES).sort()).toEqual(Object.keys(MESSAGE_RULES).sort())
  expect(Object.keys(ROUTES).sort()).toEqual(Object.keys(ROUTE_RULES).sort())
  const options = { limits: DEFAULT_LIMITS, newId: () => '', secretId: () => '' }
  const { routes } = createHttpApp({} as BrokerApi, options)
  const served = routes.filter(({ path }) => path !== '/*').map(({ method, path }) => `${method} ${path}`)
  expect([...new Set(served)].sort()).toEqual(Object.keys(ROUTE_RULES).sort())
})
