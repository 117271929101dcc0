import { OutboxError } from '@sluice/client/outbox'
import { registerSync } from '@sluice/client-browser'
import { expect, onTestFinished, test, vi } from 'vitest'
import { databaseName, removeDatabase } from './databases.ts'
import { browserClient, NOBODY, queueName, worker } from './tab-broker.ts'

const roleIs = (client: ReturnType<typeof browserClient>, role: string) =>
  vi.waitUntil(() => client.status.role === role)

test('a submission is saved, accepted and done, and its result is there for the next page', async () => {
  const queue = queueName()
  worker({ [queue]: (input) => `${input} done` })
  const name = databaseName()
  const client = browserClient({ outbox: { name } })
  const handle = await client.submit(queue, 'one')
  expect(['saved', 'sending']).toContain(handle.state)
  await handle.accepted
  expect(await handle.result()).toBe('one done')
  await client.close()
  const next = browserClient({ outbox: { name }, url: NOBODY })
  expect(await next.handle(handle.id).result()).toBe('one done')
})

test('what is saved offline is sent by the next page, once', async () => {
  const queue = queueName()
  const runs: unknown[] = []
  const name = databaseName()
  const offline = browserClient({ outbox: { name }, url: NOBODY })
  const handles = await Promise.all([1, 2, 3].map((n) => offline.submit(queue, n)))
  expect(handles.map(({ state }) => state)).toEqual(['saved', 'saved', 'saved'])
  await offline.close()
  worker({ [queue]: (input) => runs.push(input) })
  const [one, two] = [browserClient({ outbox: { name } }), browserClient({ outbox: { name } })]
  await Promise.all(handles.map(({ id }) => one.handle(id).result()))
  await Promise.all(handles.map(({ id }) => two.handle(id).result()))
  expect(runs.sort()).toEqual([1, 2, 3])
})

test('one tab sends for all, and another takes over when it leaves', async () => {
  const queue = queueName()
  worker({ [queue]: (input) => input })
  const outbox = { name: databaseName() }
  const first = browserClient({ outbox })
  await roleIs(first, 'leading')
  const second = browserClient({ outbox })
  expect(await (await second.submit(queue, 'from a follower')).result()).toBe('from a follower')
  expect([first.status.role, second.status.role, second.status.connection]).toEqual(['leading', 'waiting', 'idle'])
  await first.close()
  expect(await (await second.submit(queue, 'from the leader')).result()).toBe('from the leader')
  expect(second.status.role).toBe('leading')
})

test('two outboxes of one owner do not meet', async () => {
  const [one, two] = [browserClient(), browserClient()]
  await roleIs(one, 'leading')
  await roleIs(two, 'leading')
})

test('case 35: mount, unmount and mount leave no lock, listener, channel or database handle', async () => {
  const name = databaseName()
  const listening = new Map<string, number>()
  const spies = [window, document].flatMap((target, index) => {
    const count = (type: string, by: number) => {
      const key = `${index} ${type}`
      listening.set(key, (listening.get(key) ?? 0) + by)
    }
    return [
      vi.spyOn(target, 'addEventListener').mockImplementation((type: string, fn: unknown) => {
        count(type, 1)
        EventTarget.prototype.addEventListener.call(target, type, fn as EventListener)
      }),
      vi.spyOn(target, 'removeEventListener').mockImplementation((type: string, fn: unknown) => {
        count(type, -1)
        EventTarget.prototype.removeEventListener.call(target, type, fn as EventListener)
      }),
    ]
  })
  const channels = new Set<BroadcastChannel>()
  vi.stubGlobal(
    'BroadcastChannel',
    class extends BroadcastChannel {
      constructor(channel: string) {
        super(channel)
        channels.add(this)
      }
      override close() {
        super.close()
        channels.delete(this)
      }
    },
  )
  onTestFinished(() => {
    vi.unstubAllGlobals()
    for (const spy of spies) spy.mockRestore()
  })
  const first = browserClient({ outbox: { name } })
  first.dispose()
  const second = browserClient({ outbox: { name } })
  await roleIs(second, 'leading')
  expect(listening.get('0 pagehide')).toBe(1)
  const held = async () => {
    const { held = [], pending = [] } = await navigator.locks.query()
    return [...held, ...pending].filter((lock) => lock.name?.startsWith(name)).length
  }
  expect([await held(), channels.size]).toEqual([1, 1])
  await second.store.counts('ada')
  second.dispose()
  await second.close()
  await second.close()
  await vi.waitUntil(async () => (await held()) === 0)
  expect([...listening.values()].filter((count) => count !== 0)).toEqual([])
  expect([...channels]).toEqual([])
  // It never ends if a handle is open.
  await removeDatabase(name)
  await expect(second.submit('q', 1)).rejects.toThrow()
})

test('signing out closes the store too', async () => {
  const name = databaseName()
  const client = browserClient({ outbox: { name }, url: NOBODY })
  await client.submit('q', 1)
  await client.signOut('keep')
  await removeDatabase(name)
  expect(client.status.role).toBe('closed')
})

test('case 39: a page that is put away hands over, and takes nothing for granted when it is back', async () => {
  const queue = queueName()
  worker({ [queue]: (input) => input })
  const outbox = { name: databaseName() }
  const client = browserClient({ outbox })
  await (await client.submit(queue, 1)).accepted
  window.dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true }))
  expect(client.status).toMatchObject({ role: 'paused', connection: 'idle' })
  const other = browserClient({ outbox })
  await roleIs(other, 'leading')
  await other.close()
  window.dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))
  expect(await (await client.submit(queue, 2)).result()).toBe(2)
  document.dispatchEvent(new Event('freeze'))
  expect(client.status.role).toBe('paused')
  document.dispatchEvent(new Event('resume'))
  await roleIs(client, 'leading')
})

test('case 43: without IndexedDB nothing is called saved, and the app decides what happens', async () => {
  const names = [databaseName(), databaseName()] as const
  vi.spyOn(globalThis, 'indexedDB', 'get').mockImplementation(() => {
    throw new DOMException('The operation is insecure.', 'SecurityError')
  })
  onTestFinished(() => void vi.restoreAllMocks())
  const queue = queueName()
  worker({ [queue]: (input) => input })
  const strict = browserClient({ outbox: { name: names[0] } })
  expect(strict.store.isDurable).toBe(false)
  await expect(strict.submit(queue, 1)).rejects.toMatchObject({ code: 'store_unavailable' })
  const states: string[] = []
  const client = browserClient({ whenUnsaved: 'memory', outbox: { name: names[1] } })
  client.onChange(({ items }) => states.push(...items.map(({ state }) => state)))
  const handle = await client.submit(queue, 'kept in memory')
  expect(handle.state).not.toBe('saved')
  expect(await handle.result()).toBe('kept in memory')
  expect(states).not.toContain('saved')
})

test('an error of the storage is an OutboxError, and the status tells it until it works again', async () => {
  let isBroken = true
  const name = databaseName()
  const { open } = IDBFactory.prototype
  vi.spyOn(IDBFactory.prototype, 'open').mockImplementation(function (this: IDBFactory, ...parameters) {
    if (isBroken) throw new DOMException('Internal error', 'UnknownError')
    return open.apply(this, parameters)
  })
  onTestFinished(() => void vi.restoreAllMocks())
  const client = browserClient({ outbox: { name } })
  await expect(client.submit('q', 1)).rejects.toBeInstanceOf(OutboxError)
  expect(client.status.storage).toBe('store_unavailable')
  isBroken = false
  expect((await client.submit('q', 1)).state).toBe('saved')
  expect(client.status.storage).toBe('ok')
})

test('persistence is asked for once and never by itself, and room is told in bytes', async () => {
  vi.spyOn(navigator.storage, 'persisted').mockResolvedValue(false)
  const persist = vi.spyOn(navigator.storage, 'persist').mockResolvedValue(true)
  onTestFinished(() => void vi.restoreAllMocks())
  const client = browserClient({ url: NOBODY })
  await client.submit('q', 1)
  expect(persist).not.toHaveBeenCalled()
  expect([await client.persist(), await client.persist()]).toEqual([true, true])
  expect(persist).toHaveBeenCalledTimes(1)
  expect((await client.estimate())?.quotaBytes).toBeGreaterThan(1_000_000)
})

test('with backgroundSync what is saved asks for a sync event, and without it nothing does', async () => {
  const register = vi.fn(async () => {})
  vi.spyOn(navigator.serviceWorker, 'getRegistration').mockResolvedValue({ sync: { register } } as never)
  onTestFinished(() => void vi.restoreAllMocks())
  await browserClient({ url: NOBODY }).submit('q', 1)
  const client = browserClient({ url: NOBODY, backgroundSync: true })
  await client.list()
  expect(register).not.toHaveBeenCalled()
  await client.submit('q', 1)
  await vi.waitUntil(() => register.mock.calls.length > 0)
  expect(register).toHaveBeenCalledWith('sluice')
  expect(await registerSync()).toBe(true)
  register.mockRejectedValue(new DOMException('denied', 'NotAllowedError'))
  expect(await registerSync()).toBe(false)
})
