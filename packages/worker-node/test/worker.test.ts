import { randomUUID } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { once } from 'node:events'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Worker as Thread } from 'node:worker_threads'
import { type Client, createClient, silentLogger, uuidv7Source, type Worker } from '@sluice/client'
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import { createWorker, loadHandlers, nodePlatform, startWorkerProcess, type WorkerOptions } from '../src/index.ts'
import { patience, Running, startBroker } from './processes.ts'

const module = join(import.meta.dirname, 'fixtures', 'tasks.ts')
const program = 'packages/worker-node/test/fixtures/worker.ts'

let broker: Awaited<ReturnType<typeof startBroker>>
let client: Client
beforeAll(async () => {
  broker = await startBroker()
  client = createClient({ url: broker.url, platform: nodePlatform })
}, 60_000)
afterAll(async () => {
  await client?.close()
  broker?.child.kill('SIGKILL')
})

let worker: Worker | undefined
afterEach(async () => {
  vi.unstubAllEnvs()
  await worker?.close()
  worker = undefined
})

async function start(options: Partial<WorkerOptions>): Promise<void> {
  worker = createWorker({ url: broker.url, handlers: await loadHandlers(module), logger: silentLogger, ...options })
  await worker.start()
}

describe('a worker in this process', () => {
  test('works tasks and reports progress', async () => {
    await start({})
    const handle = await client.submit('report', 2)
    const seen: unknown[] = []
    for await (const progress of handle.progress()) {
      seen.push(progress)
    }
    expect(await handle.result()).toBe('done')
    expect(seen.at(-1)).toEqual({ step: 2 })
  })
})

describe('a task that is submitted twice at once, such as by a double click', () => {
  const nextId = uuidv7Source(nodePlatform)
  const twice = (queue: string, input: unknown) => {
    const id = nextId()
    return Promise.all([1, 2].map(() => client.submit(queue, input, { id, retry: { kind: 'none' } })))
  }

  test('tells both handles its result, its death, its cancellation and its progress', async () => {
    await start({})
    const done = await twice('double', { value: 4 })
    expect(await Promise.all(done.map((handle) => handle.result()))).toMatchObject([{ value: 8 }, { value: 8 }])

    const dead = await twice('permanent', null)
    for (const handle of dead) await expect(handle.result()).rejects.toMatchObject({ name: 'TaskDeadError' })

    // Progress is told once, and nobody may come too late for it.
    await worker?.close()
    const heeding = await twice('heed', null)
    const first = Promise.all(heeding.map((handle) => handle.progress()[Symbol.asyncIterator]().next()))
    await start({})
    expect((await first).map(({ value }) => value)).toEqual(['waiting', 'waiting'])
    const results = Promise.allSettled(heeding.map((handle) => handle.result()))
    await heeding[0]!.cancel()
    expect(await results).toMatchObject([1, 2].map(() => ({ reason: { name: 'TaskCancelledError' } })))
  })
})

describe('bytes', () => {
  test.each([0, 1])('travel as bytes to the handler and back (threads: %i)', async (threads) => {
    await start(threads === 0 ? {} : { threads: { module, size: threads } })
    const handle = await client.submit('bytes', new Uint8Array([1, 2, 250]))
    expect(await handle.result()).toEqual(new Uint8Array([2, 3, 251]))
  })
})

describe('a worker with threads', () => {
  test('the time to load the module is no part of the time limit', async () => {
    vi.stubEnv('FLAKY_MARKER', module)
    const slow = join(import.meta.dirname, 'fixtures', 'flaky.ts')
    await start({ handlers: { greet: () => '' }, threads: { module: slow, size: 1 } })
    const handle = await client.submit('greet', null, { timeLimitMs: 300, retry: { kind: 'none' } })
    expect(await handle.result()).toBe('hello')
  })

  test('a handler that blocks its thread for three lease lengths keeps its lease: one delivery, attempt 1', async () => {
    await start({ threads: { module, size: 1 } })
    const handle = await client.submit('block', { ms: 3_000 }, { leaseMs: 1_000 })
    expect(await handle.result()).toEqual({ attempt: 1 })
    expect(await handle.status()).toMatchObject({ state: 'succeeded', attempts: 1 })
    expect(worker!.stats()).toMatchObject({ succeeded: 1, failed: 0, lost: 0 })
  })

  test('a task whose thread could not load the module, or was ended by another task, is handed back and no attempt is counted', async () => {
    const marker = join(tmpdir(), randomUUID())
    vi.stubEnv('FLAKY_MARKER', marker)
    const flaky = join(import.meta.dirname, 'fixtures', 'flaky.ts')
    await start({ handlers: { greet: () => '' }, threads: { module: flaky, size: 1 } })
    const handle = await client.submit('greet', null, { retry: { kind: 'none' } })
    expect(await handle.result()).toBe('hello')
    expect(await handle.status()).toMatchObject({ state: 'succeeded', attempts: 1 })
    expect(worker!.stats()).toMatchObject({ succeeded: 1, failed: 0, released: 1 })
    await worker!.close()
    await rm(marker)

    await start({ threads: { module, size: 1 } })
    const late = await client.submit('late', { ms: 300 })
    expect(await late.result()).toBe('done')
    const hit = await client.submit('sleep', { ms: 1000 }, { retry: { kind: 'none' } })
    expect(await hit.result()).toEqual({ attempt: 1 })
    expect(worker!.stats()).toMatchObject({ succeeded: 2, failed: 0, released: 1 })
  })

  test('cancelling a running task ends its handler, and the thread takes the next task', async () => {
    await start({ threads: { module, size: 1, abortGraceMs: 200 } })
    const heeding = await client.submit('heed', null)
    for await (const progress of heeding.progress()) {
      expect(progress).toBe('waiting')
      await heeding.cancel()
    }
    await expect(heeding.result()).rejects.toMatchObject({ name: 'TaskCancelledError' })

    const deaf = await client.submit('forever', null)
    await expect.poll(async () => (await deaf.status()).state, patience).toBe('leased')
    await deaf.cancel()
    const next = await client.submit('double', { value: 4 })
    expect(await next.result()).toMatchObject({ value: 8 })
  })

  test('the time limit ends a handler that blocks its thread, and the next task works', async () => {
    await start({ threads: { module, size: 1, abortGraceMs: 200 } })
    const stuck = await client.submit('forever', null, { timeLimitMs: 400, retry: { kind: 'none' } })
    await expect(stuck.result()).rejects.toMatchObject({ name: 'TaskDeadError', error: { name: 'TimeLimitExceeded' } })
    const next = await client.submit('double', { value: 6 })
    expect(await next.result()).toMatchObject({ value: 12 })
  })

  test('a permanent failure in a thread makes a dead letter at once, with its message', async () => {
    await start({ threads: { module, size: 1 } })
    const handle = await client.submit('permanent', null)
    await expect(handle.result()).rejects.toMatchObject({
      reason: 'not_retryable',
      error: { name: 'PermanentError', message: 'never will' },
      attempts: 1,
    })
  })

  test('a module without handlers is refused before anything is connected', async () => {
    const empty = join(import.meta.dirname, 'processes.ts')
    const starting = startWorkerProcess({ url: broker.url, module: empty, signals: false })
    await expect(starting).rejects.toThrow('exports no handlers')
  })
})

test('threads and a concurrency that differs are refused', () => {
  const options = { url: 'ws://127.0.0.1:1', handlers: { a: () => 1 } }
  expect(() => createWorker({ ...options, concurrency: 4, threads: { module, size: 2 } })).toThrow(/give one/)
})

test('a worker that is refused for its options leaves no threads behind', async () => {
  const threads: Thread[] = []
  const see = (message: unknown): void => {
    threads.push((message as { worker: Thread }).worker)
  }
  subscribe('worker_threads', see)
  const options = { url: 'ws://127.0.0.1:1', handlers: { 'no queue': () => 1 } }
  expect(() => createWorker({ ...options, threads: { module, size: 2 } })).toThrow('no queue name')
  unsubscribe('worker_threads', see)
  expect(threads).toHaveLength(2)
  await Promise.all(threads.map((thread) => once(thread, 'exit')))
})

describe('a worker process that is told to leave', () => {
  async function startWorker(threads: number, graceMs: number): Promise<Running> {
    const running = new Running(program, [broker.url, module, String(threads), String(graceMs)])
    await expect.poll(() => running.output, patience).toContain('working')
    return running
  }

  test.each([0, 1])('finishes what runs within the grace and exits with 0 (threads: %i)', async (threads) => {
    const leaving = await startWorker(threads, 15_000)
    const handle = await client.submit('sleep', { ms: 1_500 })
    await expect.poll(async () => (await handle.status()).state, patience).toBe('leased')
    leaving.child.kill('SIGTERM')
    expect(await leaving.exited, leaving.output).toEqual({ code: 0, signal: null })
    expect(await handle.status()).toMatchObject({ state: 'succeeded', attempts: 1 })
  })

  test('hands back what does not finish within the grace, and no attempt is counted', async () => {
    const leaving = await startWorker(1, 300)
    const handle = await client.submit('sleep', { ms: 8_000 })
    await expect.poll(async () => (await handle.status()).state, patience).toBe('leased')
    leaving.child.kill('SIGINT')
    expect(await leaving.exited, leaving.output).toEqual({ code: 0, signal: null })
    expect(await handle.status()).toMatchObject({ state: 'ready', attempts: 0 })
    await handle.cancel()
  })

  test('exits with 0 while it still looks for its broker', async () => {
    const leaving = new Running(program, ['ws://127.0.0.1:1', module, '1', '300'])
    await expect.poll(() => leaving.output, patience).toContain('connecting')
    leaving.child.kill('SIGTERM')
    expect(await leaving.exited, leaving.output).toEqual({ code: 0, signal: null })
  })

  test.each(['SIGINT', 'SIGHUP'] as const)('takes %s that comes twice at once for one', async (signal) => {
    const leaving = await startWorker(0, 15_000)
    const handle = await client.submit('sleep', { ms: 1_000 })
    await expect.poll(async () => (await handle.status()).state, patience).toBe('leased')
    leaving.child.kill(signal)
    await expect.poll(() => leaving.output, patience).toContain('draining')
    leaving.child.kill(signal)
    expect(await leaving.exited, leaving.output).toEqual({ code: 0, signal: null })
    expect(await handle.status()).toMatchObject({ state: 'succeeded', attempts: 1 })
  })

  test('leaves at once on a second signal that comes later', async () => {
    const leaving = await startWorker(0, 60_000)
    const handle = await client.submit('sleep', { ms: 60_000 })
    await expect.poll(async () => (await handle.status()).state, patience).toBe('leased')
    leaving.child.kill('SIGTERM')
    await expect.poll(() => leaving.output, patience).toContain('draining')
    const again = setInterval(() => leaving.child.kill('SIGTERM'), 100)
    expect(await leaving.exited).toEqual({ code: 143, signal: null })
    clearInterval(again)
    await handle.cancel()
  })
})
