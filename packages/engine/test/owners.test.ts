import { expect, test } from 'vitest'
import { createState, engineConfig, replay } from '../src/index.ts'
import { checkState, describeState } from '../src/invariants.ts'
import { Harness, refusalsOf } from './harness.ts'

const config = { principalTasksMax: 2 }

test('[SUBMIT-9] a principal holds no more unfinished tasks than its bound, over all queues; others are not touched', () => {
  const harness = new Harness({ config })
  harness.submit('a', undefined, { owner: 'ada', queue: 'q' })
  const events = harness.submit(['b', 'c', 'd'], undefined, { owner: 'ada', queue: 'r' })
  expect(refusalsOf(events)).toEqual([
    ['busy', 1],
    ['busy', 2],
  ])
  expect(events.find(({ type }) => type === 'refused')).toMatchObject({
    field: 'principal',
    limit: 2,
    retryAfterMs: expect.any(Number),
    message: expect.stringContaining('principalTasksMax'),
  })
  expect(refusalsOf(harness.submit(['e', 'f'], undefined, { owner: 'eve' }))).toEqual([])
  expect(refusalsOf(harness.submit(['g', 'h', 'i']))).toEqual([])
})

test('[SUBMIT-9] what is finished makes room, and what is redriven takes it', () => {
  const harness = new Harness({ config })
  const held = () => harness.state.unfinishedOf.get('ada')
  harness.submit(['a', 'b'], { retry: { kind: 'none' } }, { owner: 'ada' })
  harness.worker('w')
  harness.dispatch()
  expect(held()).toBe(2)
  harness.complete('w', harness.leaseOf('a'))
  expect(held()).toBe(1)
  harness.fail('w', harness.leaseOf('b'))
  expect(held()).toBeUndefined()
  harness.apply({ type: 'redrive', ids: ['b'] })
  expect(held()).toBe(1)
  harness.apply({ type: 'cancel', session: undefined, ref: 1, ids: ['b'] })
  expect(harness.state.unfinishedOf.size).toBe(0)
  harness.submit(['c', 'd'], undefined, { owner: 'ada' })
  expect(held()).toBe(2)
})

test('[SUBMIT-9] a replay counts what was counted', () => {
  const harness = new Harness({ config })
  harness.submit(['a', 'b'], undefined, { owner: 'ada' })
  harness.submit(['c'], undefined, { owner: 'eve' })
  harness.apply({ type: 'cancel', session: undefined, ref: 1, ids: ['a'] })
  const again = createState(engineConfig(config))
  for (const event of harness.events) replay(again, event)
  expect(describeState(again).unfinishedOf).toEqual([
    ['ada', 1],
    ['eve', 1],
  ])
})

test('[SUBMIT-9] a dead letter is not made ready again where its owner has no room for it', () => {
  const harness = new Harness({ config })
  const once = { retry: { kind: 'none' } } as const
  harness.submit(['a', 'b'], once, { owner: 'ada' })
  harness.worker('w')
  harness.dispatch()
  for (const id of ['a', 'b']) harness.fail('w', harness.leaseOf(id))
  harness.submit('c', undefined, { owner: 'ada' })
  const events = harness.apply({ type: 'redrive', ids: ['a', 'b'] })
  expect(events.map(({ type }) => type)).toEqual(['taskRedriven', 'refused'])
  expect(events[1]).toMatchObject({ code: 'busy', limit: 2, message: expect.stringContaining('principalTasksMax') })
  expect(harness.state.unfinishedOf.get('ada')).toBe(2)
  checkState(harness.state)
})

test('[RESULT-6] a principal watches a bounded number of tasks over all its sessions; a session that ends makes room', () => {
  const harness = new Harness({ config: { principalWatchesMax: 3 } })
  harness.submit(['a', 'b', 'c', 'd'], { delayMs: 1000 })
  for (const [session, owner] of Object.entries({ one: 'ada', two: 'ada', other: 'eve', nobody: undefined }))
    harness.apply({ type: 'openSession', session, roles: ['producer'], owner })
  const watch = (session: string, ...ids: string[]) => harness.apply({ type: 'watch', session, ref: 1, ids })
  expect(refusalsOf(watch('one', 'a', 'b'))).toEqual([])
  const events = watch('two', 'a', 'b')
  expect(refusalsOf(events)).toEqual([['busy', 1]])
  expect(events.find(({ type }) => type === 'refused')).toMatchObject({
    field: 'principal',
    limit: 3,
    message: expect.stringContaining('principalWatchesMax'),
  })
  for (const session of ['other', 'nobody']) expect(refusalsOf(watch(session, 'a', 'b', 'c'))).toEqual([])
  harness.apply({ type: 'closeSession', session: 'one' })
  expect(harness.state.watchesOf.get('ada')).toBe(1)
  expect(refusalsOf(watch('two', 'b', 'c'))).toEqual([])
  harness.apply({ type: 'cancel', session: undefined, ref: 1, ids: ['a'] })
  harness.apply({ type: 'unwatch', session: 'two', ids: ['b'] })
  checkState(harness.state)
  const again = createState(engineConfig({ principalWatchesMax: 3 }))
  for (const event of harness.events) replay(again, event)
  expect(describeState(again).watchesOf).toEqual(describeState(harness.state).watchesOf)
})
