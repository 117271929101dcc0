import { createClient, createWorker } from '@sluice/client'
import { describe, expect, inject, onTestFinished, test } from 'vitest'
import type { Answer, StartedBroker } from './origins.ts'

const { controlUrl, pagePort } = inject('origins')
const STRANGER = `http://stranger.example:${pagePort}`
const LISTED = `http://app.example:${pagePort}`
const SUBMISSION = JSON.stringify({ queue: 'stolen', body: 1 })

async function control<T>(path: string, query: Record<string, string> = {}): Promise<T> {
  const response = await fetch(`${controlUrl}/${path}?${new URLSearchParams(query)}`)
  return response.json() as Promise<T>
}

/** Without a listed origin a broker that asks for no token. */
const started = (listed?: string) => control<StartedBroker>('start', listed === undefined ? {} : { listed })

const answersOf = ({ port }: StartedBroker) => control<Answer[]>('answers', { port: String(port) })

/** A page of another origin, and what it is told to try. */
async function pageOf(origin: string) {
  const frame = document.createElement('iframe')
  frame.src = `${origin}/`
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }))
  document.body.append(frame)
  onTestFinished(() => frame.remove())
  await loaded
  return <T>(...attempt: unknown[]): Promise<T> =>
    new Promise((resolve) => {
      const { port1, port2 } = new MessageChannel()
      port1.onmessage = ({ data }) => resolve(data)
      frame.contentWindow?.postMessage(attempt, origin, [port2])
    })
}

type Sent = { status: number; type: string; text: string } | { failed: string }

const hello = (token?: string) => JSON.stringify([{ type: 'hello', versions: [1], roles: ['producer'], token }])

/** What a page may send across origins without asking, or after asking. */
const FORGERIES: Record<string, { attempt: (url: string) => unknown[]; answered: [method: string, status: number] }> = {
  'a form of text/plain': { attempt: (url) => ['form', url, 'text/plain'], answered: ['POST', 403] },
  'a plain form': { attempt: (url) => ['form', url, 'application/x-www-form-urlencoded'], answered: ['POST', 403] },
  'a fetch without CORS': {
    attempt: (url) => ['send', url, { method: 'POST', mode: 'no-cors', body: SUBMISSION, credentials: 'include' }],
    answered: ['POST', 403],
  },
  'a fetch of JSON, which asks first': {
    attempt: (url) => [
      'send',
      url,
      { method: 'POST', body: SUBMISSION, headers: { 'content-type': 'application/json' } },
    ],
    answered: ['OPTIONS', 403],
  },
  'a fetch that changes by DELETE': {
    attempt: (url) => ['send', url, { method: 'DELETE' }],
    answered: ['OPTIONS', 403],
  },
  'a fetch that only reads': { attempt: (url) => ['send', url, {}], answered: ['GET', 403] },
  'a fetch that only reads, and names no Origin': {
    attempt: (url) => ['send', url, { mode: 'no-cors' }],
    answered: ['GET', 403],
  },
}

describe.each([
  ['that asks for no token', undefined],
  ['with access control', LISTED],
])('a page of an origin that is not listed, and a broker %s', (_, listed) => {
  test.each(Object.entries(FORGERIES))('[ACCESS-8] forges a request: %s', async (_, { attempt, answered }) => {
    const broker = await started(listed)
    const page = await pageOf(STRANGER)
    const sent = await page<Sent | 'sent'>(...attempt(`${broker.httpUrl}/v1/tasks`))
    if (typeof sent === 'object' && !('failed' in sent))
      expect([sent.status, sent.type, sent.text]).toEqual([0, 'opaque', ''])
    const [method, status] = answered
    expect(await answersOf(broker)).toMatchObject([{ method, status }])
  })

  test('[ACCESS-8] hijacks a WebSocket, and is not let in', async () => {
    const broker = await started(listed)
    const page = await pageOf(STRANGER)
    expect(await page('socket', broker.url, hello(broker.token))).toEqual({ closed: 1006 })
  })
})

test('[ACCESS-9] a page whose name comes to point at the broker is refused by that name, though it is of the same origin', async () => {
  const { port } = await control<{ port: number }>('movingPage')
  const origin = `http://rebound.example:${port}`
  const page = await pageOf(origin)
  const broker = await control<StartedBroker>('rebind', { port: String(port) })
  const read = await page<Sent>('send', '/v1/queues', {})
  expect(read).toMatchObject({ status: 403, type: 'basic', text: expect.stringContaining('"field":"Host"') })
  const headers = { 'content-type': 'application/json' }
  const submitted = await page<Sent>('send', '/v1/tasks', { method: 'POST', body: SUBMISSION, headers })
  expect(submitted).toMatchObject({ status: 403, text: expect.stringContaining('"field":"Host"') })
  expect(await page('socket', `ws://rebound.example:${port}`, hello())).toEqual({ closed: 1006 })
  expect((await answersOf(broker)).map(({ host }) => host)).toEqual(Array(2).fill(`rebound.example:${port}`))
})

describe('a page of a listed origin', () => {
  test('[ACCESS-8] with a token submits, reads and connects; without one it is told what is missing', async () => {
    const broker = await started(LISTED)
    const page = await pageOf(LISTED)
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${broker.token}` }
    const url = `${broker.httpUrl}/v1/tasks`
    const submitted = await page<Sent>('send', url, { method: 'POST', body: SUBMISSION, headers })
    expect(submitted).toMatchObject({ status: 202, type: 'cors' })
    expect(await page('send', `${broker.httpUrl}/v1/queues`, { headers })).toMatchObject({
      status: 200,
      text: expect.stringContaining('"stolen"'),
    })
    expect(
      await page('send', url, { method: 'POST', body: SUBMISSION, headers: { 'content-type': 'application/json' } }),
    ).toMatchObject({ status: 401, text: expect.stringContaining('"unauthorized"') })
    expect(await page('socket', broker.url, hello(broker.token))).toEqual({ heard: 'welcome' })
    expect(await page('socket', broker.url, hello())).toEqual({ heard: 'error' })
  })

  test('[HTTP-5] with a ticket looks once where no token can be sent', async () => {
    const broker = await started(LISTED)
    const page = await pageOf(LISTED)
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${broker.token}` }
    const issued = await page<{ status: number; text: string }>('send', `${broker.httpUrl}/v1/tickets`, {
      method: 'POST',
      headers,
    })
    expect(issued.status).toBe(201)
    const { ticket } = JSON.parse(issued.text) as { ticket: string }
    const looked = () => page('send', `${broker.httpUrl}/v1/queues?ticket=${ticket}`, {})
    expect(await looked()).toMatchObject({ status: 200 })
    expect(await looked()).toMatchObject({ status: 401 })
  })

  test('uses the client library, as a producer and as a worker', async () => {
    const { url, token } = await started(location.origin)
    const client = createClient({ url, token: token as string })
    const worker = createWorker({
      url,
      token: token as string,
      concurrency: 1,
      handlers: { square: (input) => (input as number) ** 2 },
    })
    onTestFinished(async () => {
      await Promise.all([client.close(), worker.close()])
    })
    worker.start()
    const handle = await client.submit('square', 7)
    expect(await handle.result()).toBe(49)
  })
})
