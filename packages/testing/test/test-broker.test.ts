import { createClient, createWorker, PermanentError, RetryableError, TaskDeadError } from '@sluice/client'
import { afterEach, expect, test } from 'vitest'
import { createTestBroker, type TestBroker, type TestBrokerOptions } from '../src/index.ts'

const brokers: TestBroker[] = []

async function start(options?: TestBrokerOptions): Promise<TestBroker> {
  const broker = await createTestBroker(options)
  brokers.push(broker)
  return broker
}

afterEach(async () => {
  for (const broker of brokers.splice(0)) await broker.close()
})

/** Whether it has settled by now. */
function isOver(promise: Promise<unknown>): () => boolean {
  let over = false
  const end = () => {
    over = true
  }
  promise.then(end, end)
  return () => over
}

test('a task that needs no time is done while the clock stands still', async () => {
  const broker = await start()
  broker.worker({ handlers: { double: ({ n }: { n: number }) => 2 * n } })
  const task = await broker.client().submit('double', { n: 21 })
  expect(await task.result()).toBe(42)
  expect(broker.clock.nowMs).toBe(0)
})

test('a delay ends when the clock gets there, and not before', async () => {
  const broker = await start()
  const sent: string[] = []
  broker.worker({ handlers: { mail: ({ to }: { to: string }) => void sent.push(to) } })
  const day = 86_400_000
  await broker.client().submit('mail', { to: 'Ada' }, { delayMs: day })
  await broker.advance(day - 1)
  expect(sent).toEqual([])
  await broker.advance(1)
  expect(sent).toEqual(['Ada'])
})

test('a failed attempt is tried again after its back-off, and the last one makes a dead letter', async () => {
  const broker = await start()
  const attempts: number[] = []
  broker.worker({
    handlers: {
      flaky: (_, ctx) => {
        attempts.push(broker.clock.nowMs)
        if (ctx.attempt < 3) throw new Error('not yet')
        return 'done'
      },
      refused: () => {
        throw new PermanentError('never')
      },
      slow: () => {
        throw new RetryableError('later', { retryAfterMs: 60_000 })
      },
    },
  })
  const client = broker.client()
  const flaky = await client.submit('flaky', null, { retry: { kind: 'fixed', attemptsMax: 5, delayMs: 1000 } })
  await broker.settle()
  expect(attempts).toEqual([0])
  await broker.advance(5000)
  expect(await flaky.result()).toBe('done')
  expect(attempts).toHaveLength(3)
  const refused = await client.submit('refused', null)
  await expect(refused.result()).rejects.toThrow(TaskDeadError)
  const slow = await client.submit('slow', null, { retry: { kind: 'fixed', attemptsMax: 2 } })
  const over = isOver(slow.result())
  await broker.advance(59_999)
  expect(over()).toBe(false)
  await broker.advance(1)
  await expect(slow.result()).rejects.toThrow('later')
})

test('a lease is kept by heartbeats for as long as its handler runs, and a time limit ends it', async () => {
  const broker = await start()
  const reasons: string[] = []
  broker.worker({
    handlers: {
      endless: (_, ctx) =>
        new Promise((_, reject) => {
          ctx.signal.addEventListener('abort', () => {
            reasons.push((ctx.signal.reason as Error).name)
            reject(ctx.signal.reason)
          })
        }),
    },
  })
  const hour = 3_600_000
  const task = await broker.client().submit('endless', null, { timeLimitMs: hour, retry: { kind: 'none' } })
  await broker.advance(hour - 1000)
  expect(await task.status()).toMatchObject({ state: 'leased', attempts: 1 })
  await broker.advance(1000)
  expect(reasons).toEqual(['TimeLimitExceeded'])
  await expect(task.result()).rejects.toThrow(TaskDeadError)
})

test('a broker that is started again has its tasks, and its clients come back', async () => {
  const broker = await start()
  const client = broker.client()
  const task = await client.submit('greet', { name: 'Ada' })
  await broker.restart()
  broker.worker({ handlers: { greet: ({ name }: { name: string }) => `hello ${name}` } })
  const result = task.result()
  await broker.advance(5000)
  expect(await result).toBe('hello Ada')
})

test('a program makes its own client and worker on the address and the platform', async () => {
  const { url, platform, ...broker } = await start()
  const worker = createWorker({ url, platform, handlers: { echo: (input) => input } })
  await worker.start()
  const client = createClient({ url, platform })
  const tasks = await client.submitMany('echo', [1, 2, 3])
  expect(await Promise.all(tasks.map((task) => task.result()))).toEqual([1, 2, 3])
  await client.close()
  await worker.close()
  expect(broker.clock.nowMs).toBe(0)
})

test('the same test sees the same ids and the same instants each time', async () => {
  const seen = async () => {
    const broker = await start()
    let failedAtMs = 0
    broker.worker({
      handlers: {
        fail: (_, ctx) => {
          if (ctx.attempt === 1) throw new Error('once')
          failedAtMs = broker.clock.nowMs
        },
      },
    })
    const task = await broker.client().submit('fail', null)
    await broker.advance(600_000)
    return [task.id, failedAtMs]
  }
  const first = await seen()
  expect(first[1]).toBeGreaterThan(0)
  expect(await seen()).toEqual(first)
})

test('bounds are settings, as those of the real broker', async () => {
  const broker = await start({ engine: { queueTasksMax: 1 } })
  const client = broker.client()
  await client.submit('full', 1)
  await expect(client.submit('full', 2, { onBusy: 'throw' })).rejects.toMatchObject({ code: 'busy' })
})
