import { expect, test } from 'vitest'
import { type Peer, taskId, World } from './world.ts'

async function kill(world: World, worker: Peer, queue: string, ids: number[]): Promise<void> {
  const producer = await world.member({ roles: ['producer'] })
  producer.submit(1, ids, 'null', undefined, queue)
  await world.settle()
  for (const { lease } of worker.deliveries.slice(-ids.length))
    worker.say({ type: 'fail', ref: lease, failures: [{ lease, error: { message: 'no' }, retryable: false }] })
  await world.settle()
}

/** Dead letters in two queues, of each of which no more than four are kept. */
async function twoQueues(): Promise<{ world: World; worker: Peer }> {
  const world = await World.started({ engine: { queueDeadMax: 4 } })
  const worker = await world.worker(100, ['a', 'b'])
  await kill(world, worker, 'a', [1, 2, 3, 4])
  await kill(world, worker, 'b', [5, 6, 7, 8])
  return { world, worker }
}

const idsOf = (page: { tasks: { id: string }[] }) => page.tasks.map(({ id }) => Number.parseInt(id.slice(-4), 16))

test('a page behind a letter that has gone goes on in its queue, where that is named', async () => {
  const { world, worker } = await twoQueues()
  const first = world.api.dead({ queue: 'b', limit: 2 })
  expect([idsOf(first), first.next]).toEqual([[5, 6], taskId(6)])
  await kill(world, worker, 'b', [9, 10])
  expect(idsOf(world.api.dead({ queue: 'b', limit: 10, after: first.next as string }))).toEqual([7, 8, 9, 10])
})

test('a page behind a letter that has gone is refused where nothing says in which queue that was', async () => {
  const { world, worker } = await twoQueues()
  const { next } = world.api.dead({ limit: 6 })
  expect(next).toBe(taskId(6))
  await kill(world, worker, 'b', [9, 10])
  expect(() => world.api.dead({ limit: 10, after: next as string })).toThrow(`no task ${next} is held any more`)
})

test('a page behind a letter that was redriven begins its queue anew, and repeats no other', async () => {
  const { world } = await twoQueues()
  const { next } = world.api.dead({ limit: 6 })
  await world.during(world.api.redrive({ ids: [5, 6].map(taskId) }))
  expect(idsOf(world.api.dead({ limit: 10, after: next as string }))).toEqual([7, 8])
})

test('queues are shown with those connected who take from them, and what they would still take', async () => {
  const world = await World.started()
  await world.worker(3, ['a', 'b'])
  await world.worker(2, ['b'])
  const away = await world.worker(5, ['a', 'c'])
  away.vanish()
  await world.settle()
  expect(world.api.queues().map(({ name, workers, freeCredit }) => [name, workers, freeCredit])).toEqual([
    ['a', 1, 3],
    ['b', 2, 5],
    ['c', 0, 0],
  ])
})
