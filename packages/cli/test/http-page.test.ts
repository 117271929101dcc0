import { createBroker } from '@sluice/broker'
import { createWorker } from '@sluice/worker-node'
import { afterAll, beforeAll, expect, test } from 'vitest'

// What PROTOCOL.md says of HTTP, asked of a broker with a worker.

let broker: Awaited<ReturnType<typeof createBroker>>
let worker: ReturnType<typeof createWorker>

beforeAll(async () => {
  broker = await createBroker({ journal: { kind: 'memory' }, port: 0, engine: { queueTasksMax: 3 } })
  const handlers = {
    echo: (input: unknown) => input,
    bytes: () => new Uint8Array([1, 2]),
    digits: () => (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON('12345678901234567890.10'),
    broken: () => Promise.reject(new Error('no such luck')),
  }
  worker = createWorker({ url: broker.url, handlers })
  worker.start()
})
afterAll(async () => {
  await worker.drain()
  await broker.close()
})

interface Answer {
  status: number
  headers: Headers
  text: string
  body: Record<string, unknown> & { tasks: { id: string; accepted: boolean; error?: object }[] }
}

async function ask(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<Answer> {
  const sent = body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }
  const headers: Record<string, string> = body === undefined ? {} : { 'content-type': contentType }
  const response = await fetch(`${broker.httpUrl}${path}`, { method, headers, ...sent })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text, body: JSON.parse(text) }
}
const submit = (request: unknown) => ask('POST', '/v1/tasks', request)
const outcome = (id: string | undefined) => ask('GET', `/v1/tasks/${id}?waitMs=20000`)
const id = '01890a5d-ac96-774b-bcce-b302099a8057'

test('[HTTP-1] one task or many are submitted, in JSON or in base64, with ids or without', async () => {
  const one = await submit({ queue: 'echo', id, body: 1, options: { priority: 9 } })
  expect(one).toMatchObject({ status: 202, body: { tasks: [{ id, accepted: true }] } })
  expect((await submit({ queue: 'echo', id, body: 1, options: { priority: 9 } })).status).toBe(202)
  const bytes = { base64: 'AQI=', contentType: 'application/octet-stream' }
  const many = await submit({ queue: 'later', options: { delayMs: 60_000 }, tasks: [{ body: null }, bytes] })
  expect(many.body.tasks.map(({ accepted }) => accepted)).toEqual([true, true])
  expect(await submit({ queue: 'echo', body: 1, option: {} })).toMatchObject({
    status: 400,
    body: { error: { code: 'bad_message', field: 'option' } },
  })
})

test('[HTTP-2] a task is waited for, and its result keeps its digits', async () => {
  const { body } = await submit({ queue: 'echo', body: { a: [1] } })
  const done = await outcome(body.tasks[0]?.id)
  expect(done).toMatchObject({
    status: 200,
    body: { state: 'succeeded', queue: 'echo', attempts: 1, result: { a: [1] } },
  })
  const digits = await outcome((await submit({ queue: 'digits', body: 0 })).body.tasks[0]?.id)
  expect(digits.text).toContain('"result":12345678901234567890.10')
  const bytes = await outcome((await submit({ queue: 'bytes', body: 0 })).body.tasks[0]?.id)
  expect(bytes.body).toMatchObject({ resultBase64: 'AQI=', contentType: 'application/octet-stream' })
  const unfinished = (await submit({ queue: 'nobody', body: 0 })).body.tasks[0]?.id
  expect((await ask('GET', `/v1/tasks/${unfinished}?waitMs=50`)).body).toMatchObject({ state: 'ready' })
  expect(await ask('DELETE', `/v1/tasks/${unfinished}`)).toMatchObject({ body: { id: unfinished, cancelled: true } })
})

test('[HTTP-3] dead letters are listed by page, and redriven by id or by queue', async () => {
  const options = { retry: { kind: 'none' } }
  const { body } = await submit({ queue: 'broken', options, tasks: [{ body: 1 }, { body: 2 }] })
  for (const task of body.tasks) expect((await outcome(task.id)).body).toMatchObject({ state: 'dead' })
  const first = await ask('GET', '/v1/dead?queue=broken&limit=1')
  expect(first.body.tasks).toMatchObject([
    { queue: 'broken', reason: 'attempts_exhausted', error: { message: 'no such luck' }, history: [{ how: 'failed' }] },
  ])
  const second = await ask('GET', `/v1/dead?queue=broken&limit=1&after=${first.body.next}`)
  expect(second.body.next).toBeUndefined()
  expect([first, second].map((page) => page.body.tasks[0]?.id).sort()).toEqual(body.tasks.map((task) => task.id).sort())
  expect((await ask('POST', '/v1/dead/redrive', { ids: [body.tasks[0]?.id, id] })).body).toMatchObject({
    redriven: 1,
    refused: [{ id, error: { code: 'task_finished' } }],
  })
  await outcome(body.tasks[0]?.id)
  expect((await ask('POST', '/v1/dead/redrive', { queue: 'broken' })).body).toEqual({ redriven: 2, refused: [] })
})

test('[HTTP-4] a refusal has the status of its code', async () => {
  const refused = async (answer: Promise<Answer>) => {
    const { status, body } = await answer
    return [status, (body.error as { code: string }).code]
  }
  expect(await refused(ask('GET', `/v1/tasks/${id.replace('0', '1')}`))).toEqual([404, 'unknown_task'])
  expect(await refused(ask('GET', '/v1/tasks/7'))).toEqual([400, 'bad_message'])
  await submit({ queue: 'echo', id, body: 1, options: { priority: 9 } })
  await outcome(id)
  expect(await refused(submit({ queue: 'echo', id, body: 2 }))).toEqual([409, 'id_conflict'])
  expect(await refused(ask('DELETE', `/v1/tasks/${id}`))).toEqual([409, 'task_finished'])
  expect(await refused(submit({ queue: 'echo', body: 'x'.repeat(300_000) }))).toEqual([413, 'too_large'])
  expect(await refused(submit(`"${'x'.repeat(2 ** 20)}"`))).toEqual([413, 'too_large'])
  expect(await refused(ask('POST', '/v1/tasks', '{}', 'text/plain'))).toEqual([415, 'bad_message'])
  const full = await submit({ queue: 'full', tasks: Array.from({ length: 4 }, () => ({ body: 0 })) })
  expect(full).toMatchObject({ status: 202 })
  expect(full.body.tasks.map(({ accepted }) => accepted)).toEqual([true, true, true, false])
  const busy = await submit({ queue: 'full', body: 0 })
  expect(busy).toMatchObject({ status: 503, body: { error: { code: 'busy' }, tasks: [{ accepted: false }] } })
  expect(Number(busy.headers.get('retry-after'))).toBeGreaterThanOrEqual(1)
})

test('health, queues and workers are told', async () => {
  expect((await ask('GET', '/healthz')).body).toMatchObject({ status: 'ready', durability: 'memory', connections: 1 })
  expect((await ask('GET', '/readyz')).status).toBe(200)
  const { queues } = (await ask('GET', '/v1/queues')).body
  expect(queues).toContainEqual(expect.objectContaining({ name: 'echo', ready: 0, workers: 1 }))
  expect((await ask('GET', '/v1/workers')).body.workers).toMatchObject([{ connected: true, leased: 0 }])
})
