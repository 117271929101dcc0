import type { ItemView } from '@sluice/client/outbox'
import { type OutboxSnapshot, outboxView } from '@sluice/client-browser'
import { expect, onTestFinished, test, vi } from 'vitest'
import { databaseName, newItem, openStore } from './databases.ts'
import { browserClient, NOBODY, queueName, worker } from './tab-broker.ts'

/** A page whose frames come when the test says so. */
function manualFrames() {
  const frames = new Set<() => void>()
  return {
    frames,
    page: {
      nextFrame: (fn: () => void) => {
        frames.add(fn)
        return () => frames.delete(fn)
      },
    },
    show: () => {
      for (const fn of [...frames]) {
        frames.delete(fn)
        fn()
      }
    },
  }
}

const snapshotWhere = (view: { getSnapshot(): OutboxSnapshot }, holds: (snapshot: OutboxSnapshot) => boolean) =>
  vi.waitUntil(() => holds(view.getSnapshot()) && view.getSnapshot(), { timeout: 20_000 })

test('a snapshot is the same object until something changes, and is never changed itself', async () => {
  const client = browserClient({ url: NOBODY })
  const { view } = client
  expect(view.getSnapshot()).toBe(view.getSnapshot())
  expect(view.getServerSnapshot()).toBe(view.getServerSnapshot())
  expect(view.getSnapshot().isLoaded).toBe(false)
  onTestFinished(view.subscribe(() => {}))
  const before = await snapshotWhere(view, ({ isLoaded }) => isLoaded)
  expect(view.getSnapshot()).toBe(before)
  expect(before).toMatchObject({ items: [], counts: { saved: 0 } })
  await client.submit('q', 1, { label: 'a photo' })
  const after = await snapshotWhere(view, ({ counts, items }) => counts.saved === 1 && items.length === 1)
  expect(after.items).toMatchObject([{ state: 'saved', label: 'a photo' }])
  expect(before.items).toEqual([])
})

test('nothing is read before somebody subscribes, and nothing is listened to after the last one has gone', async () => {
  const client = browserClient({ url: NOBODY })
  const [list, counts, onChange] = (['list', 'counts', 'onChange'] as const).map((name) => vi.spyOn(client, name))
  const { frames, page } = manualFrames()
  const view = outboxView(client, { page })
  await client.submit('q', 1)
  expect([list, counts, onChange].map((spy) => spy!.mock.calls.length)).toEqual([0, 0, 0])
  const end = view.subscribe(() => {})
  const task = view.task(newItem().id).subscribe(() => {})
  await vi.waitUntil(() => counts!.mock.calls.length > 0)
  end()
  expect(onChange!.mock.calls.length).toBe(1)
  task()
  task()
  frames.clear()
  const calls = counts!.mock.calls.length
  await client.submit('q', 2)
  await client.counts()
  expect([frames.size, counts!.mock.calls.length]).toEqual([0, calls + 1])
})

test('progress is published once a frame, with the newest value', async () => {
  const queue = queueName()
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>()
  worker({
    [queue]: async (_, ctx) => {
      for (let n = 0; n < 200; n += 1) ctx.progress(n)
      await mayEnd
      return 'the result'
    },
  })
  const client = browserClient()
  const { page, show, frames } = manualFrames()
  const view = outboxView(client, { page })
  const handle = await client.submit(queue, 1)
  const task = view.task(handle.id)
  let published = 0
  onTestFinished(task.subscribe(() => (published += 1)))
  for await (const value of handle.progress()) if (value === 199) break
  await vi.waitUntil(() => frames.size === 1)
  expect(published).toBe(0)
  show()
  expect(published).toBe(1)
  await vi.waitUntil(() => {
    show()
    return (task.getSnapshot() as ItemView).progress === 199
  })
  expect(task.getSnapshot()).toBe(task.getSnapshot())
  end()
  await vi.waitUntil(() => {
    show()
    return task.getSnapshot().state === 'done'
  })
  expect(task.getSnapshot()).toMatchObject({ state: 'done', result: { value: 'the result' } })
  view.close()
})

test('an item that was never there, or was removed, is unknown, and one task does not wake another', async () => {
  const client = browserClient({ url: NOBODY })
  const { view } = client
  const told = new Set<string>()
  client.onChange(({ items }) => items.forEach(({ id }) => void told.add(id)))
  const [one, two] = [await client.submit('q', 1), await client.submit('q', 2)]
  await vi.waitUntil(() => told.size === 2)
  const woken: string[] = []
  for (const id of [one.id, two.id, newItem().id]) onTestFinished(view.task(id).subscribe(() => woken.push(id)))
  expect(view.task(one.id)).toBe(view.task(one.id))
  await vi.waitUntil(() => woken.length === 3)
  expect(view.task(newItem().id).getSnapshot()).toEqual({ state: 'loading' })
  woken.length = 0
  await client.discard(one.id)
  await vi.waitUntil(() => view.task(one.id).getSnapshot().state === 'unknown')
  expect(woken).toEqual([one.id])
  expect(view.task(two.id).getSnapshot()).toMatchObject({ state: 'saved', id: two.id })
})

test('with thousands of items the newest are shown, pending ones first, and no more are kept', async () => {
  const name = databaseName()
  const store = openStore({ name })
  const ended = await store.add(Array.from({ length: 20 }, () => newItem()))
  await store.change(
    ended.map(({ id }) => ({ id, from: ['saved'] as const, to: 'cancelled' as const })),
    'relaxed',
  )
  for (let batch = 0; batch < 3; batch += 1) await store.add(Array.from({ length: 1000 }, () => newItem()))
  const [last] = await store.add([newItem()])
  const client = browserClient({ url: NOBODY, outbox: { name }, viewItems: 30 })
  const { view } = client
  onTestFinished(view.subscribe(() => {}))
  const full = await snapshotWhere(view, ({ isLoaded, items }) => isLoaded && items.length > 0)
  expect(full.counts).toMatchObject({ saved: 3001, cancelled: 20 })
  expect(full.items.map(({ seq }) => seq)).toEqual(Array.from({ length: 30 }, (_, n) => last!.seq - n))
  // A newer one comes in, and an older one comes back when it goes.
  const handle = await client.submit('q', 1)
  await snapshotWhere(view, ({ items }) => items[0]?.id === handle.id)
  expect(view.getSnapshot().items).toHaveLength(30)
  await client.discard(handle.id)
  await snapshotWhere(view, ({ items, counts }) => items[0]?.id === last!.id && counts.saved === 3001)
  await snapshotWhere(view, ({ items }) => items.length === 30)
})

test('pending items stand before ended ones, however new', async () => {
  const name = databaseName()
  const store = openStore({ name })
  const ids = (await store.add(Array.from({ length: 4 }, () => newItem()))).map(({ id }) => id)
  await store.change([{ id: ids[3]!, from: ['saved'], to: 'cancelled' }], 'relaxed')
  const { view } = browserClient({ url: NOBODY, outbox: { name } })
  onTestFinished(view.subscribe(() => {}))
  const { items } = await snapshotWhere(view, ({ isLoaded, items }) => isLoaded && items.length === 4)
  expect(items.map(({ id }) => id)).toEqual([ids[2], ids[1], ids[0], ids[3]])
})
