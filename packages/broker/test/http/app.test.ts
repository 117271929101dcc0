import { DEFAULT_LIMITS, isTaskId, jsonBody, type WireError } from '@sluice/protocol'
import fc from 'fast-check'
import type { Hono } from 'hono'
import { beforeEach, expect, test } from 'vitest'
import type { BrokerApi, TaskDetails } from '../../src/core/broker-api.ts'
import { createHttpApp } from '../../src/http/app.ts'

const ID = '01890a5d-ac96-774b-bcce-b302099a8057'
const OTHER = '01890a5d-ac96-774b-bcce-b302099a8058'
const limits = { ...DEFAULT_LIMITS, bodyBytesMax: 1000, batchItemsMax: 3, frameBytesMax: 4096 }

let calls: { name: string; args: unknown[] }[]
let refusals: (WireError | undefined)[]
let details: TaskDetails[]
let api: BrokerApi
let app: Hono
let seen: unknown[]

beforeEach(() => {
  calls = []
  refusals = []
  details = []
  seen = []
  const noted = <T>(answer: T, name: string, ...args: unknown[]): T => {
    calls.push({ name, args })
    return answer
  }
  api = {
    as: () => api,
    refusalOf: () => undefined,
    revoke: async (target) => noted(1, 'revoke', target),
    submit: async (...args) => noted(refusals, 'submit', ...args),
    // Each look sees the next state; the last one stays.
    task: async (id) => noted(details.length > 1 ? details.shift() : details[0], 'task', id),
    waitForOutcome: async (id, waitMs) => noted(async () => details.at(-1), 'waitForOutcome', id, waitMs),
    cancel: async (ids) => noted(refusals, 'cancel', ids),
    queues: () => [],
    workers: (query) => noted({ workers: [] }, 'workers', query),
    dropQueue: async (queue) => noted({ purged: 3, more: false }, 'dropQueue', queue),
    dead: (query) => noted({ tasks: [], next: OTHER }, 'dead', query),
    redrive: async (target) => noted({ redriven: 2, refused: [] }, 'redrive', target),
    tasks: (query) => noted({ tasks: [] }, 'tasks', query),
    purge: async (queue) => noted({ purged: 3, more: false }, 'purge', queue),
    purgeDead: async (target) => noted({ purged: 2, more: true }, 'purgeDead', target),
    follow: (reader) => noted(() => {}, 'follow', reader),
    health: () => ({
      status: 'draining',
      durability: 'strict',
      version: '0',
      tasks: 0,
      connections: 0,
      journal: { batches: 0, bytes: 0 },
    }),
  }
  app = createHttpApp(api, { limits, newId: () => ID, secretId: () => 'secret', onError: (error) => seen.push(error) })
})

function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  return app.request(path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', host: '127.0.0.1:7331', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
}

const get = (path: string, headers: Record<string, string> = {}) =>
  app.request(path, { headers: { host: 'localhost:7331', ...headers } })

function nested(depth: number): string {
  return '['.repeat(depth) + ']'.repeat(depth)
}

async function errorOf(response: Response | Promise<Response>): Promise<WireError & { status: number }> {
  const answered = await response
  const { error } = (await answered.json()) as { error: WireError }
  return { status: answered.status, ...error }
}

test('one task is submitted with its options, and gets an id where it brings none', async () => {
  refusals = [undefined]
  const response = await post('/v1/tasks', { queue: 'resize', body: { a: 1 }, options: { delayMs: 5 } })
  expect(response.status).toBe(202)
  expect(await response.json()).toEqual({ tasks: [{ id: ID, accepted: true }] })
  expect(calls).toEqual([
    { name: 'submit', args: ['resize', { delayMs: 5 }, [{ id: ID, bytes: jsonBody({ a: 1 }).bytes }]] },
  ])
})

test('many tasks are submitted at once, each with its own verdict', async () => {
  refusals = [undefined, { code: 'id_conflict', message: 'other content' }]
  const response = await post('/v1/tasks', { queue: 'q', tasks: [{ body: null }, { id: OTHER, body: 2 }] })
  expect(response.status).toBe(202)
  expect(await response.json()).toEqual({
    tasks: [
      { id: ID, accepted: true },
      { id: OTHER, accepted: false, error: { code: 'id_conflict', message: 'other content' } },
    ],
  })
})

test('bytes that are not JSON come in base64 with their content type', async () => {
  refusals = [undefined]
  await post('/v1/tasks', { queue: 'q', base64: 'AQI=', contentType: 'image/png' })
  const task = { id: ID, bytes: new Uint8Array([1, 2]), contentType: 'image/png' }
  expect(calls[0]?.args).toEqual(['q', undefined, [task]])
})

test('busy answers 503 with Retry-After in whole seconds, rounded up', async () => {
  refusals = [{ code: 'busy', message: 'full', retryAfterMs: 1001 }]
  const response = await post('/v1/tasks', { queue: 'q', body: 1 })
  expect(response.status).toBe(503)
  expect(response.headers.get('retry-after')).toBe('2')
  expect(await errorOf(response)).toMatchObject({ code: 'busy', retryAfterMs: 1001 })
})

test.each([
  ['read_only', 503],
  ['draining', 503],
  ['id_conflict', 409],
  ['internal', 500],
] as const)('a submission refused as %s answers %i', async (code, status) => {
  refusals = [{ code, message: 'no' }]
  const response = await post('/v1/tasks', { queue: 'q', body: 1 })
  expect(response.status).toBe(status)
  expect(response.headers.has('retry-after')).toBe(status === 503)
})

test.each([
  [{ body: 1 }, 400, { code: 'bad_message', field: 'queue' }],
  [{ queue: 'bad name', body: 1 }, 400, { code: 'bad_message', field: 'queue' }],
  [{ queue: 'x'.repeat(200), body: 1 }, 400, { code: 'too_large', field: 'queue', limit: 128 }],
  [{ queue: 'q' }, 400, { code: 'bad_message', field: 'body' }],
  [{ queue: 'q', body: 'x'.repeat(1000) }, 413, { code: 'too_large', field: 'body', limit: 1000 }],
  [{ queue: 'q', body: 1, id: 'abc' }, 400, { code: 'bad_message', field: 'id' }],
  [{ queue: 'q', body: 1, priority: 3 }, 400, { code: 'bad_message', field: 'priority' }],
  [{ queue: 'q', body: 1, options: { priority: 11 } }, 400, { code: 'too_large', field: 'options.priority', limit: 9 }],
  [{ queue: 'q', body: 1, options: { delay: 11 } }, 400, { code: 'bad_message', field: 'options.delay' }],
  [{ queue: 'q', body: 1, options: { retry: { kind: 'fixed', max: 2 } } }, 400, { field: 'options.retry.max' }],
  [{ queue: 'q', tasks: [] }, 400, { code: 'bad_message', field: 'tasks' }],
  [{ queue: 'q', tasks: 5 }, 400, { code: 'bad_message', field: 'tasks' }],
  [{ queue: 'q', tasks: [{ body: 1 }, { body: 1, queue: 'r' }] }, 400, { field: 'tasks[1].queue' }],
  [{ queue: 'q', tasks: [{ body: 1 }, {}] }, 400, { code: 'bad_message', field: 'tasks[1].body' }],
  [{ queue: 'q', tasks: [{}, {}, {}, {}] }, 413, { code: 'too_large', field: 'tasks', limit: 3 }],
  [[], 400, { code: 'bad_message', field: 'body' }],
  ['{"queue":', 400, { code: 'bad_message', field: 'body' }],
  ['{"queue":"q","body":1,"__proto__":{"options":1}}', 400, { code: 'bad_message', field: '__proto__' }],
  ['x'.repeat(5000), 413, { code: 'too_large', field: 'body', limit: 4096 }],
  [{ queue: 'q', body: 1, id: null }, 400, { code: 'bad_message', field: 'id' }],
  [{ queue: 'q', body: 1, options: null }, 400, { code: 'bad_message', field: 'options' }],
  [`{"queue":"q","body":${nested(62)}}`, 413, { code: 'too_large', field: 'body', limit: 64 }],
  [`{"queue":"q","body":1,"options":${nested(63)}}`, 413, { code: 'too_large', field: 'body', limit: 64 }],
])('submission %# is refused, naming the field', async (request, status, error) => {
  expect(await errorOf(post('/v1/tasks', request))).toMatchObject({ status, ...error })
  expect(calls).toEqual([])
})

test('what is deeper than JSON.stringify can follow is refused like anything too deep', async () => {
  app = createHttpApp(api, { limits: DEFAULT_LIMITS, newId: () => ID, secretId: () => 'secret' })
  const tooDeep = { status: 413, code: 'too_large', field: 'body', limit: 64 }
  expect(await errorOf(post('/v1/tasks', `{"queue":"q","body":${nested(100_000)}}`))).toMatchObject(tooDeep)
  expect(await errorOf(post('/v1/dead/redrive', `{"ids":${nested(100_000)}}`))).toMatchObject(tooDeep)
})

test('what all tasks of a request share is looked at once: as often as there are tasks it would fill the memory', async () => {
  app = createHttpApp(api, { limits: DEFAULT_LIMITS, newId: () => ID, secretId: () => 'secret' })
  const tasks = Array.from({ length: 1000 }, () => ({ body: 1 }))
  const refused = await errorOf(post('/v1/tasks', { queue: 'q'.repeat(1_000_000), tasks }))
  expect(refused).toMatchObject({ status: 400, code: 'too_large', field: 'queue', limit: 128 })
})

const anyOptions = fc.record(
  {
    priority: fc.oneof(fc.nat({ max: 10 }), fc.jsonValue()),
    delayMs: fc.jsonValue(),
    retry: fc.oneof(
      fc.record({ kind: fc.constantFrom('none', 'fixed', 'sometimes'), attemptsMax: fc.integer() }),
      fc.jsonValue(),
    ),
  },
  { requiredKeys: [] },
)
const anyTask = fc.record(
  {
    id: fc.oneof(fc.uuid({ version: 7 }), fc.jsonValue()),
    body: fc.jsonValue({ maxDepth: 70 }),
    base64: fc.oneof(fc.base64String(), fc.jsonValue()),
    contentType: fc.oneof(fc.constantFrom('image/png', 'application/json'), fc.jsonValue()),
  },
  { requiredKeys: [] },
)
const shared = {
  queue: fc.oneof({ weight: 5, arbitrary: fc.constant('q') }, { weight: 1, arbitrary: fc.jsonValue() }),
  options: fc.oneof(anyOptions, fc.jsonValue()),
}
const anySubmission = fc.oneof(
  fc.tuple(fc.record(shared, { requiredKeys: ['queue'] }), anyTask).map(([about, task]) => ({ ...about, ...task })),
  fc.record(
    { ...shared, tasks: fc.oneof(fc.array(anyTask, { maxLength: 4 }), fc.jsonValue()) },
    { requiredKeys: ['queue', 'tasks'] },
  ),
  fc.jsonValue(),
)

test('any JSON is a submission, or is refused with a code and a field', async () => {
  const statuses = new Set<number>()
  await fc.assert(
    fc.asyncProperty(anySubmission, async (request) => {
      refusals = []
      const response = await post('/v1/tasks', JSON.stringify(request))
      statuses.add(response.status)
      const answer = (await response.json()) as { error?: WireError; tasks?: { id: string }[] }
      if (response.status === 202) expect(answer.tasks?.every(({ id }) => isTaskId(id))).toBe(true)
      else
        expect([answer.error?.code, answer.error?.field]).toEqual([
          expect.stringMatching(/bad_message|too_large/),
          expect.any(String),
        ])
    }),
    { numRuns: 2000 },
  )
  expect(seen).toEqual([])
  expect([...statuses].sort()).toEqual([202, 400, 413])
})

test('a body that is not UTF-8 is refused rather than changed', async () => {
  const bytes = Buffer.from('{"queue":"q","body":"größe"}', 'latin1')
  const headers = { 'content-type': 'application/json', host: 'localhost' }
  const refused = await errorOf(app.request('/v1/tasks', { method: 'POST', headers, body: bytes }))
  expect(refused).toMatchObject({ status: 400, code: 'bad_message', field: 'body', message: 'The body is not UTF-8.' })
})

test('numbers keep their digits on the way in and on the way out', async () => {
  refusals = [undefined]
  const numbers = '[12345678901234567890,1e400,0.12345678901234567,-9007199254740993,1.5]'
  await post('/v1/tasks', `{"queue":"q","body":${numbers},"options":{"delayMs":1e3}}`)
  const [, options, [task]] = calls[0]!.args as [string, object, [{ bytes: Uint8Array }]]
  expect([options, new TextDecoder().decode(task.bytes)]).toEqual([{ delayMs: 1000 }, numbers])
  details = [{ id: ID, state: 'succeeded', history: [], result: { bytes: task.bytes } }]
  expect(await (await get(`/v1/tasks/${ID}`)).text()).toBe(
    `{"id":"${ID}","state":"succeeded","history":[],"result":${numbers}}`,
  )
})

test('a task shows its JSON result as JSON', async () => {
  details = [{ id: ID, state: 'succeeded', queue: 'q', attempts: 1, history: [], result: jsonBody({ ok: true }) }]
  const response = await get(`/v1/tasks/${ID}`)
  expect(response.headers.get('cache-control')).toBe('no-store')
  expect(await response.json()).toEqual({
    id: ID,
    state: 'succeeded',
    queue: 'q',
    attempts: 1,
    history: [],
    result: { ok: true },
  })
})

test.each([63, 64, 100_000])(
  'a result that nests %i deep is shown, as base64 where it is deeper than a frame may be',
  async (depth) => {
    const result = { bytes: new TextEncoder().encode(nested(depth)) }
    details = [{ id: ID, state: 'succeeded', history: [], result }]
    const response = await get(`/v1/tasks/${ID}`)
    expect(response.headers.get('content-type')).toBe('application/json')
    const body = (await response.json()) as Record<string, string>
    if (depth < 64) expect(JSON.stringify(body.result)).toBe(nested(depth))
    else expect(Buffer.from(body.resultBase64 ?? '', 'base64').toString()).toBe(nested(depth))
  },
)

test.each(['image/png', undefined])(
  'bytes that are not JSON (said to be %s) are shown as base64',
  async (contentType) => {
    const result = { bytes: new Uint8Array(20_000).fill(255), ...(contentType === undefined ? {} : { contentType }) }
    details = [{ id: ID, state: 'succeeded', history: [], result }]
    const body = (await (await get(`/v1/tasks/${ID}`)).json()) as Record<string, string>
    expect(body.contentType).toBe(contentType ?? 'application/json')
    expect(Buffer.from(body.resultBase64 ?? '', 'base64')).toEqual(Buffer.alloc(20_000, 255))
  },
)

test('times on the clock of the broker stay inside', async () => {
  const history = [{ attempt: 1, endedAtMs: 5, how: 'failed' as const, error: { message: 'no' } }]
  details = [{ id: ID, state: 'ready', history }]
  expect(await (await get(`/v1/tasks/${ID}`)).json()).toMatchObject({
    history: [{ attempt: 1, how: 'failed', error: { message: 'no' } }],
  })
  expect(JSON.stringify(await (await get(`/v1/tasks/${ID}`)).json())).not.toContain('endedAtMs')
})

test('a long-poll waits for an unfinished task and shows what it has become', async () => {
  details = [
    { id: ID, state: 'leased', history: [] },
    { id: ID, state: 'cancelled', history: [] },
  ]
  expect(await (await get(`/v1/tasks/${ID}?waitMs=60000`)).json()).toMatchObject({ state: 'cancelled' })
  expect(calls).toEqual([{ name: 'waitForOutcome', args: [ID, 60_000] }])
})

test('a long-poll past the bound on waiters is told busy', async () => {
  details = [{ id: ID, state: 'ready', history: [] }]
  api.waitForOutcome = () => Promise.reject(Object.assign(new Error('too many wait'), { code: 'busy' }))
  const response = await get(`/v1/tasks/${ID}?waitMs=10`)
  expect(response.headers.get('retry-after')).toBe('1')
  expect(await errorOf(response)).toMatchObject({ status: 503, code: 'busy', message: 'too many wait' })
})

test.each([
  ['60001', { status: 400, code: 'too_large', field: 'waitMs', limit: 60_000 }],
  ['1.5', { status: 400, code: 'bad_message', field: 'waitMs' }],
  ['-1', { status: 400, code: 'bad_message', field: 'waitMs' }],
])('waitMs=%s is refused', async (waitMs, error) => {
  expect(await errorOf(get(`/v1/tasks/${ID}?waitMs=${waitMs}`))).toMatchObject(error)
})

test('an unknown task is 404, an id that is none is 400', async () => {
  expect(await errorOf(get(`/v1/tasks/${ID}`))).toMatchObject({ status: 404, code: 'unknown_task' })
  expect(await errorOf(get('/v1/tasks/7'))).toMatchObject({ status: 400, code: 'bad_message', field: 'id' })
})

test('a task is cancelled, or it is said why not', async () => {
  const cancel = () => app.request(`/v1/tasks/${ID}`, { method: 'DELETE', headers: { host: '[::1]:7331' } })
  refusals = [undefined]
  expect(await (await cancel()).json()).toEqual({ id: ID, cancelled: true })
  refusals = [{ code: 'task_finished', message: 'done' }]
  expect(await errorOf(cancel())).toMatchObject({ status: 409, code: 'task_finished' })
})

test('dead letters are listed in pages and made ready again by queue or by ids', async () => {
  const page = await get(`/v1/dead?queue=q&limit=5&after=${ID}`)
  expect(await page.json()).toEqual({ tasks: [], next: OTHER })
  await get('/v1/dead')
  expect(await (await post('/v1/dead/redrive', { queue: 'q' })).json()).toEqual({ redriven: 2, refused: [] })
  await post('/v1/dead/redrive', { ids: [ID] })
  expect(calls.map(({ args }) => args)).toEqual([
    [{ queue: 'q', limit: 5, after: ID }],
    [{ limit: 100 }],
    [{ queue: 'q' }],
    [{ ids: [ID] }],
  ])
})

test.each([
  {},
  { queue: 'q', ids: [ID] },
  { queue: 5 },
  { ids: ['x'] },
  { ids: 5 },
  { queue: 'q', limit: 5 },
  [],
  null,
])('the redrive request %j is refused', async (request) => {
  expect(await errorOf(post('/v1/dead/redrive', request))).toMatchObject({ status: 400, code: 'bad_message' })
  expect(calls).toEqual([])
})

test('a page of large dead letters ends sooner, and the next one begins behind it', async () => {
  const letters = [800, 800, 800, 800, 9000].map((length, n) => {
    const error = { message: 'no', stack: 's'.repeat(length) }
    const history = [{ attempt: 1, endedAtMs: 5, how: 'failed' as const, error }]
    const reason = 'attempts_exhausted' as const
    return { id: `${ID.slice(0, -1)}${n}`, queue: 'q', reason, error, attempts: 1, history, ageMs: 1 }
  })
  api.dead = ({ limit, after }) => {
    const from = letters.findIndex(({ id }) => id === after) + 1
    const tasks = letters.slice(from, from + limit)
    return from + limit < letters.length ? { tasks, next: tasks.at(-1)!.id } : { tasks }
  }
  const pages: (string | undefined)[][] = []
  let after: string | undefined = ''
  while (after !== undefined) {
    const page = await get(`/v1/dead?limit=3${after}`)
    expect(page.headers.get('content-type')).toBe('application/json')
    const { tasks, next } = (await page.json()) as { tasks: { id: string }[]; next?: string }
    pages.push(tasks.map(({ id }) => id.at(-1)))
    after = next === undefined ? undefined : `&after=${next}`
  }
  expect(pages).toEqual([['0', '1'], ['2', '3'], ['4']])
})

test('readyz is 503 while the broker drains, healthz says how it is', async () => {
  expect((await get('/readyz')).status).toBe(503)
  expect(await (await get('/healthz')).json()).toMatchObject({ status: 'draining', durability: 'strict' })
})

test.each(['evil.example', 'evil.example:7331', 'localhost.evil.example', '127.0.0.1.evil.example', '10.0.0.1'])(
  'a request to the host %s is refused: the name may have been rebound',
  async (host) => {
    expect(await errorOf(get('/v1/queues', { host }))).toMatchObject({ status: 403, field: 'Host' })
  },
)

test.each(['https://evil.example', 'null', 'http://127.0.0.1:9999'])('a page of %s may not submit', async (origin) => {
  const refused = await errorOf(post('/v1/tasks', { queue: 'q', body: 1 }, { origin }))
  expect(refused).toMatchObject({ status: 403, field: 'Origin' })
  expect(calls).toEqual([])
})

test('a page of the own origin may submit', async () => {
  refusals = [undefined]
  const response = await post('/v1/tasks', { queue: 'q', body: 1 }, { origin: 'http://127.0.0.1:7331' })
  expect(response.status).toBe(202)
})

test('a page that was allowed may ask, send and read what it is answered; what another asks is refused', async () => {
  const origin = 'https://app.example'
  app = createHttpApp(api, { limits, newId: () => ID, secretId: () => 'secret', allowedOrigins: [origin] })
  const ask = (of: string) =>
    app.request('/v1/tasks', {
      method: 'OPTIONS',
      headers: { host: 'localhost:7331', origin: of, 'access-control-request-method': 'POST' },
    })
  const asked = await ask(origin)
  expect([asked.status, asked.headers.get('access-control-allow-origin')]).toEqual([204, origin])
  expect(asked.headers.get('access-control-allow-methods')).toContain('POST')
  expect(asked.headers.get('access-control-allow-headers')).toBe('content-type,authorization')
  refusals = [{ code: 'busy', message: 'full' }]
  const sent = await post('/v1/tasks', { queue: 'q', body: 1 }, { origin })
  expect([sent.status, sent.headers.get('access-control-allow-origin')]).toEqual([503, origin])
  expect(sent.headers.get('access-control-expose-headers')).toBe('retry-after')
  const other = await ask('https://evil.example')
  expect([other.status, other.headers.get('access-control-allow-origin')]).toEqual([403, null])
})

test.each(['text/plain', 'application/x-www-form-urlencoded', ''])('a POST of %j is refused', async (contentType) => {
  const response = post('/v1/tasks', { queue: 'q', body: 1 }, { 'content-type': contentType })
  expect(await errorOf(response)).toMatchObject({ status: 415, field: 'Content-Type' })
})

test('a failure inside is logged, and told without its details', async () => {
  api.queues = () => {
    throw new Error('secret')
  }
  expect(await errorOf(get('/v1/queues'))).toEqual({
    status: 500,
    code: 'internal',
    message: 'The broker failed; its log says why.',
  })
  expect(seen).toHaveLength(1)
})

test('an unknown path says what there is', async () => {
  expect(await errorOf(get('/v2/tasks'))).toMatchObject({ status: 404, message: expect.stringContaining('/v1/queues') })
})

test.each([
  ['PUT', '/v1/tasks', 'POST, GET, HEAD'],
  ['POST', `/v1/tasks/${ID}`, 'GET, DELETE, HEAD'],
  ['POST', '/v1/queues', 'GET, HEAD'],
  ['GET', '/v1/dead/redrive', 'POST'],
  ['DELETE', '/healthz', 'GET, HEAD'],
])('[HTTP-8] %s %s is 405, and says what is possible', async (method, path, allow) => {
  const response = await app.request(path, { method, headers: { host: 'localhost' } })
  expect(response.headers.get('allow')).toBe(allow)
  expect(await errorOf(response)).toMatchObject({ status: 405, message: expect.stringContaining(allow) })
})

test('[HTTP-8] HEAD is answered wherever GET is', async () => {
  for (const path of ['/v1/queues', '/healthz'])
    expect((await app.request(path, { method: 'HEAD', headers: { host: 'localhost' } })).status).toBe(200)
})

test('[HTTP-8] every route refuses a parameter that it does not know, by its name', async () => {
  const routes = app.routes.filter(({ method }) => method !== 'ALL')
  expect(routes.length).toBeGreaterThan(8)
  for (const { method, path } of routes) {
    const headers = { host: 'localhost', 'content-type': 'application/json' }
    const url = `${path.replace(':id', ID)}?limits=5`
    const response = app.request(url, { method, headers, ...(method === 'POST' ? { body: '{}' } : {}) })
    expect(await errorOf(response), `${method} ${path}`).toMatchObject({ status: 400, field: 'limits' })
  }
  expect(await errorOf(get('/v1/dead?limit=5&limit=6'))).toMatchObject({ status: 400, field: 'limit' })
  expect(await errorOf(get('/v1/dead?quue=a'))).toMatchObject({
    message: 'No such parameter; there is queue, limit, after.',
  })
  expect(calls).toEqual([])
})

test.each([
  [{ queue: 'q' }, 'body', /The input of the task is missing/],
  [{ queue: 'q', tasks: [{ body: 1 }, {}] }, 'tasks[1].body', /The input of the task is missing/],
  ['', 'body', /^The request has no body: send JSON, such as /],
  [{ queue: 'big cats', body: 1 }, 'queue', /cannot hold " "\. It begins with a letter or digit/],
  [{ queue: '-cats', body: 1 }, 'queue', /cannot begin with "-"/],
  [{ queue: '', body: 1 }, 'queue', /is not empty/],
  [{ body: 1 }, 'queue', /The name of a queue is needed here/],
  [{ queue: 'x'.repeat(140), body: 1 }, 'queue', /at most 128 characters \(nameLengthMax\), and this one has 140/],
])('what is wrong with %j is said in plain words', async (request, field, message) => {
  expect(await errorOf(post('/v1/tasks', request))).toMatchObject({ field, message: expect.stringMatching(message) })
})

test('[HTTP-3] dead letters that are not made ready again are named; where none is, the status says why', async () => {
  const error = { code: 'unknown_task' as const, message: 'no task is held' }
  api.redrive = async () => ({ redriven: 1, refused: [{ id: OTHER, error }] })
  const some = await post('/v1/dead/redrive', { ids: [ID, OTHER] })
  expect([some.status, await some.json()]).toEqual([200, { redriven: 1, refused: [{ id: OTHER, error }] }])
  api.redrive = async () => ({ redriven: 0, refused: [{ id: OTHER, error }] })
  const none = await post('/v1/dead/redrive', { ids: [OTHER] })
  expect([none.status, await none.json()]).toEqual([404, { error, redriven: 0, refused: [{ id: OTHER, error }] }])
})
