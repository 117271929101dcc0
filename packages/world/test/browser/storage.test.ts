import type { NewItem, OutboxError, OutboxStore } from '@sluice/client/outbox'
import { outboxStoreCases } from '@sluice/client/outbox/store-cases'
import { settled } from '@sluice/testing'
import { describe, expect, test } from 'vitest'
import { SimulatedStorage, type StorageTrouble } from '../../src/browser/storage.ts'
import { Process } from '../../src/nodes/process.ts'
import { makeContext } from '../surroundings.ts'

const machine = { clockOffsetMs: 0, lateMs: 0, resumesAtMs: 0 }

function makeStorage(seed = 1) {
  const { context, clock, seen } = makeContext({}, seed)
  const storage = new SimulatedStorage(context, 'browser-1', { kind: 'constant', value: 2 })
  const process = new Process(context, 'tab-1', 1, machine)
  const run = async <T>(call: Promise<T>): Promise<T> => {
    const call$ = call.finally(() => {
      isOver = true
    })
    call$.catch(() => {})
    let isOver = false
    await settled()
    while (!isOver && clock.step()) await settled()
    return call$
  }
  return { storage, process, clock, seen, run }
}

/** The store, with time that passes while somebody waits for it. */
function running(store: OutboxStore, run: <T>(call: Promise<T>) => Promise<T>): OutboxStore {
  const methods = Object.entries(store).map(([name, member]) => [
    name,
    typeof member !== 'function' || name === 'close'
      ? member
      : (...args: unknown[]) => run((member as (...all: unknown[]) => Promise<unknown>)(...args)),
  ])
  return Object.fromEntries(methods) as OutboxStore
}

describe('a simulated storage', () => {
  for (const { name, run: runCase } of outboxStoreCases)
    test(`is an outbox store: it ${name}`, async () => {
      const { storage, process, run } = makeStorage()
      await runCase(running(storage.open(process), run))
    })
})

const item = (n: number): NewItem => ({
  version: 1,
  inputVersion: 1,
  id: `item ${n}`,
  owner: 'ada',
  queue: 'q',
  body: '1',
})

test('without power, everything up to the last strict transaction is kept, and some of what came after it', async () => {
  const kept = new Set<string>()
  for (let seed = 1; seed <= 30; seed += 1) {
    const { storage, process, run, seen } = makeStorage(seed)
    const store = storage.open(process)
    await run(store.add([item(1), item(2)]))
    await run(store.change([{ id: 'item 1', from: ['saved'], to: 'accepted' }], 'relaxed'))
    await run(store.change([{ id: 'item 1', from: ['accepted'], to: 'done', result: 1 }], 'strict'))
    await run(store.change([{ id: 'item 2', from: ['saved'], to: 'accepted' }], 'relaxed'))
    await run(store.remove(['item 2'], 'relaxed'))
    storage.losePower()
    const [first, second] = await run(store.get(['item 1', 'item 2']))
    expect(first?.state).toBe('done')
    kept.add(String(second?.state))
    const told = seen.findLast(({ type }) => type === 'storeReverted')
    expect(told).toEqual(
      second === undefined
        ? undefined
        : expect.objectContaining({ items: [expect.objectContaining({ state: second.state })] }),
    )
  }
  expect([...kept].toSorted()).toEqual(['accepted', 'saved', 'undefined'])
})

test('what a tab had begun when it ended, or when the power failed, has happened or not, and nobody is told', async () => {
  const outcomes = new Set<number>()
  for (let seed = 1; seed <= 20; seed += 1) {
    const { storage, process, clock } = makeStorage(seed)
    let isTold = false
    void storage
      .open(process)
      .add([item(1)])
      .then(() => {
        isTold = true
      })
    process.kill()
    while (clock.step()) await settled()
    outcomes.add(storage.pending.length)
    expect(isTold).toBe(false)
  }
  expect([...outcomes].toSorted()).toEqual([0, 1])
  const { storage, process, clock } = makeStorage()
  void storage.open(process).add([item(1)])
  storage.losePower()
  while (clock.step()) await settled()
  expect(storage.pending).toEqual([])
})

test.each<[StorageTrouble, string, string | undefined]>([
  ['full', 'store_full', undefined],
  ['silent', 'store_timeout', 'store_timeout'],
  ['unavailable', 'store_unavailable', 'store_unavailable'],
])('a storage that is %s refuses what it cannot do, as long as that lasts', async (how, adding, reading) => {
  const { storage, process, clock, run } = makeStorage()
  const store = storage.open(process)
  const end = storage.trouble(how)
  const codeOf = (call: Promise<unknown>) =>
    run(call).then(
      () => undefined,
      (error: unknown) => (error as OutboxError).code,
    )
  expect(await codeOf(store.add([item(1)]))).toBe(adding)
  expect(clock.nowMs >= 5000).toBe(how === 'silent')
  expect(await codeOf(store.get(['item 1']))).toBe(reading)
  end()
  expect(storage.pending).toEqual([])
  expect(await codeOf(store.add([item(1)]))).toBe(undefined)
  expect(storage.pending).toEqual(['item 1'])
})
