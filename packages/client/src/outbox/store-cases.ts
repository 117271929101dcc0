import type { NewItem, OutboxItem } from './item.ts'
import { OutboxError } from './outbox-error.ts'
import type { ItemQuery, OutboxStore } from './store.ts'

/** One thing that every store has to do. `run` rejects with a reason if `store` does not. */
export interface StoreCase {
  name: string
  run(store: OutboxStore): Promise<void>
}

let made = 0

/** An item of its own for each call. */
function newItem(fields: Partial<NewItem> = {}): NewItem {
  made += 1
  const id = `01890a5d-ac96-774b-bcce-${made.toString(16).padStart(12, '0')}`
  return { version: 1, inputVersion: 1, id, owner: 'ada', queue: 'photos.resize', body: `{"n":${made}}`, ...fields }
}

function check(holds: boolean, message: string): asserts holds {
  if (!holds) throw new Error(message)
}

function equal(found: unknown, wanted: unknown, what: string): void {
  const [left, right] = [JSON.stringify(found), JSON.stringify(wanted)]
  check(left === right, `${what} is ${left}, not ${right}`)
}

const ids = (items: readonly (OutboxItem | undefined)[]): (string | undefined)[] => items.map((item) => item?.id)

const states = (items: readonly (OutboxItem | undefined)[]): (string | undefined)[] => items.map((item) => item?.state)

/**
 * The contract of an `OutboxStore`, for the tests of a store of your own. Each case needs a new, empty store:
 * `for (const { name, run } of outboxStoreCases) test(name, async () => run(await openStore()))`.
 */
export const outboxStoreCases: readonly StoreCase[] = [
  {
    name: 'keeps items in the order in which they were added',
    async run(store) {
      const items = Array.from({ length: 5 }, () => newItem())
      const added = await store.add(items)
      equal(ids(added), ids(items as unknown as OutboxItem[]), 'the list of added items')
      for (const [index, item] of added.entries()) {
        check(item.state === 'saved', `the state of a new item is ${item.state}`)
        check(index === 0 || item.seq > added[index - 1]!.seq, 'seq does not grow')
        check(!('body' in item), 'an item carries its body')
      }
      equal(ids(await store.list({ owner: 'ada', states: ['saved'], limit: 10 })), ids(added), 'the list')
      equal(ids(await store.get([items[3]!.id, 'none'])), [items[3]!.id, undefined], 'what get returns')
    },
  },
  {
    name: 'lists page by page, by owner and by state',
    async run(store) {
      const mine = await store.add([newItem(), newItem(), newItem()])
      await store.add([newItem({ owner: 'bob' })])
      const page = await store.list({ owner: 'ada', states: ['saved'], limit: 2 })
      equal(ids(page), ids(mine.slice(0, 2)), 'the first page')
      const rest = await store.list({ owner: 'ada', states: ['saved'], after: page[1]!.seq, limit: 2 })
      equal(ids(rest), ids(mine.slice(2)), 'the second page')
      await store.change([{ id: mine[1]!.id, from: ['saved'], to: 'accepted' }], 'relaxed')
      const both = await store.list({ owner: 'ada', states: ['accepted', 'saved'], limit: 9 })
      equal(ids(both), ids(mine), 'the list of two states')
      equal((await store.owners()).sort(), ['ada', 'bob'], 'the list of owners')
    },
  },
  {
    name: 'lists the newest first where that is asked for',
    async run(store) {
      const items = await store.add(Array.from({ length: 5 }, () => newItem()))
      await store.change([{ id: items[3]!.id, from: ['saved'], to: 'accepted' }], 'relaxed')
      const newest = await store.list({ owner: 'ada', states: ['saved', 'accepted'], limit: 3, isNewestFirst: true })
      equal(ids(newest), ids([items[4], items[3], items[2]]), 'the list')
    },
  },
  {
    name: 'keeps texts and bytes as they were',
    async run(store) {
      const bytes = new Uint8Array([0, 1, 255])
      const [text, binary] = await store.add([
        newItem({ body: '{"ä":"😀"}' }),
        newItem({ body: { bytes, contentType: 'image/png' } }),
      ])
      const [one, two, none] = await store.bodies([text!.id, binary!.id, 'none'])
      equal(one, '{"ä":"😀"}', 'the text')
      check(two !== undefined && typeof two !== 'string', 'bytes came back as another kind')
      equal([[...two.bytes], two.contentType], [[0, 1, 255], 'image/png'], 'the bytes')
      check(none === undefined, 'there is a body without an item')
    },
  },
  {
    name: 'keeps options, key, intent and label',
    async run(store) {
      const fields = { options: { priority: 3 }, orderingKey: 'k', intent: 'order 7', label: { file: 'a.jpg' } }
      const [item] = await store.add([newItem({ ...fields, inputVersion: 4 })])
      const [held] = await store.get([item!.id])
      const { options, orderingKey, intent, label, inputVersion } = held!
      equal({ options, orderingKey, intent, label, inputVersion }, { ...fields, inputVersion: 4 }, 'the item')
    },
  },
  {
    name: 'stores an id once, and an intent of one owner once',
    async run(store) {
      const first = newItem({ intent: 'pay' })
      await store.add([first])
      const [sameId] = await store.add([{ ...newItem(), id: first.id }])
      equal(sameId?.queue, first.queue, 'the item with that id')
      const [sameIntent, own] = await store.add([newItem({ intent: 'pay' }), newItem({ intent: 'pay', owner: 'bob' })])
      equal(sameIntent?.id, first.id, 'the item with that intent')
      check(own?.owner === 'bob', 'the intent of another owner counts')
      const [one, two] = await store.add([newItem({ intent: 'x' }), newItem({ intent: 'x' })])
      equal(one?.id, two?.id, 'the items of one intent in one call')
      equal((await store.counts('ada')).saved, 2, 'the number of items')
    },
  },
  {
    name: 'applies a change only from the states it names, and once',
    async run(store) {
      const [item] = await store.add([newItem()])
      const claim = { id: item!.id, from: ['saved'] as const, to: 'accepted' as const }
      const won = await Promise.all([store.change([claim], 'relaxed'), store.change([claim], 'relaxed')])
      equal(won.filter(([changed]) => changed !== undefined).length, 1, 'the number of winners')
      equal(ids(await store.change([{ ...claim, id: 'none' }], 'relaxed')), [undefined], 'the change of nothing')
      equal((await store.get([item!.id]))[0]?.state, 'accepted', 'the state')
    },
  },
  {
    name: 'changes one item twice in one call, the second time from where the first has led',
    async run(store) {
      const [item, other] = await store.add([newItem(), newItem()])
      const both = await store.change(
        [
          { id: item!.id, from: ['saved'], to: 'accepted' },
          { id: item!.id, from: ['accepted'], to: 'done', result: 7 },
          { id: other!.id, from: ['saved'], to: 'cancelling' },
          { id: other!.id, from: ['saved'], to: 'accepted' },
        ],
        'relaxed',
      )
      equal(states(both), ['accepted', 'done', 'cancelling', undefined], 'what was applied')
      equal(states(await store.get([item!.id, other!.id])), ['done', 'cancelling'], 'what is stored')
      equal(await store.result(item!.id), { value: 7 }, 'the result')
      equal(await store.bodies([item!.id]), [undefined], 'the body')
    },
  },
  {
    name: 'takes many acceptances at once, of what is saved and of nothing else',
    async run(store) {
      const items = await store.add(Array.from({ length: 40 }, () => newItem({ intent: `intent ${made}` })))
      const [cancelled, parked, removed, done, ...rest] = items as [OutboxItem, OutboxItem, OutboxItem, OutboxItem]
      const kept = rest.pop() as unknown as OutboxItem
      const others = rest as readonly OutboxItem[]
      const error = { code: 'too_large', message: 'too large' }
      await store.change([{ id: cancelled.id, from: ['saved'], to: 'cancelling' }], 'strict')
      await store.change([{ id: parked.id, from: ['saved'], to: 'parked', error }], 'strict')
      await store.remove([removed.id], 'strict')
      for (let time = 0; time < 2; time += 1) await store.accept(items.filter((item) => item !== kept).reverse())
      await store.accept([])
      const { saved, accepted, cancelling } = await store.counts('ada')
      equal({ saved, accepted, cancelling }, { saved: 1, accepted: 36, cancelling: 1 }, 'the counts')
      equal(
        states(await store.get([cancelled.id, parked.id, removed.id, done.id])),
        ['cancelling', 'parked', undefined, 'accepted'],
        'what is stored',
      )
      const list = (query: Partial<ItemQuery>) => store.list({ owner: 'ada', states: ['accepted'], limit: 9, ...query })
      equal(ids(await list({ states: ['saved'], limit: 1 })), [kept.id], 'the list of what is saved')
      equal(ids(await list({ states: ['saved'], isNewestFirst: true })), [kept.id], 'the same, the newest first')
      equal(ids(await list({})), ids([done, ...others].slice(0, 9)), 'the first page')
      equal(ids(await list({ after: others[7]!.seq })), ids(others.slice(8, 17)), 'the second page')
      equal(ids(await list({ isNewestFirst: true, limit: 2 })), ids(others.slice(-2).reverse()), 'the newest')
      equal(states(await list({ limit: 2 })), ['accepted', 'accepted'], 'what the list says')
      const [same] = await store.add([newItem({ intent: done.intent! })])
      equal([same?.id, same?.state], [done.id, 'accepted'], 'the item of that intent')
      const changed = await store.change(
        [
          { id: done.id, from: ['saved'], to: 'cancelled' },
          { id: done.id, from: ['accepted'], to: 'done', result: null },
          { id: others[0]!.id, from: ['accepted'], to: 'saved' },
          { id: parked.id, from: ['parked'], to: 'saved' },
        ],
        'strict',
      )
      equal(states(changed), [undefined, 'done', 'saved', 'saved'], 'what was applied')
      equal(ids(await list({ states: ['saved'] })), ids([parked, others[0], kept]), 'what is saved again')
      equal((await store.counts('ada')).accepted, 34, 'the number of accepted items')
    },
  },
  {
    name: 'keeps and removes the error of an item',
    async run(store) {
      const [item] = await store.add([newItem()])
      const error = { code: 'too_large', message: 'too large', limit: 7 }
      const [parked] = await store.change([{ id: item!.id, from: ['saved'], to: 'parked', error }], 'strict')
      equal(parked?.error, error, 'the error')
      const [again] = await store.change([{ id: item!.id, from: ['parked'], to: 'saved' }], 'strict')
      check(again !== undefined && !('error' in again), 'the error is kept')
      equal((await store.bodies([item!.id]))[0] === undefined, false, 'whether the body is gone')
    },
  },
  {
    name: 'keeps a result and drops the body of what has ended',
    async run(store) {
      const [json, bytes, nothing, dead] = await store.add([newItem(), newItem(), newItem(), newItem()])
      await store.change(
        [
          { id: json!.id, from: ['saved'], to: 'done', result: { a: [1, null] } },
          { id: bytes!.id, from: ['saved'], to: 'done', result: new Uint8Array([7]) },
          { id: nothing!.id, from: ['saved'], to: 'done', result: null },
          { id: dead!.id, from: ['saved'], to: 'failed', error: { code: 'not_retryable', message: 'no' } },
        ],
        'relaxed',
      )
      equal(await store.result(json!.id), { value: { a: [1, null] } }, 'the result')
      const held = await store.result(bytes!.id)
      check(held?.value instanceof Uint8Array && held.value[0] === 7, 'bytes came back as another kind')
      equal(await store.result(nothing!.id), { value: null }, 'the result null')
      check((await store.result(dead!.id)) === undefined, 'a failed item has a result')
      equal(await store.bodies([json!.id, dead!.id]), [undefined, undefined], 'the bodies')
      const { done, failed, saved } = await store.counts('ada')
      equal({ done, failed, saved }, { done: 3, failed: 1, saved: 0 }, 'the counts')
    },
  },
  {
    name: 'replaces a body and its version together',
    async run(store) {
      const [item] = await store.add([newItem()])
      const body = { bytes: new Uint8Array([1, 2, 3]) }
      await store.change([{ id: item!.id, from: ['saved'], to: 'saved', body, inputVersion: 9 }], 'strict')
      const [[held], [found]] = await Promise.all([store.bodies([item!.id]), store.get([item!.id])])
      check(typeof held === 'object' && held.bytes.length === 3, 'the body is the old one')
      equal([found?.inputVersion, found?.bodyBytes], [9, 3], 'version and size')
    },
  },
  {
    name: 'removes items with all that belongs to them',
    async run(store) {
      const [item, other] = await store.add([newItem({ intent: 'i' }), newItem()])
      await store.remove([item!.id, 'none'], 'strict')
      equal(ids(await store.get([item!.id, other!.id])), [undefined, other!.id], 'what is left')
      equal(await store.bodies([item!.id]), [undefined], 'the body')
      const [again] = await store.add([newItem({ intent: 'i' })])
      check(again!.id !== item!.id, 'the intent of a removed item is still taken')
    },
  },
  {
    name: 'prunes the oldest of what has ended, and nothing else',
    async run(store) {
      const items = await store.add([newItem(), newItem(), newItem(), newItem(), newItem({ owner: 'bob' })])
      const end = (item: OutboxItem) => ({ id: item.id, from: ['saved'] as const, to: 'cancelled' as const })
      await store.change([items[0]!, items[2]!, items[3]!, items[4]!].map(end), 'relaxed')
      equal(await store.prune('ada', 2), [items[0]!.id], 'what was pruned')
      equal(await store.prune('ada', 2), [], 'what is pruned again')
      const { saved, cancelled } = await store.counts('ada')
      equal({ saved, cancelled }, { saved: 1, cancelled: 2 }, 'the counts')
      equal((await store.counts('bob')).cancelled, 1, 'the count of another owner')
    },
  },
  {
    name: 'adds many items at once and in parallel, each with a place of its own',
    async run(store) {
      const calls = Array.from({ length: 8 }, () => Array.from({ length: 50 }, () => newItem()))
      const added = (await Promise.all(calls.map((items) => store.add(items)))).flat()
      equal(new Set(added.map(({ seq }) => seq)).size, 400, 'the number of places')
      equal((await store.list({ owner: 'ada', states: ['saved'], limit: 1000 })).length, 400, 'the number of items')
    },
  },
  {
    name: 'rejects with `closed` once it is closed',
    async run(store) {
      store.close()
      store.close()
      const error = await store.counts('ada').catch((thrown: unknown) => thrown)
      check(error instanceof OutboxError && error.code === 'closed', `it gives ${String(error)}`)
    },
  },
]
