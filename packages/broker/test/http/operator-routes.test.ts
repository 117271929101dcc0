import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { type Broker, createBroker } from '../../src/index.ts'

// What someone who looks after a broker asks, over real sockets and a real file.

let directory: string
let broker: Broker
const sockets: WebSocket[] = []

const started = () =>
  createBroker({
    journal: { kind: 'sqlite', path: join(directory, 'broker.db') },
    port: 0,
    hosting: { waitersMax: 3 },
  })

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sluice-operator-'))
  broker = await started()
})
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close()
  await broker.close()
  rmSync(directory, { recursive: true, force: true })
})

const idOf = (n: number) => `01890a5d-ac96-774b-bcce-${n.toString(16).padStart(12, '0')}`

async function ask(method: string, path: string, body?: unknown) {
  const init = body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }
  const response = await fetch(`${broker.httpUrl}${path}`, { method, ...init })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}

async function submit(queue: string, first: number, count: number, options: object = {}) {
  const tasks = Array.from({ length: count }, (_, i) => ({ id: idOf(first + i), body: i }))
  expect((await ask('POST', '/v1/tasks', { queue, options, tasks })).status).toBe(202)
}

/** A worker of the wire: takes `credit` deliveries, and fails for good those that it is told to. */
async function worker(queue: string, credit: number): Promise<{ leases: number[]; fail(leases: number[]): void }> {
  const socket = new WebSocket(broker.url, 'sluice.v1')
  sockets.push(socket)
  const leases: number[] = []
  socket.onmessage = ({ data }) => {
    for (const message of JSON.parse(data as string))
      if (message.type === 'deliver') leases.push(...(message.leases as (number | [number, number])[]).flat())
  }
  await new Promise((resolve) => {
    socket.onopen = resolve
  })
  socket.send(JSON.stringify([{ type: 'hello', versions: [1], roles: ['worker'] }]))
  socket.send(JSON.stringify([{ type: 'credit', credit, queues: [queue] }]))
  return {
    leases,
    fail: (failed) =>
      socket.send(
        JSON.stringify([
          {
            type: 'fail',
            ref: 1,
            failures: failed.map((lease) => ({ lease, error: { message: 'no' }, retryable: false })),
          },
        ]),
      ),
  }
}

const until = <T>(look: () => T | Promise<T>, check: (value: T) => void) =>
  vi.waitFor(async () => check(await look()), { timeout: 10_000 })

/** As a client pages: on while there is `next`. */
async function listed(query: string, limit: number) {
  const ids: string[] = []
  let after = ''
  for (;;) {
    const { body } = await ask('GET', `/v1/tasks?${query}&limit=${limit}${after}`)
    const tasks = body.tasks as { id: string }[]
    expect(tasks.length).toBeLessThanOrEqual(limit)
    ids.push(...tasks.map(({ id }) => id))
    if (body.next === undefined) return ids
    after = `&after=${body.next}`
  }
}

test('[HTTP-5] the tasks of a queue are listed by state and by page, oldest first', async () => {
  await submit('a', 1, 3)
  await submit('b', 11, 2)
  await submit('a', 21, 2, { delayMs: 60_000 })
  await submit('a', 31, 2)
  const ready = [1, 2, 3, 31, 32].map(idOf)
  for (const limit of [1, 2, 5, 100]) expect(await listed('queue=a&state=ready', limit)).toEqual(ready)
  expect(await listed('queue=a&state=delayed', 1)).toEqual([21, 22].map(idOf))
  expect(await listed('state=ready', 3)).toEqual([1, 2, 3, 11, 12, 31, 32].map(idOf))
  expect(await listed('queue=none', 3)).toEqual([])
  const { body } = await ask('GET', '/v1/tasks?queue=a&state=delayed&limit=1')
  expect(body.tasks).toMatchObject([{ id: idOf(21), state: 'delayed', queue: 'a', readyInMs: expect.any(Number) }])
  expect(await ask('GET', `/v1/tasks?after=${idOf(99)}`)).toMatchObject({
    status: 404,
    body: { error: { code: 'unknown_task' } },
  })
  expect(await ask('GET', '/v1/tasks?state=waiting')).toMatchObject({
    status: 400,
    body: { error: { field: 'state', message: expect.stringContaining('delayed, ready, leased') } },
  })
})

test('[HTTP-5] a few tasks among very many are found page by page', async () => {
  for (let first = 0; first < 25_000; first += 1000) await submit('many', 1000 + first, 1000)
  await submit('few', 1, 2)
  const { body } = await ask('GET', '/v1/tasks?queue=few')
  expect(body).toEqual({ tasks: [], next: expect.any(String) })
  expect(await listed('queue=few', 100)).toEqual([1, 2].map(idOf))
})

test('[HTTP-6] a purge cancels what waits and leaves what is leased, also over a restart', async () => {
  const work = await worker('a', 1)
  await submit('a', 1, 1000)
  await submit('a', 1001, 500)
  await submit('a', 2001, 500, { delayMs: 60_000 })
  await submit('b', 3001, 1)
  await until(
    () => work.leases,
    (leases) => expect(leases).toHaveLength(1),
  )
  expect((await ask('POST', '/v1/queues/purge', { queue: 'a' })).body).toEqual({ purged: 1999, more: false })
  expect((await ask('POST', '/v1/queues/purge', { queue: 'a' })).body).toEqual({ purged: 0, more: false })
  const counts = async () => (await ask('GET', '/v1/queues')).body.queues
  const left = [
    { name: 'a', ready: 0, delayed: 0, cancelled: 1999 },
    { name: 'b', ready: 1 },
  ]
  expect(await counts()).toMatchObject([{ ...left[0], leased: 1 }, left[1]])
  await broker.close()
  broker = await started()
  expect(await counts()).toMatchObject(left)
})

test('[HTTP-6] purged dead letters are gone, by id or by queue, also over a restart', async () => {
  const work = await worker('a', 5)
  await submit('a', 1, 5)
  await until(
    () => work.leases,
    (leases) => expect(leases).toHaveLength(5),
  )
  work.fail(work.leases)
  const dead = async () => (await ask('GET', '/v1/dead')).body.tasks as { id: string }[]
  await until(dead, (letters) => expect(letters).toHaveLength(5))
  const some = { ids: [idOf(1), idOf(1), idOf(99)] }
  expect((await ask('POST', '/v1/dead/purge', some)).body).toEqual({ purged: 1, more: false })
  await broker.close()
  broker = await started()
  expect((await dead()).map(({ id }) => id)).toEqual([2, 3, 4, 5].map(idOf))
  expect((await ask('POST', '/v1/dead/purge', { queue: 'a' })).body).toEqual({ purged: 4, more: false })
  await broker.close()
  broker = await started()
  expect(await dead()).toEqual([])
  await submit('a', 1, 1)
  for (const wrong of [{}, { queue: 'a', ids: [] }, { queue: 1 }, { queues: 'a' }])
    expect(await ask('POST', '/v1/dead/purge', wrong)).toMatchObject({ status: 400 })
})

/** Reads the lines of a stream of outcomes. */
async function follow(query = ''): Promise<{ lines: string[]; ended: Promise<void>; leave: () => void }> {
  const leave = new AbortController()
  const response = await fetch(`${broker.httpUrl}/v1/outcomes${query}`, { signal: leave.signal })
  expect(response.status).toBe(200)
  const lines: string[] = []
  let rest = ''
  const ended = (async () => {
    for await (const part of response.body!.pipeThrough(new TextDecoderStream())) {
      const texts = (rest + part).split('\n')
      rest = texts.pop() ?? ''
      lines.push(...texts)
    }
  })()
  ended.catch(() => {})
  await until(
    () => lines,
    (seen) => expect(seen[0]).toBe(''),
  )
  return { lines, ended, leave: () => leave.abort() }
}

test('[HTTP-7] outcomes come as they are recorded, of one queue or of all, until the broker ends', async () => {
  const all = await follow()
  const one = await follow('?queue=b')
  await submit('a', 1, 1)
  await submit('b', 2, 2)
  for (const n of [1, 2, 3]) await ask('DELETE', `/v1/tasks/${idOf(n)}`)
  const outcomes = ({ lines }: typeof all) => lines.filter((line) => line !== '').map((line) => JSON.parse(line))
  await until(
    () => outcomes(all),
    (seen) => expect(seen).toMatchObject([1, 2, 3].map((n) => ({ id: idOf(n), state: 'cancelled', attempts: 0 }))),
  )
  await until(
    () => outcomes(one),
    (seen) => expect(seen.map(({ id }) => id)).toEqual([2, 3].map(idOf)),
  )
  await broker.close()
  await Promise.all([all.ended, one.ended])
  broker = await started()
})

test('[HTTP-7] those who follow are bounded in number, and make room when they leave', async () => {
  const readers = [await follow(), await follow(), await follow()]
  expect(await ask('GET', '/v1/outcomes')).toMatchObject({ status: 503, body: { error: { code: 'busy' } } })
  readers[0]!.leave()
  await vi.waitFor(async () => (await follow()).leave(), { timeout: 10_000 })
  for (const { leave } of readers) leave()
})

test('[HTTP-7] who does not read is told how many outcomes were left out', async () => {
  const socket = connect(broker.port, '127.0.0.1')
  let head = ''
  socket.setEncoding('latin1').on('data', (text: string) => {
    head += text
  })
  socket.write('GET /v1/outcomes HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n')
  await until(
    () => head,
    (text) => expect(text).toContain('200 OK'),
  )
  socket.pause()
  let count = 0
  // More than the buffers of both ends and the broker's own hold: 20 MB.
  for (; count < 100_000; count += 1000) {
    await submit('a'.padEnd(128, 'a'), 1 + count, 1000)
    if (count % 5000 === 4000) await ask('POST', '/v1/queues/purge', { queue: 'a'.padEnd(128, 'a') })
  }
  head = ''
  socket.resume()
  const text = await new Promise<string>((resolve) => {
    const look = setInterval(async () => {
      await submit('b', 200_000 + count++, 1)
      await ask('DELETE', `/v1/tasks/${idOf(199_999 + count)}`)
      if (!/\{"skipped":\d+\}/.test(head)) return
      clearInterval(look)
      resolve(head)
    }, 100)
  })
  socket.destroy()
  const skipped = Number(/\{"skipped":(\d+)\}/.exec(text)?.[1])
  const told = text.match(/"state":"cancelled","queue":"a+"/g)?.length ?? 0
  expect(skipped).toBeGreaterThan(0)
  expect(skipped + told).toBeLessThanOrEqual(100_001)
}, 60_000)
