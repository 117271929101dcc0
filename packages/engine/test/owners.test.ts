import { expect, test } from 'vitest'
import { createState, engineConfig, replay } from '../src/index.ts'
import { describeState } from '../src/invariants.ts'
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
