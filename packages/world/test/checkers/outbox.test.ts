import { describe, expect, test } from 'vitest'
import { ItemOutcomes } from '../../src/checkers/item-outcomes.ts'
import { KeyOrder } from '../../src/checkers/key-order.ts'
import { OneItemAnIntent } from '../../src/checkers/one-item-an-intent.ts'
import { SavedIsDurable } from '../../src/checkers/saved-is-durable.ts'
import { SavedItemsAreKept } from '../../src/checkers/saved-items-are-kept.ts'
import type { ObservationBody, StoredItem } from '../../src/observation.ts'
import { accepted, cancelled, died, forgotten, granted, opened, Stream, succeeded } from './stream.ts'

const node = 'browser-1'
const tab = { node: 'tab-1', device: node } as const
type Fields = Partial<Omit<StoredItem, 'id'>>

const item = (id: string, fields: Fields = {}): StoredItem => ({
  id,
  seq: Number(id.slice(1)),
  state: 'saved',
  ...fields,
})
const stored = (
  durability: 'strict' | 'relaxed',
  items: readonly StoredItem[],
  removed: readonly string[] = [],
): ObservationBody => ({ type: 'stored', node, durability, items, removed })
const saves = (id: string, fields: Fields = {}) => stored('strict', [item(id, fields)])
const notes = (id: string, fields: Fields) => stored('relaxed', [item(id, fields)])
const removes = (id: string) => stored('relaxed', [], [id])
const calm = { type: 'calmEnded', unfinished: [], waiting: [] } as const
const told = (id: string, isSaved = true) => ({ type: 'saved', ...tab, id, isSaved }) as const

describe('[OUTBOX-2] what is saved is kept', () => {
  const stream = () => new Stream((sources) => new SavedItemsAreKept(sources))

  test('until the broker has it', () => {
    expect(stream().see(saves('t1'), calm).said).toEqual([
      'item t1 of browser-1 is saved, and the broker does not have it after all faults have ended',
    ])
    expect(stream().see(saves('t1')).append(accepted('t1')).see(calm).said).toEqual([])
    for (const state of ['parked', 'cancelled'] as const)
      expect(stream().see(saves('t1'), notes('t1', { state }), calm).said).toEqual([])
    expect(stream().see(saves('t1'), notes('t1', { state: 'cancelling' }), calm).said).toHaveLength(1)
  })

  test('until it has ended, or somebody discards it', () => {
    const is = (state: StoredItem['state']) => stream().see(saves('t1'), notes('t1', { state }))
    expect(is('accepted').see(removes('t1')).said).toEqual(['browser-1 has removed item t1, which was accepted'])
    expect(is('done').see(removes('t1'), calm).said).toEqual([])
    const discards = { type: 'deciding', node: 'tab-1', id: 't1', what: 'discard' } as const
    expect(is('parked').see(discards, removes('t1'), calm).said).toEqual([])
  })
})

describe('[OUTBOX-1] [OUTBOX-8] what is called saved survives a loss of power', () => {
  const stream = () => new Stream((sources) => new SavedIsDurable(sources))

  test('a submission', () => {
    expect(stream().see(saves('t1'), told('t1')).said).toEqual([])
    expect(stream().see(told('t1')).said).toHaveLength(1)
    expect(stream().see(told('t1', false)).said).toEqual([])
    expect(stream().append(accepted('t1')).see(told('t1')).said).toEqual([])
    expect(stream().see(told('t1', false), told('t1')).said).toEqual([])
    expect(stream().see(notes('t1', {}), told('t1')).said).toEqual([
      'tab-1 was told that item t1 is saved, and a loss of power would lose it',
    ])
  })

  test('a wish to cancel', () => {
    const cancel = { type: 'cancelSaved', node: 'tab-1', id: 't1' } as const
    const wish = (durability: 'strict' | 'relaxed') => stored(durability, [item('t1', { state: 'cancelling' })])
    expect(stream().see(saves('t1'), wish('strict'), cancel).said).toEqual([])
    expect(stream().see(saves('t1'), wish('relaxed'), saves('t2'), cancel).said).toEqual([])
    expect(stream().see(saves('t1'), wish('relaxed'), cancel).said).toEqual([
      'tab-1 was told that its wish to cancel item t1 is saved, and after a loss of power it would be saved',
    ])
    expect(stream().see(told('t1', false), saves('t1'), cancel).said).toEqual([])
  })

  test('and what was not is as it was before', () => {
    const back: ObservationBody = { type: 'storeReverted', node, items: [item('t1')], removed: [] }
    const cancel = { type: 'cancelSaved', node: 'tab-1', id: 't1' } as const
    const stale = stream().see(saves('t1'), notes('t1', { state: 'cancelled' }), back, cancel)
    expect(stale.said).toHaveLength(1)
  })
})

describe('[OUTBOX-10] an intent', () => {
  const intent = 'order 7'
  const stream = () =>
    new Stream((sources) => new OneItemAnIntent(sources)).see(saves('t1', { intent })).append(accepted('t1'))

  test('becomes one task', () => {
    expect(
      stream()
        .see(saves('t2', { intent: 'order 8' }))
        .append(accepted('t2')).said,
    ).toEqual([])
    expect(stream().append(forgotten('t1'), accepted('t1')).said).toEqual([])
    expect(stream().see(saves('t2', { intent })).append(accepted('t2')).said).toEqual([
      'tasks t1 and t2 are accepted for order 7',
    ])
  })

  test('is known as long as its item is kept, and to those who can know it', () => {
    expect(stream().see(removes('t1'), saves('t2', { intent })).append(accepted('t2')).said).toEqual([])
    expect(stream().see(told('t2', false), saves('t2', { intent })).append(accepted('t2')).said).toEqual([])
  })
})

describe('[OUTBOX-5] the items of a key are accepted in their order', () => {
  const orderingKey = 'album'
  const stream = () =>
    new Stream((sources) => new KeyOrder(sources)).see(saves('t1', { orderingKey }), saves('t2', { orderingKey }))

  test('one after the other', () => {
    expect(stream().append(accepted('t1'), accepted('t2')).said).toEqual([])
    expect(stream().append(accepted('t2')).said).toEqual([
      'item t2 was accepted before t1, saved before it with the same ordering key',
    ])
    expect(
      stream()
        .see(saves('t3', { orderingKey: 'other' }))
        .append(accepted('t3')).said,
    ).toEqual([])
    expect(stream().append(accepted('t1')).append(accepted('t2'), accepted('t1')).said).toEqual([])
  })

  test('except for those that were cancelled, parked or removed, or were in memory', () => {
    for (const state of ['cancelling', 'parked'] as const)
      expect(stream().see(notes('t1', { state, orderingKey })).append(accepted('t2')).said).toEqual([])
    const again = stream().see(notes('t1', { state: 'parked', orderingKey }), notes('t1', { orderingKey }))
    expect(again.append(accepted('t2')).said).toEqual([])
    expect(stream().see(removes('t1')).append(accepted('t2')).said).toEqual([])
    expect(stream().see(told('t1', false)).append(accepted('t2')).said).toEqual([])
  })
})

describe('[OUTBOX-2] [OUTBOX-8] an item has the outcome of its task', () => {
  const stream = () => new Stream((sources) => new ItemOutcomes(sources)).see(saves('t1'))
  const held = () => stream().append(accepted('t1'), ...opened('worker-1'), granted('worker-1', 1, 't1'))

  test('as it was recorded', () => {
    expect(
      held()
        .append(succeeded('t1'))
        .see(notes('t1', { state: 'done' }))
        .finish(),
    ).toEqual([])
    expect(held().see(notes('t1', { state: 'done' })).said).toEqual([
      'browser-1 has item t1 as done, and its task has not succeeded',
    ])
    const failed = notes('t1', { state: 'failed', code: 'not_retryable' })
    expect(held().append(died('t1', 'not_retryable')).see(failed).finish()).toEqual([])
    expect(held().append(died('t1', 'lease_expired')).see(failed).said).toHaveLength(1)
  })

  test('and is unknown only if the broker has forgotten it', () => {
    const unknown = notes('t1', { state: 'failed', code: 'unknown_task' })
    const gone = () => held().append(succeeded('t1')).see(unknown)
    expect(gone().append(forgotten('t1')).finish()).toEqual([])
    expect(gone().finish()).toEqual([
      'browser-1 has item t1 as failed, which was not recorded, and the broker has not forgotten its task',
    ])
  })

  test('and is cancelled if its task is, or never was', () => {
    const ended = notes('t1', { state: 'cancelled' })
    expect(held().append(cancelled('t1')).see(ended).finish()).toEqual([])
    expect(stream().see(ended).finish()).toEqual([])
    expect(stream().see(ended).append(accepted('t1')).said).toEqual([
      'task t1 is accepted after its item was cancelled',
    ])
    expect(held().append(succeeded('t1')).see(ended).finish()).toHaveLength(1)
  })
})
