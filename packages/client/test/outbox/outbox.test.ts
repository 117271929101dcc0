import { expect, test } from 'vitest'
import { ClosedError, SluiceError, TaskCancelledError } from '../../src/index.ts'
import type { OutboxHandle } from '../../src/outbox/outbox-client.ts'
import { OutboxError } from '../../src/outbox/outbox-error.ts'
import { FakeTabs } from './fake-tabs.ts'

/** How a promise stands after everything that needs no time. */
async function outcomeOf(tabs: FakeTabs, promise: Promise<unknown>): Promise<unknown> {
  let outcome: unknown = 'pending'
  promise.then(
    (value) => {
      outcome = { value }
    },
    (error: unknown) => {
      outcome = error
    },
  )
  await tabs.pass(50)
  return outcome
}

const inputs = (tabs: FakeTabs): unknown[] => [...tabs.broker.accepted.values()].map(({ input }) => input)

test('[OUTBOX-1] a submission resolves when it is saved, without a connection, and leaves when there is one', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isDown = true
  const { client } = tabs.open()
  await tabs.settle()
  const handle = await client.submit('photos', { n: 1 }, { label: 'a.jpg' })
  expect(handle.state).toBe('saved')
  expect(await outcomeOf(tabs, handle.accepted)).toBe('pending')
  tabs.broker.isDown = false
  await tabs.pass(20_000)
  expect(handle.state).toBe('accepted')
  await handle.accepted
  expect(inputs(tabs)).toEqual([{ n: 1 }])
  const result = handle.result()
  tabs.broker.finish(handle.id, { width: 7 })
  await tabs.pass(50)
  expect(await result).toEqual({ width: 7 })
  expect(handle.state).toBe('done')
  expect(await client.list()).toMatchObject([{ id: handle.id, state: 'done', label: 'a.jpg' }])
})

test('[OUTBOX-2] what a tab saved and did not send leaves from the next one, with the same id', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isDown = true
  const first = tabs.open()
  const saved = await Promise.all([1, 2, 3].map((n) => first.client.submit('photos', n)))
  first.kill()
  tabs.broker.isDown = false
  const second = tabs.open()
  await tabs.pass(20_000)
  expect([...tabs.broker.accepted.keys()]).toEqual(saved.map(({ id }) => id))
  const again = second.client.handle(saved[0]!.id)
  const result = again.result()
  tabs.broker.finish(saved[0]!.id, 'ok')
  await tabs.pass(50)
  expect(await result).toBe('ok')
})

test('[OUTBOX-2] an acceptance whose note was lost is sent again and is the same task', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isSilent = true
  const first = tabs.open()
  await tabs.settle()
  const { id } = await first.client.submit('photos', 1)
  await tabs.pass(100)
  expect(tabs.broker.arrived).toEqual([id])
  first.kill()
  tabs.broker.isSilent = false
  tabs.open()
  await tabs.pass(1000)
  expect(tabs.broker.arrived).toEqual([id, id])
  expect(tabs.broker.accepted.size).toBe(1)
})

test('[OUTBOX-3] one tab sends, every tab saves, and each learns of acceptance, progress and result', async () => {
  const tabs = new FakeTabs()
  const leader = tabs.open()
  await tabs.settle()
  const follower = tabs.open()
  await tabs.settle()
  expect([leader.client.status.role, follower.client.status.role]).toEqual(['leading', 'waiting'])
  const handle = await follower.client.submit('photos', 1)
  await tabs.pass(100)
  expect(handle.state).toBe('accepted')
  expect(tabs.world.connections.length).toBe(1)
  const seen: unknown[] = []
  void (async () => {
    for await (const value of handle.progress()) seen.push(value)
    seen.push('end')
  })()
  tabs.broker.progress(handle.id, 50)
  await tabs.pass(100)
  expect(handle.state).toBe('running')
  const result = handle.result()
  tabs.broker.finish(handle.id, null)
  await tabs.pass(100)
  expect(await result).toBe(null)
  expect(seen).toEqual([50, 'end'])
})

test('[OUTBOX-3] another tab takes over at once when the one that sends is gone', async () => {
  const tabs = new FakeTabs()
  const leader = tabs.open()
  await tabs.settle()
  const follower = tabs.open()
  const handle = await follower.client.submit('photos', 1)
  await tabs.pass(100)
  leader.kill()
  await tabs.pass(100)
  expect(follower.client.status).toMatchObject({ role: 'leading', connection: 'ready' })
  tabs.broker.finish(handle.id, 'late')
  await tabs.pass(100)
  expect(await handle.result()).toBe('late')
})

test('[OUTBOX-3] a tab that holds the lock and does not answer is replaced', async () => {
  const tabs = new FakeTabs()
  const frozen = tabs.open()
  await tabs.settle()
  const follower = tabs.open()
  await tabs.settle()
  tabs.broker.down()
  tabs.broker.isDown = true
  await tabs.settle()
  frozen.isFrozen = true
  tabs.broker.isDown = false
  tabs.broker.isSilent = true
  const handle = await follower.client.submit('photos', 1)
  await tabs.pass(4000)
  expect(follower.client.status.role).toBe('waiting')
  tabs.broker.isSilent = false
  await tabs.pass(30_000)
  expect(follower.client.status.role).toBe('leading')
  expect(handle.state).toBe('accepted')
  expect(tabs.broker.accepted.size).toBe(1)
})

test('[OUTBOX-3] a tab that waits for a healthy one waits as long as it takes', async () => {
  const tabs = new FakeTabs()
  const leader = tabs.open()
  await tabs.settle()
  const follower = tabs.open()
  tabs.broker.isSilent = true
  const handle = await follower.client.submit('photos', 1)
  await tabs.pass(600_000)
  expect([leader.client.status.role, follower.client.status.role]).toEqual(['leading', 'waiting'])
  expect(await outcomeOf(tabs, handle.accepted)).toBe('pending')
})

test('[OUTBOX-4] what the broker refuses is parked with its error, and others go on', async () => {
  const tabs = new FakeTabs()
  tabs.broker.refuses.set('bad', { code: 'too_large', limit: 5 })
  const { client } = tabs.open()
  const [bad, good] = await Promise.all([client.submit('bad', 1), client.submit('good', 2)])
  await tabs.pass(100)
  expect([bad.state, good.state]).toEqual(['parked', 'accepted'])
  const error = await bad.accepted.catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(SluiceError)
  expect(error).toMatchObject({ code: 'too_large', limit: 5 })
  expect(await bad.result().catch((thrown: unknown) => thrown)).toMatchObject({ code: 'too_large' })
  expect(await client.export(bad.id)).toMatchObject({ item: { state: 'parked' }, input: 1 })
  tabs.broker.refuses.clear()
  await client.retry(bad.id)
  await tabs.pass(100)
  expect(bad.state).toBe('accepted')
  await bad.accepted
})

test('[OUTBOX-4] a parked item can be discarded, from another tab too', async () => {
  const tabs = new FakeTabs()
  tabs.broker.refuses.set('bad', { code: 'bad_message' })
  const leader = tabs.open()
  await tabs.settle()
  const follower = tabs.open()
  const bad = await leader.client.submit('bad', 1, { orderingKey: 'k' })
  const behind = await leader.client.submit('good', 2, { orderingKey: 'k' })
  const other = await leader.client.submit('good', 3, { orderingKey: 'other' })
  await tabs.pass(100)
  expect([bad.state, behind.state, other.state]).toEqual(['parked', 'saved', 'accepted'])
  await follower.client.discard(bad.id)
  await tabs.pass(100)
  expect([bad.state, behind.state]).toEqual(['discarded', 'accepted'])
  expect(await bad.result().catch((thrown: unknown) => thrown)).toMatchObject({ code: 'unknown_item' })
})

test('[OUTBOX-5] items with a key leave one after the other, whatever the tab; a parked one holds its key only', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isSilent = true
  const { client } = tabs.open()
  await tabs.settle()
  const handles: OutboxHandle[] = []
  for (const n of [1, 2, 3]) handles.push(await client.submit('photos', n, { orderingKey: 'k' }))
  const free = await client.submit('photos', 'free')
  await tabs.pass(100)
  expect(tabs.broker.arrived).toEqual([handles[0]!.id, free.id])
  tabs.broker.isSilent = false
  tabs.broker.down()
  tabs.broker.isDown = false
  await tabs.pass(20_000)
  expect(inputs(tabs).filter((input) => input !== 'free')).toEqual([1, 2, 3])
})

test('[OUTBOX-5] a retried item leaves before those that were saved after it', async () => {
  const tabs = new FakeTabs()
  tabs.broker.refuses.set('bad', { code: 'bad_message' })
  const { client } = tabs.open()
  const bad = await client.submit('bad', 'first', { orderingKey: 'k' })
  for (const n of [2, 3]) await client.submit('photos', n, { orderingKey: 'k' })
  await tabs.pass(100)
  tabs.broker.refuses.clear()
  await client.retry(bad.id)
  await tabs.pass(100)
  expect(inputs(tabs)).toEqual(['first', 2, 3])
})

test('[OUTBOX-6] nothing of one owner is sent by the client of another', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isDown = true
  const ada = tabs.open({ token: 'token of ada' })
  const { id } = await ada.client.submit('photos', 'of ada')
  await ada.client.signOut('keep')
  tabs.broker.isDown = false
  const bob = tabs.open({ owner: 'bob', token: 'token of bob' })
  await bob.client.submit('photos', 'of bob')
  await tabs.pass(20_000)
  expect(inputs(tabs)).toEqual(['of bob'])
  expect(await bob.client.get(id)).toBe(undefined)
  tabs.open({ token: 'token of ada' })
  await tabs.pass(1000)
  expect(inputs(tabs)).toEqual(['of bob', 'of ada'])
  expect(tabs.broker.tokens).toEqual(['token of bob', 'token of ada'])
})

test('[OUTBOX-6] signing out can wait until everything is sent, or delete it', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isDown = true
  const ada = tabs.open()
  await ada.client.submit('photos', 1)
  const leaves = ada.client.signOut('send')
  expect(await outcomeOf(tabs, leaves)).toBe('pending')
  tabs.broker.isDown = false
  await tabs.pass(20_000)
  await leaves
  expect(ada.client.status.role).toBe('closed')
  tabs.broker.isDown = true
  const again = tabs.open()
  const lost = await again.client.submit('photos', 2)
  await again.client.signOut('delete')
  expect(lost.state).toBe('discarded')
  tabs.broker.isDown = false
  const last = tabs.open()
  await tabs.pass(20_000)
  expect(await last.client.list()).toEqual([])
  expect(inputs(tabs)).toEqual([1])
})

test('[OUTBOX-6] signing out does not wait for what a parked item holds back, and says so', async () => {
  const tabs = new FakeTabs()
  tabs.broker.refuses.set('bad', { code: 'bad_message' })
  const { client } = tabs.open()
  const bad = await client.submit('bad', 1, { orderingKey: 'k' })
  await client.submit('photos', 2, { orderingKey: 'k' })
  const leaves = outcomeOf(tabs, client.signOut('send'))
  expect(await leaves).toMatchObject({ code: 'held_back' })
  expect(client.status.role).toBe('leading')
  await client.discard(bad.id)
  await tabs.pass(100)
  await client.signOut('send')
  expect(inputs(tabs)).toEqual([2])
})

test('[OUTBOX-7] a refused token loses nothing: items wait until there is another one', async () => {
  const tabs = new FakeTabs()
  tabs.broker.rejects = 'unauthorized'
  const { client } = tabs.open({ token: 'old' })
  const follower = tabs.open({ token: 'old' })
  const handle = await client.submit('photos', 1)
  const theirs = await follower.client.submit('photos', 2)
  await tabs.pass(100)
  expect(client.status.auth).toBe('needed')
  expect(follower.client.status.auth).toBe('needed')
  expect([handle.state, theirs.state]).toEqual(['needsAuth', 'needsAuth'])
  expect(await client.counts()).toMatchObject({ needsAuth: 2, saved: 0 })
  await tabs.pass(600_000)
  expect(tabs.world.connections.length).toBe(1)
  tabs.broker.rejects = undefined
  client.authenticate('new')
  await tabs.pass(100)
  expect([handle.state, theirs.state]).toEqual(['accepted', 'accepted'])
  expect(tabs.broker.tokens).toEqual(['old', 'new'])
  expect(follower.client.status.auth).toBe('ok')
})

test('[OUTBOX-7] a token that only a waiting tab has makes that tab the one that sends', async () => {
  const tabs = new FakeTabs()
  tabs.broker.rejects = 'token_expired'
  const leader = tabs.open({ token: 'old' })
  await tabs.settle()
  const follower = tabs.open({ token: 'old' })
  const handle = await leader.client.submit('photos', 1)
  await tabs.pass(100)
  tabs.broker.rejects = undefined
  follower.client.authenticate('new')
  await tabs.pass(100)
  expect(follower.client.status.role).toBe('leading')
  expect(handle.state).toBe('accepted')
  expect(tabs.broker.tokens).toEqual(['old', 'new'])
})

test('[OUTBOX-8] a cancellation is saved offline; what was never sent is never sent', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isDown = true
  const { client } = tabs.open()
  const handle = await client.submit('photos', 1)
  await handle.cancel()
  await tabs.pass(50)
  expect(handle.state).toBe('cancelling')
  tabs.broker.isDown = false
  await tabs.pass(20_000)
  expect(handle.state).toBe('cancelled')
  expect(tabs.broker.arrived).toEqual([])
  expect(await handle.result().catch((thrown: unknown) => thrown)).toBeInstanceOf(TaskCancelledError)
})

test('[OUTBOX-8] an accepted task is cancelled at the broker; one that ended first keeps its result', async () => {
  const tabs = new FakeTabs()
  const { client } = tabs.open()
  const handle = await client.submit('photos', 1)
  const quick = await client.submit('photos', 2)
  await tabs.pass(100)
  tabs.broker.results.set(quick.id, 'quick')
  await Promise.all([handle.cancel(), quick.cancel()])
  await tabs.pass(100)
  expect(tabs.broker.cancelled).toEqual(new Set([handle.id]))
  expect(handle.state).toBe('cancelled')
  tabs.broker.finish(quick.id, 'quick')
  await tabs.pass(100)
  expect(quick.state).toBe('done')
  expect(await quick.cancel().catch((thrown: unknown) => thrown)).toMatchObject({ code: 'task_finished' })
})

test('[OUTBOX-8] a cancellation while the submission is under way reaches the broker behind it', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isSilent = true
  const { client } = tabs.open()
  await tabs.settle()
  const handle = await client.submit('photos', 1)
  await tabs.pass(100)
  expect(handle.state).toBe('sending')
  await handle.cancel()
  await tabs.pass(100)
  expect(handle.state).toBe('cancelling')
  tabs.broker.speak()
  await tabs.pass(100)
  expect(handle.state).toBe('cancelled')
  expect([...tabs.broker.cancelled]).toEqual([handle.id])
})

test('[OUTBOX-9] a store that cannot write says so, and nothing is called saved', async () => {
  const tabs = new FakeTabs()
  const { client } = tabs.open()
  await tabs.settle()
  tabs.storage.fails = 'store_full'
  const error = await client.submit('photos', 1).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(OutboxError)
  expect(error).toMatchObject({ code: 'store_full' })
  expect(client.status.storage).toBe('store_full')
  tabs.storage.fails = undefined
  const handle = await client.submit('photos', 2)
  await tabs.pass(100)
  expect(handle.state).toBe('accepted')
  expect(client.status.storage).toBe('ok')
  expect(inputs(tabs)).toEqual([2])
})

test('[OUTBOX-9] from memory an item is unsaved, is sent all the same, and is saved when the store heals', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isDown = true
  const { client } = tabs.open({ whenUnsaved: 'memory' })
  await tabs.settle()
  tabs.storage.fails = 'store_timeout'
  const handle = await client.submit('photos', 1)
  expect(handle.state).toBe('unsaved')
  expect(await client.get(handle.id)).toMatchObject({ state: 'unsaved' })
  tabs.storage.fails = undefined
  await tabs.pass(3000)
  expect(handle.state).toBe('saved')
  tabs.broker.isDown = false
  tabs.storage.fails = 'store_timeout'
  const other = await client.submit('photos', 2)
  await tabs.pass(20_000)
  expect(other.state).toBe('accepted')
  tabs.broker.finish(other.id, 'two')
  await tabs.pass(100)
  expect(await other.result()).toBe('two')
  tabs.storage.fails = undefined
  await tabs.pass(20_000)
  expect(handle.state).toBe('accepted')
  expect(tabs.broker.accepted.size).toBe(2)
})

test('[OUTBOX-9] a store that fails while items leave is asked again, without a loop', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isDown = true
  const { client } = tabs.open()
  const handle = await client.submit('photos', 1)
  tabs.storage.fails = 'store_failed'
  tabs.broker.isDown = false
  await tabs.pass(600_000)
  expect(tabs.storage.calls.list).toBeLessThan(120)
  tabs.storage.fails = undefined
  await tabs.pass(20_000)
  expect(handle.state).toBe('accepted')
})

test('[OUTBOX-10] each submission is an intent of its own unless it names one', async () => {
  const tabs = new FakeTabs()
  const { client } = tabs.open()
  const [one, two] = await Promise.all([client.submit('pay', 7), client.submit('pay', 7)])
  expect(one.id).not.toBe(two.id)
  const [first, second] = await Promise.all([
    client.submit('pay', 8, { intent: 'order 8' }),
    client.submit('pay', 8, { intent: 'order 8' }),
  ])
  expect(first.id).toBe(second.id)
  await tabs.pass(100)
  expect(tabs.broker.accepted.size).toBe(3)
})

test('[OUTBOX-11] an item of an older program is brought up to date, or parked with the reason', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isDown = true
  const old = tabs.open()
  const [good, bad] = await Promise.all([old.client.submit('photos', { n: 1 }), old.client.submit('photos', {})])
  await old.client.close()
  tabs.broker.isDown = false
  const upgrade = (_: unknown, input: unknown): unknown => {
    const { n } = input as { n?: number }
    if (n === undefined) throw new Error('it has no n')
    return { number: n }
  }
  const { client } = tabs.open({ inputVersion: 2, upgrade })
  await tabs.pass(20_000)
  expect(inputs(tabs)).toEqual([{ number: 1 }])
  expect(await client.get(good.id)).toMatchObject({ state: 'accepted', inputVersion: 2 })
  expect(await client.get(bad.id)).toMatchObject({ state: 'parked', error: { code: 'upgrade_failed' } })
})

test('[OUTBOX-11] an item of a newer program is parked by an older one and leaves from a newer one', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isDown = true
  const newer = tabs.open({ inputVersion: 2 })
  const { id } = await newer.client.submit('photos', 1)
  newer.kill()
  tabs.broker.isDown = false
  const older = tabs.open()
  await tabs.pass(20_000)
  expect(await older.client.get(id)).toMatchObject({ state: 'parked', error: { code: 'newer_item' } })
  await older.client.close()
  tabs.open({ inputVersion: 2 })
  await tabs.pass(1000)
  expect(tabs.broker.accepted.size).toBe(1)
})

test('[OUTBOX-12] a page that may be gone hands over, and takes nothing for granted when it is back', async () => {
  const tabs = new FakeTabs()
  const first = tabs.open()
  await tabs.settle()
  const second = tabs.open()
  const handle = await first.client.submit('photos', 1)
  await tabs.pass(100)
  first.client.pause()
  await tabs.pass(100)
  expect([first.client.status.role, second.client.status.role]).toEqual(['paused', 'leading'])
  first.isFrozen = true
  tabs.broker.finish(handle.id, 'while away')
  await tabs.pass(100)
  expect(handle.state).toBe('accepted')
  first.isFrozen = false
  first.client.resume()
  await tabs.pass(100)
  expect(await handle.result()).toBe('while away')
  expect(first.client.status.role).toBe('waiting')
})

test('[OUTBOX-12] closing ends every wait, keeps what is saved, and can be repeated', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isDown = true
  const { client } = tabs.open()
  const handle = await client.submit('photos', 1)
  const waits = [handle.accepted, handle.result()].map((wait) => wait.catch((error: unknown) => error))
  await Promise.all([client.close(), client.close()])
  for (const error of await Promise.all(waits)) expect(error).toBeInstanceOf(ClosedError)
  expect(await client.submit('photos', 2).catch((thrown: unknown) => thrown)).toMatchObject({ code: 'closed' })
  await tabs.pass(60_000)
  expect(tabs.world.clock.pending).toBe(0)
  tabs.broker.isDown = false
  tabs.open()
  await tabs.pass(1000)
  expect(inputs(tabs)).toEqual([1])
})

test('[OUTBOX-12] a network that is back ends the wait for the next attempt', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isDown = true
  const { client } = tabs.open()
  await tabs.pass(120_000)
  const handle = await client.submit('photos', 1)
  tabs.broker.isDown = false
  client.wake()
  await tabs.pass(100)
  expect(handle.state).toBe('accepted')
})

test('[OUTBOX-13] many items leave within the bounds on what is under way, and old outcomes are removed', async () => {
  const tabs = new FakeTabs()
  tabs.broker.isDown = true
  const { client } = tabs.open({ keepEnded: 100 })
  const handles = await Promise.all(Array.from({ length: 3000 }, (_, n) => client.submit('photos', n)))
  expect(tabs.storage.calls.add).toBeLessThan(20)
  tabs.broker.isDown = false
  await tabs.pass(20_000)
  expect(inputs(tabs)).toEqual(handles.map((_, n) => n))
  for (const { id } of handles) tabs.broker.finish(id, id)
  await tabs.pass(1000)
  const { done, accepted } = await client.counts()
  expect(accepted).toBe(0)
  expect(done).toBeLessThan(100 + 64)
})

test.for([
  ['owner', { owner: '' }],
  ['url', { url: 'http://broker' }],
  ['inputVersion', { inputVersion: 0 }],
  ['keepEnded', { keepEnded: -1 }],
  ['whenUnsaved', { whenUnsaved: 'never' as 'throw' }],
] as const)('a bad %s is refused at once, by its name', ([name, options]) => {
  expect(() => new FakeTabs().open(options)).toThrow(new RegExp(name))
})

test.for([
  ['options.priority', { priority: -1 }],
  ['orderingKey', { orderingKey: '' }],
  ['intent', { intent: 'x'.repeat(201) }],
  ['label', { label: 'x'.repeat(5000) }],
  ['label.at', { label: { at: new Date(Number.NaN) } }],
  ['id', { id: 'mine' }],
  ['options.whatever', { whatever: 1 } as object],
] as const)('a submission with a bad %s is refused before it is saved', async ([field, options]) => {
  const tabs = new FakeTabs()
  const { client } = tabs.open()
  const error = await client.submit('photos', 1, options).catch((thrown: unknown) => thrown)
  expect(error).toMatchObject({ code: 'bad_message', field })
  expect(await client.list()).toEqual([])
})
