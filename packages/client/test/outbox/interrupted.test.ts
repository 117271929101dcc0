import { expect, test } from 'vitest'
import { OutboxError } from '../../src/outbox/outbox-error.ts'
import type { OutboxStore } from '../../src/outbox/store.ts'
import { FakeTabs } from './fake-tabs.ts'

/** The storage of the tabs, in which each call of one method first waits for `before`. */
function delayed(tabs: FakeTabs, method: 'bodies' | 'get', before: () => Promise<void>): OutboxStore {
  const store = tabs.storage.open()
  const later = async (ids: string[]): Promise<unknown> => {
    await before()
    return store[method](ids)
  }
  return { ...store, [method]: later }
}

test.each(['plain', 'with an ordering key'])(
  '[OUTBOX-2] an item (%s) leaves although the store failed while its input was read',
  async (kind) => {
    const tabs = new FakeTabs()
    let failures = 1
    const store = delayed(tabs, 'bodies', async () => {
      failures -= 1
      if (failures >= 0) throw new OutboxError('store_timeout', 'no answer')
    })
    const { client } = tabs.open({ store })
    await tabs.settle()
    await client.submit('photos', 1, kind === 'plain' ? {} : { orderingKey: 'album' })
    await tabs.pass(1000)
    expect(tabs.broker.accepted.size).toBe(1)
  },
)

test.each(['bodies', 'get'] as const)(
  '[OUTBOX-2] [OUTBOX-5] items leave in order although the connection broke in the middle of `%s`',
  async (method) => {
    const tabs = new FakeTabs()
    let isSlow = true
    const held: (() => void)[] = []
    const store = delayed(tabs, method, () =>
      isSlow ? new Promise((resolve) => held.push(resolve)) : Promise.resolve(),
    )
    const { client } = tabs.open({ store })
    await tabs.settle()
    for (const input of [1, 2, 3]) await client.submit('photos', input, { orderingKey: 'album' })
    await tabs.settle()
    expect(held.length).toBeGreaterThan(0)
    tabs.broker.down()
    await tabs.settle()
    isSlow = false
    for (const go of held) go()
    await tabs.settle()
    tabs.broker.isDown = false
    await tabs.pass(60_000)
    expect([...tabs.broker.accepted.values()].map(({ input }) => input)).toEqual([1, 2, 3])
  },
)

test('[OUTBOX-9] a handle that could not read the store hears what has ended meanwhile', async () => {
  const tabs = new FakeTabs()
  const leader = tabs.open()
  const { id } = await leader.client.submit('photos', 1)
  await tabs.pass(100)
  tabs.broker.finish(id, 'small')
  await tabs.pass(100)
  const reloaded = tabs.open()
  tabs.storage.fails = 'store_timeout'
  const handle = reloaded.client.handle(id)
  const result = handle.result()
  await tabs.pass(1000)
  expect(handle.state).toBe('saved')
  expect(reloaded.client.status.storage).toBe('store_timeout')
  tabs.storage.fails = undefined
  await tabs.pass(10_000)
  expect(await result).toBe('small')
  expect(reloaded.client.status.storage).toBe('ok')
  tabs.storage.fails = 'store_timeout'
  reloaded.client.handle(id)
  await tabs.settle()
  await Promise.all([reloaded.client.close(), leader.client.close()])
  expect(tabs.world.clock.pending).toBe(0)
})

test('[OUTBOX-2] an item whose outcome the broker does not tell now is asked for again, and has not failed', async () => {
  const tabs = new FakeTabs()
  const old = tabs.open()
  const { id } = await old.client.submit('photos', 1)
  await tabs.pass(100)
  old.kill()
  tabs.world.connections[0]!.dead = true
  tabs.broker.refusesWatch = { code: 'busy', message: 'too many watchers', retryAfterMs: 300 }
  const { client } = tabs.open()
  const handle = client.handle(id)
  const result = handle.result()
  await tabs.pass(5000)
  expect(handle.state).toBe('accepted')
  tabs.broker.refusesWatch = undefined
  tabs.broker.finish(id, 'small')
  await tabs.pass(1000)
  expect(await result).toBe('small')
})

test('[OUTBOX-12] closing waits until the connection is closed, whatever is under way', async () => {
  const tabs = new FakeTabs()
  const { client } = tabs.open()
  await tabs.settle()
  tabs.broker.isSilent = true
  await client.submit('photos', 1)
  await tabs.settle()
  const [connection] = tabs.world.connections
  let closedBy: unknown
  const closing = client.close().then(() => {
    closedBy = connection!.closedBy
  })
  await tabs.pass(1)
  await closing
  expect(closedBy).toBeDefined()
  expect(tabs.world.clock.pending).toBe(0)
})

test('[OUTBOX-10] submissions of one intent are one item in memory, too, and move to the store as one', async () => {
  const tabs = new FakeTabs()
  tabs.storage.fails = 'store_full'
  const { client } = tabs.open({ whenUnsaved: 'memory' })
  const submit = () => client.submit('photos', 1, { intent: 'order 7' })
  const first = await submit()
  await tabs.pass(100)
  const second = await submit()
  expect([second.id, second.state]).toEqual([first.id, 'accepted'])
  tabs.broker.finish(first.id, 'small')
  await tabs.pass(100)
  const third = await submit()
  expect([third.state, await third.result()]).toEqual(['done', 'small'])
  tabs.broker.down()
  const [one, other] = await Promise.all(['order 8', 'order 8'].map((intent) => client.submit('photos', 2, { intent })))
  expect(other!.id).toBe(one!.id)
  tabs.storage.fails = undefined
  await tabs.pass(60_000)
  expect([one!.state, other!.state]).toEqual(['saved', 'saved'])
  tabs.broker.isDown = false
  await tabs.pass(60_000)
  expect(tabs.broker.accepted.size).toBe(2)
})

test('[OUTBOX-2] an outcome that did not fit into the store is noted as soon as it does', async () => {
  const tabs = new FakeTabs()
  const { client } = tabs.open()
  await tabs.settle()
  const other = tabs.open()
  const handle = await other.client.submit('photos', 1)
  const result = handle.result()
  await tabs.pass(100)
  other.isFrozen = true
  tabs.storage.fails = 'store_full'
  tabs.broker.finish(handle.id, 'small')
  await tabs.pass(5000)
  // The broker has forgotten it, and the other tab has not heard of it.
  tabs.broker.results.delete(handle.id)
  other.isFrozen = false
  tabs.storage.fails = undefined
  await tabs.pass(60_000)
  expect(await client.get(handle.id)).toMatchObject({ state: 'done' })
  expect(await result).toBe('small')
})

test('[OUTBOX-12] an outcome that is noted after its tab has handed over is told', async () => {
  const tabs = new FakeTabs()
  const store = tabs.storage.open()
  let note = (): void => {}
  const slow: OutboxStore = {
    ...store,
    change: async (changes, durability) => {
      if (changes[0]!.to === 'done') await new Promise<void>((resolve) => (note = resolve))
      return store.change(changes, durability)
    },
  }
  const { client } = tabs.open({ store: slow })
  const handle = await client.submit('photos', 1)
  const result = handle.result()
  await tabs.pass(100)
  tabs.broker.finish(handle.id, 'small')
  await tabs.pass(100)
  tabs.broker.results.delete(handle.id)
  client.pause()
  client.resume()
  await tabs.pass(1000)
  expect(handle.state).toBe('accepted')
  note()
  await tabs.pass(1000)
  expect(await result).toBe('small')
})

test('[OUTBOX-3] a tab that missed a message while it was frozen, and was not told so, finds the outcome', async () => {
  const tabs = new FakeTabs()
  tabs.open()
  await tabs.settle()
  const other = tabs.open()
  const handle = await other.client.submit('photos', 1)
  const result = handle.result()
  await tabs.pass(100)
  other.isFrozen = true
  tabs.broker.finish(handle.id, 'small')
  await tabs.pass(1000)
  other.isFrozen = false
  await tabs.pass(10_000)
  expect(await result).toBe('small')
})

test('[OUTBOX-3] what a tab has saved leaves although the tab ended before it told anybody', async () => {
  const tabs = new FakeTabs()
  const leader = tabs.open()
  await tabs.settle()
  const other = tabs.open()
  const [inKey, inOther] = [{ orderingKey: 'album' }, { orderingKey: 'trip' }]
  tabs.broker.refuses.set('photos', { code: 'too_large' })
  const [again, gone] = [await other.client.submit('photos', 1, inKey), await other.client.submit('photos', 2, inOther)]
  await other.client.submit('mail', 3, inKey)
  await other.client.submit('mail', 6, inOther)
  const running = await other.client.submit('mail', 4)
  await tabs.pass(1000)
  expect([again.state, gone.state, running.state]).toEqual(['parked', 'parked', 'accepted'])
  other.isFrozen = true
  tabs.broker.refuses.clear()
  await other.client.retry(again.id)
  await other.client.discard(gone.id)
  await running.cancel()
  await other.client.submit('mail', 5)
  other.kill()
  await tabs.pass(60_000)
  expect([...tabs.broker.accepted.values()].map(({ input }) => input).sort()).toEqual([1, 3, 4, 5, 6])
  expect([...tabs.broker.cancelled]).toEqual([running.id])
  expect((await leader.client.counts()).parked).toBe(0)
})

test.each(['accepted', 'of an intent that is stored'])(
  '[OUTBOX-12] an item in memory that is %s goes on when the page is back',
  async (kind) => {
    const tabs = new FakeTabs()
    const { client } = tabs.open({ whenUnsaved: 'memory' })
    const intent = { intent: 'order 7' }
    if (kind !== 'accepted') await client.submit('photos', 0, intent)
    await tabs.pass(1000)
    if (kind !== 'accepted') tabs.broker.down()
    tabs.storage.fails = 'store_full'
    const handle = await client.submit('photos', 1, intent)
    const result = handle.result()
    await tabs.pass(100)
    tabs.storage.fails = undefined
    client.handle(handle.id)
    await tabs.pass(5000)
    expect(handle.state).toBe(kind === 'accepted' ? 'accepted' : 'unsaved')
    client.pause()
    await tabs.settle()
    tabs.broker.isDown = false
    client.resume()
    await tabs.pass(60_000)
    tabs.broker.finish(handle.id, 'small')
    await tabs.pass(1000)
    expect(await result).toBe('small')
  },
)
