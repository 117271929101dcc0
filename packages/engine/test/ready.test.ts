import { expect, test } from 'vitest'
import { checkState } from '../src/invariants.ts'
import { Harness, only, typesOf } from './harness.ts'

test('[READY-1] a delayed task is delivered once its delay is over, not before', () => {
  const harness = new Harness()
  harness.worker('w')
  harness.submit('a', { delayMs: 100 })
  harness.advance(99)
  expect(harness.dispatch()).toEqual([])
  expect(typesOf(harness.advance(1))).toEqual(['taskReadied'])
  expect(harness.dispatch()).toEqual(['a'])
})

test('[READY-2] higher priorities are delivered first', () => {
  const harness = new Harness()
  for (const priority of [0, 9, 5, 1]) harness.submit(`p${priority}`, { priority })
  harness.worker('w')
  expect(harness.dispatch()).toEqual(['p9', 'p5', 'p1', 'p0'])
})

test('[READY-3] equal priorities are delivered in the order of acceptance', () => {
  const harness = new Harness()
  const ids = Array.from({ length: 30 }, (_, i) => `t${i}`)
  for (const id of ids) harness.submit(id)
  harness.worker('w1', 20)
  harness.worker('w2', 20)
  expect(harness.dispatch()).toEqual(ids)
})

test('[READY-3] delayed tasks are delivered in the order they became ready', () => {
  const harness = new Harness()
  harness.submit('late', { delayMs: 200 })
  harness.submit('soon', { delayMs: 100 })
  harness.advance(100)
  harness.submit('now')
  harness.advance(100)
  harness.worker('w')
  expect(harness.dispatch()).toEqual(['soon', 'now', 'late'])
})

test('[READY-3] a delayed task whose delay is noticed late comes behind what was accepted before that', () => {
  const harness = new Harness()
  harness.submit('delayed', { delayMs: 10 })
  harness.nowMs += 50
  harness.submit('now')
  harness.advance(0)
  checkState(harness.state)
  harness.worker('w')
  expect(harness.dispatch()).toEqual(['now', 'delayed'])
})

test('[READY-4] returned tasks come before fresh ones of their priority, by acceptance', () => {
  const harness = new Harness()
  harness.submit(['a', 'b', 'c'])
  harness.worker('w', 3)
  harness.dispatch()
  harness.submit('fresh')
  harness.submit('urgent', { priority: 6 })
  harness.credit('w', 10)
  harness.release('w', harness.leaseOf('c'), harness.leaseOf('a'))
  expect(harness.dispatch()).toEqual(['urgent', 'a', 'c', 'fresh'])
})

test.each([0, 500])('[READY-5] a task with a delay of %d ms that is not delivered in time expires', (delayMs) => {
  const harness = new Harness()
  harness.open('p')
  harness.submit('a', { ttlMs: 300, delayMs }, { session: 'p', watch: true })
  harness.advance(299)
  expect(harness.state.tasks.get('a')?.phase.state).toBe(delayMs ? 'delayed' : 'ready')
  expect(only(harness.advance(1), 'taskDied')).toMatchObject({
    reason: 'expired',
    error: { message: expect.stringMatching(/^it was not delivered for the first time within its ttlMs \(\d+\)$/) },
    attempt: undefined,
  })
  expect(harness.told).toEqual([{ type: 'outcome', sessions: ['p'], id: 'a', status: 'dead' }])
})

test('[READY-5] a task that became ready after its delay still expires', () => {
  const harness = new Harness()
  harness.submit('a', { ttlMs: 300, delayMs: 100 })
  expect(typesOf(harness.advance(100))).toEqual(['taskReadied'])
  expect(only(harness.advance(200), 'taskDied').reason).toBe('expired')
})

test('[READY-5] once delivered the time-to-live does not count, handed back or failed', () => {
  const harness = new Harness()
  harness.submit(['a', 'b'], { ttlMs: 300, retry: { kind: 'fixed', delayMs: 1000, jitter: 'none' } })
  harness.worker('w')
  harness.dispatch()
  harness.release('w', harness.leaseOf('a'))
  harness.fail('w', harness.leaseOf('b'))
  expect(typesOf(harness.advance(1000))).toEqual(['taskReadied'])
  expect([harness.stateOf('a'), harness.stateOf('b')]).toEqual(['ready', 'ready'])
})

test('[READY-6] tasks that are not durable yet wait, and what is of a lower priority or came back does not', () => {
  const harness = new Harness()
  harness.submit(['back', 'old1', 'old2'])
  harness.submit('low', { priority: 1 })
  harness.worker('w', 1)
  harness.dispatch()
  const below = harness.state.nextSeq
  harness.submit(['new1', 'new2'])
  harness.submit('urgent', { priority: 9 })
  harness.release('w', harness.leaseOf('back'))
  harness.credit('w', 10)
  expect(harness.dispatch(1)).toEqual(['back'])
  expect(harness.dispatch(below)).toEqual(['old1', 'old2', 'low'])
  expect(harness.dispatch(below)).toEqual([])
  expect(harness.dispatch(below + 1)).toEqual(['new1'])
  expect(harness.dispatch()).toEqual(['urgent', 'new2'])
})
