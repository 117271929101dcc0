import { createClient, silentLogger, type TaskHandle } from '@sluice/client'
import { expect, inject, onTestFinished, test, vi } from 'vitest'
import { createTabWorker, type TabWorker, type TabWorkerOptions } from '../src/index.ts'

declare module 'vitest' {
  interface ProvidedContext {
    brokerOfTabs: { url: string; restartUrl: string }
  }
}

const { url } = inject('brokerOfTabs')

const handlerWorker = () => new Worker(new URL('./fixtures/handlers-of-tests.ts', import.meta.url), { type: 'module' })

function tab(queues: string[], options: Partial<TabWorkerOptions> = {}): TabWorker {
  const worker = createTabWorker({
    url,
    queues,
    consent: 'given',
    concurrency: 1,
    // The machine of the tests is busy.
    pauseOnPressure: false,
    worker: handlerWorker,
    ...options,
  })
  onTestFinished(() => worker.close())
  return worker
}

function producer() {
  const client = createClient({ url, name: 'a page' })
  onTestFinished(() => client.close())
  return client
}

/** Resolves when the snapshot is as wanted. */
function until(worker: TabWorker, isWanted: (worker: TabWorker) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (!isWanted(worker)) return
      forget()
      resolve()
    }
    const forget = worker.subscribe(look)
    look()
  })
}

test('a tab works on tasks, in Workers of the app', async () => {
  const worker = tab(['tab.double'], { concurrency: 2 })
  worker.start()
  const client = producer()
  const handles = await client.submitMany('tab.double', [1, 2, 3, 4, 5])
  expect(await Promise.all(handles.map((handle) => handle.result()))).toEqual([2, 4, 6, 8, 10])
  await until(worker, ({ stats }) => stats.succeeded === 5)
  expect(worker.getSnapshot()).toMatchObject({ state: 'working', concurrency: 2 })
})

test('bytes travel as bytes, both ways', async () => {
  tab(['tab.bytes']).start()
  const input = Uint8Array.from({ length: 100_000 }, (_, index) => index)
  const task = await producer().submit('tab.bytes', input)
  expect(await task.result()).toEqual(input.map((byte) => 255 - byte))
})

test('a typed array that is no Uint8Array is refused, with the cure', async () => {
  tab(['tab.floats'], { logger: silentLogger }).start()
  const task = await producer().submit('tab.floats', null, { retry: { kind: 'none' } })
  await expect(task.result()).rejects.toThrow(/output is a Float32Array.*send its bytes/)
})

/** The first progress of a task. It is told once, so listen before the task begins. */
function firstProgress(task: TaskHandle<unknown>): Promise<unknown> {
  return task
    .progress()
    [Symbol.asyncIterator]()
    .next()
    .then(({ value }) => value)
}

/** The real connection Worker, and its heartbeats. */
function countedConnection() {
  let sent = 0
  let look = () => {}
  const connection = () => {
    const worker = new Worker(new URL('./fixtures/counting-connection-worker.ts', import.meta.url), { type: 'module' })
    worker.addEventListener('message', ({ data: { heartbeats = sent } }) => {
      sent = heartbeats
      look()
    })
    return worker
  }
  const more = (count: number) => {
    const wanted = sent + count
    return new Promise<void>((resolve) => {
      look = () => sent >= wanted && resolve()
    })
  }
  return { connection, more }
}

test('a handler that loops for ever is cancelled: heartbeats went on, and its Worker ends', async () => {
  const { connection, more } = countedConnection()
  const worker = tab(['tab.endless', 'tab.double'], { logger: silentLogger, abortGraceMs: 100, connection })
  const client = producer()
  const endless = await client.submit('tab.endless', null, { leaseMs: 1500 })
  const begun = firstProgress(endless)
  worker.start()
  expect(await begun).toBe('begun')
  // Three of them renew each lease.
  await more(5)
  expect(worker.stats.running).toBe(1)
  await endless.cancel()
  const next = await client.submit('tab.double', 21)
  expect(await next.result()).toBe(42)
  await until(worker, ({ stats }) => stats.running === 0)
})

test('a handler Worker that dies fails the attempt by name, and the pool heals', async () => {
  const worker = tab(['tab.dies'], { logger: silentLogger })
  worker.start()
  const client = producer()
  const retry = { kind: 'fixed', delayMs: 1, attemptsMax: 3 } as const
  const twice = await client.submit('tab.dies', 2, { retry })
  expect(await twice.result()).toBe('alive in attempt 3')
  const once = await client.submit('tab.dies', 1, { retry: { kind: 'none' } })
  await expect(once.result()).rejects.toMatchObject({ error: { name: 'HandlerWorkerDiedError' }, attempts: 1 })
  await until(worker, ({ stats }) => stats.failed === 3 && stats.succeeded === 1)
})

test('without consent there is no connection and no Worker; revoked, none is left', async () => {
  const consentKey = 'consent of a test'
  onTestFinished(() => localStorage.removeItem(consentKey))
  const made: string[] = []
  const options: Partial<TabWorkerOptions> = {
    consent: 'ask',
    consentKey,
    worker: () => {
      made.push('handler')
      return handlerWorker()
    },
    connection: () => {
      made.push('connection')
      return new Worker(new URL('../src/connection-worker.ts', import.meta.url), { type: 'module' })
    },
  }
  const worker = tab(['tab.double'], options)
  worker.start()
  const task = await producer().submit('tab.double', 4)
  expect([worker.state, made]).toEqual(['asking', []])
  worker.agree()
  expect(await task.result()).toBe(8)
  expect(made).toEqual(['connection', 'handler'])
  expect(localStorage.getItem(consentKey)).toBe('given')
  expect(tab(['tab.double'], options).state).toBe('off')
  worker.revoke()
  expect(worker.state).toBe('asking')
  expect(localStorage.getItem(consentKey)).toBeNull()
  expect(tab(['tab.double'], options).state).toBe('asking')
})

test('mounted, unmounted and mounted again, nothing of it remains', async () => {
  const made = vi.fn(handlerWorker)
  const first = tab(['tab.double'], { worker: made })
  first.start()
  await first.close()
  const second = tab(['tab.double'], { worker: made })
  second.start()
  const task = await producer().submit('tab.double', 8)
  expect(await task.result()).toBe(16)
  await Promise.all([second.close(), second.close(), second.drain()])
  for (const worker of [first, second]) {
    expect(worker.state).toBe('stopped')
    worker.start()
    worker.agree()
    worker.resume()
    expect(worker.state).toBe('stopped')
  }
  // A Worker that lives holds its lock.
  await vi.waitUntil(async () => {
    const { held = [], pending = [] } = await navigator.locks.query()
    return ![...held, ...pending].some(({ name }) => name?.startsWith('sluice.'))
  })
})

test('paused it lets the running handler finish and takes nothing more; then it leaves and comes back', async () => {
  const worker = tab(['tab.slow'])
  const client = producer()
  const first = await client.submit('tab.slow', 300)
  const begun = firstProgress(first)
  worker.start()
  await begun
  worker.pause()
  const second = await client.submit('tab.slow', 0)
  expect(await first.result()).toBe('done')
  await until(worker, ({ stats }) => stats.settling === 0 && stats.ready === 0)
  expect(worker.getSnapshot()).toMatchObject({ state: 'paused', pausedBy: ['owner'], stats: { succeeded: 1 } })
  expect(await second.status()).toMatchObject({ state: 'ready' })
  worker.resume()
  expect(await second.result()).toBe('done')
})

test('stopped it ends the handler at once and hands the task back, with no attempt counted', async () => {
  const worker = tab(['tab.polite'])
  const task = await producer().submit('tab.polite', null)
  const begun = firstProgress(task)
  worker.start()
  await begun
  worker.stop()
  expect(worker.state).toBe('off')
  await vi.waitUntil(async () => (await task.status()).state === 'ready')
  expect(await task.status()).toMatchObject({ attempts: 0 })
  await task.cancel()
})

test('a script that does not load takes no task, and its trouble is shown', async () => {
  const worker = tab(['tab.double'], {
    logger: silentLogger,
    worker: () => new Worker(new URL('/absent.ts', location.href), { type: 'module' }),
  })
  worker.start()
  const task = await producer().submit('tab.double', 1)
  await until(worker, (tab) => {
    const snapshot = tab.getSnapshot()
    return snapshot.state === 'connecting' && snapshot.trouble !== undefined
  })
  expect(worker.getSnapshot()).toMatchObject({ trouble: expect.stringContaining('did not load') })
  expect(await task.status()).toMatchObject({ state: 'ready', attempts: 0 })
  await task.cancel()
})

test('a queue that the script does not serve is named', async () => {
  const worker = tab(['tab.double', 'tab.unknown'], { logger: silentLogger })
  worker.start()
  await until(worker, (tab) => JSON.stringify(tab.getSnapshot()).includes("no handler for the queue 'tab.unknown'"))
})

test('a token may be a function, which is called on the page', async () => {
  const token = vi.fn(async () => 'a token that this broker does not look at')
  tab(['tab.double'], { token }).start()
  const task = await producer().submit('tab.double', 5)
  expect(await task.result()).toBe(10)
  expect(token).toHaveBeenCalledOnce()
})
