import { createBroker, signToken } from '@sluice/broker'
import { createClient, defaultPlatform } from '@sluice/client'
import { encodeValue, memoryStore, type NewItem, type OutboxStore } from '@sluice/client/outbox'
import { uuidv7Source } from '@sluice/protocol/uuidv7'
import { expect, onTestFinished, test } from 'vitest'
import { drainByHttp, type HttpDrainOptions } from '../../src/service-worker/http-drain.ts'

const SECRET = 'a secret of thirty-two bytes or more, for drains'
const newId = uuidv7Source(defaultPlatform)

function item(input: unknown, fields: Partial<NewItem> = {}): NewItem {
  const body = encodeValue(input, 'input')
  return { version: 1, inputVersion: 1, id: newId(), owner: 'ada', queue: 'photos', body, ...fields }
}

async function broker(options: Parameters<typeof createBroker>[0] = {}) {
  const broker = await createBroker({ journal: { kind: 'memory' }, port: 0, ...options })
  onTestFinished(() => broker.close())
  return broker
}

/** A `fetch` that notes the ids of each request, and whose answers a test may replace. */
function recording(answer: (ids: string[], ask: () => Promise<Response>) => Promise<Response> = (_, ask) => ask()) {
  const requests: string[][] = []
  return {
    requests,
    fetch: (url: string, init: RequestInit) => {
      const { tasks } = JSON.parse(String(init.body)) as { tasks: { id: string }[] }
      const ids = tasks.map(({ id }) => id)
      requests.push(ids)
      return answer(ids, () => fetch(url, init))
    },
  }
}

const drain = (store: OutboxStore, options: Partial<HttpDrainOptions>) => {
  const { signal } = new AbortController()
  return drainByHttp({ url: 'http://127.0.0.1:9', owner: 'ada', store, inputVersion: 1, fetch, signal, ...options })
}

const statesOf = async (store: OutboxStore, items: readonly { id: string }[]) =>
  (await store.get(items.map(({ id }) => id))).map((found) => found?.state)

test('everything that an owner has saved is accepted, by few requests, and nothing of others is touched', async () => {
  const { httpUrl } = await broker()
  const store = memoryStore()
  const mine = await store.add([
    ...Array.from({ length: 150 }, (_, n) => item(n)),
    item('other queue', { queue: 'mail' }),
    item('options', { options: { priority: 3 } }),
  ])
  const [theirs] = await store.add([item('bob', { owner: 'bob' })])
  const { requests, fetch } = recording()
  const report = await drain(store, { url: httpUrl, fetch })
  expect(report).toEqual({ accepted: 152, parked: 0, end: { kind: 'drained' } })
  expect(requests.map((ids) => ids.length)).toEqual([100, 50, 1, 1])
  expect(new Set(await statesOf(store, mine))).toEqual(new Set(['accepted']))
  expect(await statesOf(store, [theirs!])).toEqual(['saved'])
  expect(await drain(store, { url: httpUrl })).toEqual({ accepted: 0, parked: 0, end: { kind: 'drained' } })
})

test('case 19: what a tab has sent too is the same task, whatever its input', async () => {
  const { httpUrl, url } = await broker()
  const inputs = [
    { text: 'ä😀 "quoted" \u2028', big: 2 ** 53 - 2, small: 1e-7, huge: 1e21, minus: -0.5, nested: [null, true, {}] },
    new Uint8Array([0, 1, 2, 255]),
    new Uint8Array(100_000).fill(7),
    null,
    '\ud800 a lone surrogate',
  ]
  const store = memoryStore()
  const items = await store.add(inputs.map((input) => item(input, { options: { priority: 2 } })))
  const client = createClient({ url })
  onTestFinished(() => client.close())
  for (const [index, { id, queue }] of items.entries())
    await client.submit(queue, inputs[index], { id, priority: 2, watch: false })
  expect(await drain(store, { url: httpUrl })).toEqual({ accepted: 5, parked: 0, end: { kind: 'drained' } })
})

test('case 15: a poisoned item is parked with its error, and the others proceed', async () => {
  const { httpUrl } = await broker()
  const store = memoryStore()
  const fine = await store.add(Array.from({ length: 20 }, (_, n) => item(n)))
  const [tooLarge, tooDeep] = await store.add([
    item('x'.repeat(300_000)),
    item(null, { body: '['.repeat(100) + ']'.repeat(100) }),
  ])
  const more = await store.add(Array.from({ length: 20 }, (_, n) => item(n)))
  const { requests, fetch } = recording()
  const report = await drain(store, { url: httpUrl, fetch })
  expect(report).toEqual({ accepted: 40, parked: 2, end: { kind: 'drained' } })
  expect(new Set(await statesOf(store, [...fine, ...more]))).toEqual(new Set(['accepted']))
  const [large, deep] = await store.get([tooLarge!.id, tooDeep!.id])
  expect(large).toMatchObject({ state: 'parked', error: { code: 'too_large', limit: 262_144 } })
  expect(deep).toMatchObject({ state: 'parked', error: { code: 'too_large', limit: 64 } })
  expect(requests.length).toBeLessThan(20)
})

test('an id that the broker knows with another content is parked', async () => {
  const { httpUrl, url } = await broker()
  const store = memoryStore()
  const items = await store.add([item(1), item(2)])
  const client = createClient({ url })
  onTestFinished(() => client.close())
  await client.submit('photos', 'something else', { id: items[0]!.id, watch: false })
  expect(await drain(store, { url: httpUrl })).toEqual({ accepted: 1, parked: 1, end: { kind: 'drained' } })
  expect((await store.get([items[0]!.id]))[0]?.error?.code).toBe('id_conflict')
})

test('items of one key leave one after the other, and what is parked holds its key and nothing else', async () => {
  const { httpUrl } = await broker()
  const store = memoryStore()
  const keyed = (orderingKey: string, fields?: Partial<NewItem>) => item(orderingKey, { orderingKey, ...fields })
  const items = await store.add([
    keyed('a'),
    keyed('a', { queue: 'mail' }),
    keyed('a'),
    keyed('b'),
    keyed('b', { queue: 'x'.repeat(200) }),
    keyed('b'),
    item('no key'),
    keyed('c'),
    keyed('c'),
  ])
  const [a1, a2, a3, b1, b2, b3, free, c1, c2] = items.map(({ id }) => id) as string[]
  await store.change([{ id: c1!, from: ['saved'], to: 'parked' }], 'strict')
  const { requests, fetch } = recording()
  expect((await drain(store, { url: httpUrl, fetch })).parked).toBe(1)
  const order = requests.map((ids) => ids.filter((id) => id !== free))
  expect(order).toEqual([[a1, b1], [a2], [b2], [a3]].filter((ids) => ids.length > 0))
  expect(await statesOf(store, items)).toEqual([
    ...['accepted', 'accepted', 'accepted'],
    ...['accepted', 'parked', 'saved'],
    'accepted',
    ...['parked', 'saved'],
  ])
  expect(requests.flat()).not.toContain(b3)
  expect(requests.flat()).not.toContain(c2)
})

test('case 14: a token that is not accepted stops the drain, and nothing is lost or parked', async () => {
  const { httpUrl } = await broker({ access: { secret: SECRET } })
  const store = memoryStore()
  const items = await store.add([item(1), item(2, { queue: 'mail' })])
  for (const token of [undefined, 'not a token', await signToken(SECRET, { sub: 'ada', scope: 'admin' }, -3_600_000)]) {
    const { requests, fetch } = recording()
    const report = await drain(store, { url: httpUrl, fetch, ...(token === undefined ? {} : { token }) })
    expect(report).toEqual({ accepted: 0, parked: 0, end: { kind: 'needsToken' } })
    expect(requests).toHaveLength(1)
  }
  const token = await signToken(SECRET, { sub: 'ada', scope: 'submit:photos' }, 60_000)
  expect(await drain(store, { url: httpUrl, token })).toMatchObject({ accepted: 1, parked: 1 })
  expect(await store.get([items[1]!.id])).toMatchObject([{ state: 'parked', error: { code: 'not_permitted' } }])
})

test.each([
  ['429 with Retry-After', () => new Response('', { status: 429, headers: { 'retry-after': '7' } }), 7000],
  [
    '503 of the broker',
    () => Response.json({ error: { code: 'draining', message: '', retryAfterMs: 1500 } }, { status: 503 }),
    1500,
  ],
  ['502 of a proxy', () => new Response('<html>', { status: 502 }), undefined],
  [
    'a date as Retry-After',
    () => new Response('', { status: 503, headers: { 'retry-after': 'Wed, 21 Oct 2026 07:28:00 GMT' } }),
    undefined,
  ],
  ['no network', () => Promise.reject(new TypeError('Failed to fetch')), undefined],
])('%s keeps everything for later', async (_, answer, retryAfterMs) => {
  const store = memoryStore()
  const items = await store.add([item(1), item(2, { queue: 'mail' })])
  const { requests, fetch } = recording(async () => answer())
  const end = { kind: 'later', ...(retryAfterMs === undefined ? {} : { retryAfterMs }) }
  expect(await drain(store, { fetch })).toEqual({ accepted: 0, parked: 0, end })
  expect(requests).toHaveLength(1)
  expect(await statesOf(store, items)).toEqual(['saved', 'saved'])
})

test('what a full queue refuses stays, and what it took does not', async () => {
  const { httpUrl } = await broker({ engine: { queueTasksMax: 3 } })
  const store = memoryStore()
  const items = await store.add(Array.from({ length: 5 }, (_, n) => item(n)))
  const report = await drain(store, { url: httpUrl })
  expect(report).toMatchObject({ accepted: 3, parked: 0, end: { kind: 'later' } })
  expect(await statesOf(store, items)).toEqual(['accepted', 'accepted', 'accepted', 'saved', 'saved'])
})

test.each([
  ['an address without a broker', new Response('<h1>Not Found</h1>', { status: 404 })],
  [
    'a foreign origin',
    Response.json({ error: { code: 'not_permitted', field: 'Origin', message: 'no' } }, { status: 403 }),
  ],
])('%s parks nothing', async (_, answer) => {
  const store = memoryStore()
  const items = await store.add([item(1)])
  const { fetch } = recording(async () => answer)
  expect((await drain(store, { fetch })).end.kind).toBe('misdirected')
  expect(await statesOf(store, items)).toEqual(['saved'])
})

test('case 22: an answer that is lost changes nothing, and the next drain sends the same ids', async () => {
  const { httpUrl } = await broker()
  const store = memoryStore()
  const items = await store.add([item(1), item(2)])
  const lost = recording(async (_, ask) => {
    await ask()
    throw new TypeError('network error')
  })
  expect((await drain(store, { url: httpUrl, fetch: lost.fetch })).end).toEqual({ kind: 'later' })
  expect(await statesOf(store, items)).toEqual(['saved', 'saved'])
  const again = recording()
  expect((await drain(store, { url: httpUrl, fetch: again.fetch })).accepted).toBe(2)
  expect(again.requests).toEqual(lost.requests)
  const queues = (await (await fetch(`${httpUrl}/v1/queues`)).json()) as { queues: { ready: number }[] }
  expect(queues.queues.map(({ ready }) => ready)).toEqual([2])
})

test('items of another version are left to a page, with what is behind their key', async () => {
  const { httpUrl } = await broker()
  const store = memoryStore()
  const items = await store.add([
    item(1, { inputVersion: 2 }),
    item(2, { version: 99, orderingKey: 'a' }),
    item(3, { orderingKey: 'a' }),
    item(4),
  ])
  expect(await drain(store, { url: httpUrl })).toEqual({ accepted: 1, parked: 0, end: { kind: 'drained' } })
  expect(await statesOf(store, items)).toEqual(['saved', 'saved', 'saved', 'accepted'])
})

test('a signal stops it between requests, and what was not answered stays saved', async () => {
  const { httpUrl } = await broker()
  const store = memoryStore()
  const items = await store.add([item(1), item(2, { queue: 'mail' })])
  const controller = new AbortController()
  const { fetch } = recording(async (_, ask) => {
    const response = await ask()
    const text = await response.text()
    controller.abort()
    return new Response(text, response)
  })
  const report = await drain(store, { url: httpUrl, fetch, signal: controller.signal })
  expect(report).toEqual({ accepted: 1, parked: 0, end: { kind: 'stopped' } })
  expect(await statesOf(store, items)).toEqual(['accepted', 'saved'])
})

test('an item that is cancelled while it is on its way stays so', async () => {
  const { httpUrl } = await broker()
  const store = memoryStore()
  const items = await store.add([item(1)])
  const { fetch } = recording(async (ids, ask) => {
    await store.change([{ id: ids[0]!, from: ['saved'], to: 'cancelling' }], 'strict')
    return ask()
  })
  expect((await drain(store, { url: httpUrl, fetch })).accepted).toBe(0)
  expect(await statesOf(store, items)).toEqual(['cancelling'])
})
