import { expect, test } from 'vitest'
import { memoryJournal } from '../../src/journal/memory.ts'
import { taskId, World } from './world.ts'

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

test('[HOST-26] workers are told page by page, each one once', async () => {
  const world = await World.started()
  for (const _ of numbers(5)) await world.worker(1, ['photos'])
  const pages: string[][] = []
  for (let after: string | undefined = 'worker-0'; after !== undefined; ) {
    const page = world.api.workers({ limit: 2, after })
    pages.push(page.workers.map(({ id }) => id))
    after = page.next
  }
  expect(pages.map((page) => page.length)).toEqual([2, 2, 1])
  expect(new Set(pages.flat()).size).toBe(5)
})

test('[QUEUE-9] an operator drops a queue whose tasks are delayed by days, and its name is free again', async () => {
  const world = await World.started({ engine: { queuesMax: 2 } })
  const greedy = await world.member({ roles: ['producer'] })
  greedy.submit(1, [1, 2, 3], '1', { delayMs: 1e9 }, 'a')
  greedy.submit(2, [4], '1', { delayMs: 1e9 }, 'b')
  greedy.submit(3, [5], '1', {}, 'c')
  await world.settle()
  expect(greedy.of('submitted').at(-1)).toMatchObject({ refused: [{ error: { code: 'busy', limit: 2 } }] })
  expect(await world.during(world.api.dropQueue('a'))).toEqual({ purged: 3, more: false })
  greedy.submit(4, [5], '1', {}, 'c')
  await world.settle()
  expect(greedy.of('submitted').at(-1)).toMatchObject({ refused: [] })
  expect(world.host.state.tasks.has(taskId(1))).toBe(false)
  expect(await world.during(world.api.dropQueue('unknown'))).toEqual({ purged: 0, more: false })
})

test('[HOST-14] a dropped queue stays dropped over a restart, and cut histories stay cut', async () => {
  const journal = memoryJournal()
  const engine = { queueHistoryBytesMax: 2000 }
  const world = await World.started({ journal, engine })
  const producer = await world.member({ roles: ['producer'] })
  const worker = await world.worker(10, ['photos'])
  producer.submit(1, numbers(5), '1')
  producer.submit(2, [9], '1', { delayMs: 1e9 }, 'gone')
  await world.settle()
  const error = { message: 'no', stack: 'at work '.repeat(100) }
  worker.say({
    type: 'fail',
    ref: 1,
    failures: worker.deliveries.map(({ lease }) => ({ lease, error, retryAfterMs: 1e9 })),
  })
  await world.settle()
  await world.during(world.api.dropQueue('gone'))
  const before = world.host.state.historyBytes
  expect(before).toBeGreaterThan(0)
  expect(before).toBeLessThanOrEqual(2000)
  await world.start({ journal, engine })
  expect(world.host.state.historyBytes).toBe(before)
  expect([...world.host.state.tasks.values()].map(({ attempts }) => attempts)).toEqual([1, 1, 1, 1, 1])
})

test('[HOST-8] answers that its client does not read count against its credit', async () => {
  const world = await World.started({
    engine: { submitCredit: 10 },
    config: { sendBufferBytesHigh: 200, sendBufferBytesMax: 4 * 1024 ** 2 },
  })
  const peer = await world.member({ roles: ['producer'] })
  peer.isSlow = true
  for (let ref = 0; ref < 100 && !peer.isPaused; ref += 1) {
    peer.submit(ref, [ref])
    await world.settle()
  }
  expect(peer.isPaused).toBe(true)
  peer.isSlow = false
  peer.read()
  await world.settle()
  expect(peer.isPaused).toBe(false)
})
