import { OutboxError, type OutboxItem } from '@sluice/client/outbox'
import { outboxStoreCases } from '@sluice/client/outbox/store-cases'
import { openDB } from 'idb'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { MIGRATIONS, type Migration, type OutboxSchema } from '../../src/store/schema.ts'
import { databaseName, manualTimers, newItem, openStore } from '../databases.ts'

/** A factory that hands out the databases which it opens. */
function watchedFactory() {
  const opened: IDBDatabase[] = []
  const factory = {
    open: (name: string, version?: number) => {
      const request = indexedDB.open(name, version)
      request.addEventListener('success', () => opened.push(request.result))
      return request
    },
  } as IDBFactory
  return { opened, factory: () => factory }
}

/** A connection that ignores when others want to upgrade. */
function oldTab(name: string, version: number): Promise<IDBDatabase> {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(name, version)
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

/** Two items, as a program with these migrations has left them. */
async function storedByVersion(name: string, migrations: readonly Migration[]): Promise<OutboxItem[]> {
  const database = await openDB<OutboxSchema>(name, migrations.length, {
    upgrade: async (opened, _from, _to, transaction) => {
      for (const step of migrations) await step(opened, transaction as never)
    },
  })
  const items = [newItem(), newItem({ intent: 'pay' })].map(({ body, ...item }, index) => {
    const stored = { ...item, seq: index + 1, state: 'saved' as const, bodyBytes: String(body).length }
    return { stored, row: { ...stored, body } }
  })
  for (const { row } of items) await database.add('items', row)
  database.close()
  return items.map(({ stored }) => stored)
}

const saved = { owner: 'ada', states: ['saved'], limit: 100 } as const
const later: Migration = (_, upgrade) => void upgrade.objectStore('items').createIndex('later' as never, 'queue')

describe('a store in IndexedDB', () => {
  for (const { name, run } of outboxStoreCases) test(name, () => run(openStore()))

  test('says that it is durable', () => expect(openStore().isDurable).toBe(true))

  test('keeps what was added for the next program, and never gives a place twice', async () => {
    const name = databaseName()
    const first = openStore({ name })
    const [kept, removed] = await first.add([newItem({ intent: 'pay' }), newItem()])
    await first.remove([removed!.id], 'strict')
    first.close()
    const second = openStore({ name })
    expect(await second.list(saved)).toEqual([kept])
    const [next] = await second.add([newItem()])
    expect(next!.seq).toBeGreaterThan(removed!.seq)
  })

  test('adds strictly, and resolves only when the transaction is complete', async () => {
    const steps: string[] = []
    const begin = IDBDatabase.prototype.transaction
    const begun = vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(function (
      this: IDBDatabase,
      ...parameters
    ) {
      const transaction: IDBTransaction = begin.apply(this, parameters)
      transaction.addEventListener('complete', () => steps.push('complete'))
      return transaction
    })
    onTestFinished(() => begun.mockRestore())
    const store = openStore()
    const [item] = await store.add([newItem()])
    steps.push('resolved')
    expect(steps).toEqual(['complete', 'resolved'])
    await store.list(saved)
    await store.change([{ id: item!.id, from: ['saved'], to: 'accepted' }], 'relaxed')
    await store.remove([item!.id], 'strict')
    const durabilities = begun.mock.results.map(({ value }) => value.durability)
    expect(durabilities).toEqual(['strict', 'default', 'relaxed', 'strict'])
  })

  test('counts without loading values, and loads no more items than a page has', async () => {
    const store = openStore()
    await store.add(Array.from({ length: 2000 }, () => newItem()))
    const loads = (['get', 'getAll', 'openCursor'] as const).flatMap((method) => [
      vi.spyOn(IDBIndex.prototype, method),
      vi.spyOn(IDBObjectStore.prototype, method),
    ])
    onTestFinished(() => void vi.restoreAllMocks())
    expect((await store.counts('ada')).saved).toBe(2000)
    // The notes of acceptances are read along. There are few of them.
    const limits = () =>
      loads.flatMap(({ mock }) =>
        mock.calls
          .filter((_, at) => (mock.contexts[at] as IDBObjectStore | IDBIndex).name !== 'notes')
          .map(([, limit]) => limit),
      )
    expect(limits()).toEqual([])
    const page = await store.list({ owner: 'ada', states: ['saved', 'parked'], limit: 50 })
    expect(page).toHaveLength(50)
    expect(limits()).toEqual([50, 50])
  })

  test('notes many acceptances in one row, which costs no change of an item, and folds them later', async () => {
    // Everything but a deadline comes at once.
    const setTimer = (fn: () => void, ms: number) => {
      const timer = setTimeout(fn, ms < 5000 ? 0 : ms)
      return () => clearTimeout(timer)
    }
    const store = openStore({ platform: { setTimer } })
    const items = await store.add(Array.from({ length: 250 }, () => newItem()))
    const put = vi.spyOn(IDBObjectStore.prototype, 'put')
    const add = vi.spyOn(IDBObjectStore.prototype, 'add')
    onTestFinished(() => void vi.restoreAllMocks())
    await store.accept(items)
    expect([add.mock.calls.length, put.mock.calls.length]).toEqual([1, 0])
    const listed = { owner: 'ada', states: ['accepted'], limit: 300 } as const
    const before = await store.list(listed)
    expect(before.map(({ id }) => id)).toEqual(items.map(({ id }) => id))
    await vi.waitUntil(() => put.mock.calls.length === 250, { timeout: 10_000 })
    expect(await store.list(listed)).toEqual(before)
    expect((await store.counts('ada')).accepted).toBe(250)
  })

  test('what another program has noted is known to the next one', async () => {
    const name = databaseName()
    const first = openStore({ name })
    const items = await first.add(Array.from({ length: 20 }, () => newItem()))
    await first.accept(items)
    first.close()
    const second = openStore({ name })
    expect(await second.counts('ada')).toMatchObject({ saved: 0, accepted: 20 })
    expect(await second.list(saved)).toEqual([])
  })

  test('stores a view of bytes without the rest of its buffer', async () => {
    const store = openStore()
    const frame = new Uint8Array(10_000).fill(7)
    const [item] = await store.add([newItem({ body: { bytes: frame.subarray(5, 8) } })])
    const [body] = await store.bodies([item!.id])
    expect(body).toMatchObject({ bytes: new Uint8Array([7, 7, 7]) })
    expect((body as { bytes: Uint8Array }).bytes.buffer.byteLength).toBe(3)
    await store.change([{ id: item!.id, from: ['saved'], to: 'done', result: frame.subarray(0, 1) }], 'relaxed')
    expect(((await store.result(item!.id))!.value as Uint8Array).buffer.byteLength).toBe(1)
  })
})

describe('when the browser ends the connection', () => {
  test('case 1: a closed handle is opened again, and the call succeeds', async () => {
    const { opened, factory } = watchedFactory()
    const store = openStore({ factory })
    await store.add([newItem()])
    // With the event, and without it.
    opened[0]!.close()
    opened[0]!.dispatchEvent(new Event('close'))
    expect((await store.counts('ada')).saved).toBe(1)
    opened[1]!.close()
    await store.add([newItem()])
    expect((await store.counts('ada')).saved).toBe(2)
    expect(opened).toHaveLength(3)
  })

  test('case 1: an aborted transaction is run again, and stores nothing twice', async () => {
    const { opened, factory } = watchedFactory()
    const store = openStore({ factory })
    await store.counts('ada')
    const [database] = opened
    let aborted = 0
    database!.transaction = (...parameters) => {
      const transaction = IDBDatabase.prototype.transaction.apply(database, parameters)
      aborted += 1
      queueMicrotask(() => transaction.abort())
      return transaction
    }
    const items = [newItem(), newItem()]
    const calls = await Promise.all([store.add(items), store.add(items), store.add([newItem()])])
    expect(aborted).toBe(3)
    expect(calls[0]).toEqual(calls[1])
    expect((await store.counts('ada')).saved).toBe(3)
    expect(opened).toHaveLength(2)
  })

  test('case 2: a server that stays lost is not asked in a loop, and the next call heals', async () => {
    const { opened, factory } = watchedFactory()
    const states: string[] = []
    const store = openStore({ factory, onState: (state) => states.push(state) })
    const lost = vi.spyOn(IDBDatabase.prototype, 'transaction').mockImplementation(() => {
      throw new DOMException(
        'Connection to Indexed Database server lost. Refresh the page to try again',
        'UnknownError',
      )
    })
    onTestFinished(() => lost.mockRestore())
    const opensOfCalls: number[] = []
    for (let call = 0; call < 5; call += 1) {
      const before = opened.length
      await expect(store.add([newItem()])).rejects.toMatchObject({
        code: 'store_failed',
        message: expect.stringContaining('server lost'),
      })
      opensOfCalls.push(opened.length - before)
    }
    expect(opensOfCalls).toEqual([2, 2, 2, 1, 1])
    lost.mockRestore()
    await store.add([newItem()])
    expect((await store.counts('ada')).saved).toBe(1)
    expect(states).toEqual(['store_failed', 'ok'])
  })

  test('case 3: a backing store that cannot be opened gives a documented error, and heals by itself', async () => {
    let isBroken = true
    let opens = 0
    const name = databaseName()
    const factory = {
      open: (wanted: string, version?: number) => {
        opens += 1
        if (isBroken) throw new DOMException('Internal error opening backing store', 'UnknownError')
        return indexedDB.open(wanted, version)
      },
    } as IDBFactory
    const store = openStore({ name, factory: () => factory })
    await expect(store.counts('ada')).rejects.toMatchObject({ code: 'store_unavailable' })
    expect(opens).toBe(2)
    isBroken = false
    expect((await store.counts('ada')).saved).toBe(0)
  })
})

describe('when versions of the program meet', () => {
  test('case 5: an upgrade that another tab blocks says so while it waits, ends in time, and goes on later', async () => {
    const name = databaseName()
    const first = openStore({ name })
    await first.add([newItem()])
    first.close()
    const tab = await oldTab(name, MIGRATIONS.length)
    onTestFinished(() => tab.close())
    const { fire, ...platform } = manualTimers()
    const states: string[] = []
    const migrations = [...MIGRATIONS, later]
    const store = openStore({ name, migrations, platform, onState: (state) => states.push(state) })
    for (let call = 0; call < 2; call += 1) {
      const counting = store.counts('ada')
      await vi.waitUntil(() => states.includes('store_blocked'))
      fire()
      await expect(counting).rejects.toMatchObject({ code: 'store_blocked' })
    }
    const waiting = store.counts('ada')
    tab.close()
    expect((await waiting).saved).toBe(1)
    expect(states).toEqual(['store_blocked', 'ok'])
  })

  test('case 6: an older tab makes room for an upgrade by itself, and then says that it is too old', async () => {
    const name = databaseName()
    const older = openStore({ name })
    const items = await older.add([newItem(), newItem()])
    const newer = openStore({ name, migrations: [...MIGRATIONS, later] })
    expect(await newer.list(saved)).toEqual(items)
    await expect(older.list(saved)).rejects.toMatchObject({ code: 'store_newer' })
    await expect(older.add([newItem()])).rejects.toBeInstanceOf(OutboxError)
    expect(await newer.list(saved)).toEqual(items)
  })

  test.each([0, 1, 2, 3])('case 7: what version %i has stored survives the upgrade', async (from) => {
    const label: Migration = async (_, upgrade) => {
      let cursor = await upgrade.objectStore('items').openCursor()
      while (cursor !== null) {
        await cursor.update({ ...cursor.value, label: 'upgraded' })
        cursor = await cursor.continue()
      }
    }
    const migrations = [...MIGRATIONS, later, label]
    const name = databaseName()
    const items = from === 0 ? [] : await storedByVersion(name, migrations.slice(0, from))
    const after = openStore({ name, migrations })
    expect(await after.list(saved)).toEqual(items.map((item) => ({ ...item, label: 'upgraded' })))
    expect((await after.bodies(items.map(({ id }) => id))).every((body) => typeof body === 'string')).toBe(true)
    expect(await after.add([newItem()])).toHaveLength(1)
  })

  test('case 7: an upgrade that fails leaves everything as it was', async () => {
    const name = databaseName()
    const before = openStore({ name })
    const items = await before.add([newItem()])
    before.close()
    const broken: Migration = async (_, upgrade) => {
      await upgrade.objectStore('items').clear()
      throw new Error('the second step failed')
    }
    const upgrading = openStore({ name, migrations: [...MIGRATIONS, broken] })
    await expect(upgrading.list(saved)).rejects.toMatchObject({
      code: 'store_failed',
      message: expect.stringContaining('the second step failed'),
    })
    upgrading.close()
    expect(await openStore({ name }).list(saved)).toEqual(items)
  })
})

describe('when storage does not answer', () => {
  test('case 8: an opening that never settles is tried again once', async () => {
    const stuck = databaseName()
    const holder = await oldTab(stuck, 1)
    // What comes after it waits in the browser without an event, for as long as this one is blocked.
    const upgrade = indexedDB.open(stuck, 2)
    let opens = 0
    const factory = {
      open: (name: string, version?: number) => {
        opens += 1
        return indexedDB.open(opens === 1 ? stuck : name, version)
      },
    } as IDBFactory
    const timers = manualTimers()
    const store = openStore({ factory: () => factory, platform: timers })
    const counting = store.counts('ada')
    await vi.waitUntil(() => timers.count === 1)
    timers.fire()
    expect((await counting).saved).toBe(0)
    expect(opens).toBe(2)
    await new Promise((resolve) => {
      upgrade.onsuccess = resolve
      holder.close()
    })
    upgrade.result.close()
  })

  test('case 8: one that never settles at all gives the documented error', async () => {
    const name = databaseName()
    const holder = await oldTab(name, 1)
    onTestFinished(() => holder.close())
    const upgrade = indexedDB.open(name, MIGRATIONS.length + 1)
    const { fire, ...platform } = manualTimers()
    const store = openStore({ name, platform })
    const counting = store.counts('ada')
    const firing = setInterval(fire, 5)
    onTestFinished(() => clearInterval(firing))
    await expect(counting).rejects.toMatchObject({ code: 'store_timeout' })
    await new Promise((resolve) => {
      upgrade.onsuccess = resolve
      holder.close()
    })
    upgrade.result.close()
    clearInterval(firing)
    await expect(store.counts('ada')).rejects.toMatchObject({ code: 'store_newer' })
  })

  test('a transaction that never ends is aborted, and the call goes on with a new connection', async () => {
    const { opened, factory } = watchedFactory()
    const timers = manualTimers()
    const store = openStore({ factory, platform: timers })
    await store.add([newItem()])
    const [database] = opened
    // Keeps the stores locked by asking for more again and again.
    const lock = database!.transaction(['items', 'bodies', 'results'], 'readwrite')
    const hold = (): void => {
      lock.objectStore('items').count().onsuccess = hold
    }
    hold()
    const adding = store.add([newItem()])
    await vi.waitUntil(() => timers.count === 1)
    timers.fire()
    await vi.waitUntil(() => timers.count > 0 || opened.length > 1)
    lock.abort()
    await adding
    expect((await store.counts('ada')).saved).toBe(2)
  })
})

describe('when a browser gives no storage', () => {
  test.each([
    ['no IndexedDB', () => undefined],
    [
      'blocked cookies',
      () => {
        throw new DOMException('The operation is insecure.', 'SecurityError')
      },
    ],
    [
      'a private window',
      () => {
        throw new DOMException('A mutation operation was attempted on a database.', 'InvalidStateError')
      },
    ],
  ])('case 43: %s is told by its code, at once', async (_, fail) => {
    let asked = 0
    const factory = () => {
      asked += 1
      return fail()
    }
    const states: string[] = []
    const store = openStore({ factory, onState: (state) => states.push(state) })
    await expect(store.add([newItem()])).rejects.toMatchObject({ code: 'store_unavailable' })
    expect([asked, states]).toEqual([1, ['store_unavailable']])
  })
})
