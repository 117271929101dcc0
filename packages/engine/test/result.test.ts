import { expect, test } from 'vitest'
import { Harness, only, typesOf } from './harness.ts'

function finished(harness: Harness, queue = 'q'): string[] {
  const ids: string[] = []
  for (let task = harness.state.queues.get(queue)?.done.head; task; task = task.next) ids.push(task.id)
  return ids
}

test('[RESULT-1] the first outcome stays: a lease that was settled is lost to whoever settles it again', () => {
  const harness = new Harness()
  harness.submit('a')
  harness.worker('w')
  harness.dispatch()
  const lease = harness.leaseOf('a')
  expect(typesOf(harness.complete('w', lease))).toEqual(['tasksSucceeded'])
  expect(only(harness.complete('w', lease), 'refused').code).toBe('lease_lost')
  expect(only(harness.fail('w', lease), 'refused').code).toBe('lease_lost')
  expect(harness.stateOf('a')).toBe('succeeded')
})

test('[RESULT-1] of two results for one lease in one message the first counts', () => {
  const harness = new Harness()
  harness.submit('a')
  harness.worker('w')
  harness.dispatch()
  const lease = harness.leaseOf('a')
  expect(typesOf(harness.complete('w', lease, lease))).toEqual(['tasksSucceeded', 'refused'])
})

test('[RESULT-2] an outcome is told once to each session that watches, and to no other', () => {
  const harness = new Harness()
  harness.open('p1')
  harness.open('p2')
  harness.open('p3')
  harness.submit('a', undefined, { session: 'p1', watch: true })
  harness.apply({ type: 'watch', session: 'p2', ref: 1, ids: ['a'] })
  harness.apply({ type: 'watch', session: 'p3', ref: 1, ids: ['a'] })
  harness.apply({ type: 'unwatch', session: 'p3', ids: ['a'] })
  harness.worker('w')
  harness.dispatch()
  harness.complete('w', harness.leaseOf('a'))
  expect(harness.told.filter(({ type }) => type === 'outcome')).toEqual([
    { type: 'outcome', sessions: ['p1', 'p2'], id: 'a', status: 'succeeded' },
  ])
})

test('[RESULT-2] a watcher that asks after the end is told at once, even past the bound of watchers', () => {
  const harness = new Harness({ config: { watchersMax: 1 } })
  harness.open('p1')
  harness.open('p2')
  harness.submit('a', undefined, { session: 'p1', watch: true })
  const [refused] = harness.apply({ type: 'watch', session: 'p2', ref: 1, ids: ['a'] })
  expect(refused).toMatchObject({ code: 'busy', limit: 1 })
  harness.worker('w')
  harness.dispatch()
  harness.complete('w', harness.leaseOf('a'))
  harness.told = []
  harness.apply({ type: 'watch', session: 'p2', ref: 2, ids: ['a'] })
  harness.apply({ type: 'watch', session: 'p2', ref: 3, ids: ['a'] })
  const outcome = { type: 'outcome', sessions: ['p2'], id: 'a', status: 'succeeded' }
  expect(harness.told).toEqual([outcome, outcome])
})

test('[RESULT-2] who asks for a dead letter is told at once, even past the bound of watchers, and watches it no further', () => {
  const harness = new Harness({ config: { watchersMax: 1 } })
  harness.open('p1')
  harness.open('p2')
  harness.submit('a', undefined, { session: 'p1', watch: true })
  harness.worker('w')
  harness.dispatch()
  harness.fail('w', harness.leaseOf('a'), { retryable: false })
  harness.told = []
  harness.apply({ type: 'watch', session: 'p2', ref: 1, ids: ['a'] })
  expect(harness.told).toEqual([{ type: 'outcome', sessions: ['p2'], id: 'a', status: 'dead' }])
  harness.apply({ type: 'redrive', ids: ['a'] })
  harness.told = []
  harness.cancel('a')
  expect(harness.told).toEqual([{ type: 'outcome', sessions: ['p1'], id: 'a', status: 'cancelled' }])
})

test('[RESULT-2] a watch of an unknown id is refused as unknown_task', () => {
  const harness = new Harness()
  harness.open('p')
  expect(only(harness.apply({ type: 'watch', session: 'p', ref: 1, ids: ['none'] }), 'refused').code).toBe(
    'unknown_task',
  )
})

test('[RESULT-3] a record is forgotten resultTtlMs after the outcome, and its id is then new', () => {
  const harness = new Harness()
  harness.submit('a', { resultTtlMs: 500 })
  harness.worker('w')
  harness.dispatch()
  harness.complete('w', harness.leaseOf('a'))
  harness.advance(499)
  expect(harness.stateOf('a')).toBe('succeeded')
  expect(typesOf(harness.submit('a', { resultTtlMs: 500 }))).toEqual([])
  expect(typesOf(harness.advance(1))).toEqual(['taskForgotten'])
  expect(typesOf(harness.submit('a'))).toEqual(['tasksAccepted'])
})

test('[RESULT-4] past queueResultsMax the records that finished first go', () => {
  const harness = new Harness({ config: { queueResultsMax: 2 } })
  harness.submit(['a', 'b', 'c'])
  harness.worker('w')
  harness.dispatch()
  for (const id of ['b', 'c', 'a']) harness.complete('w', harness.leaseOf(id))
  expect(finished(harness)).toEqual(['c', 'a'])
})

test('[RESULT-4] a message that settles tasks of queues A, B and A again trims each queue once', () => {
  const harness = new Harness({ config: { queueResultsMax: 2 } })
  harness.submit(['a1', 'a2', 'a3', 'a4'], undefined, { queue: 'A' })
  harness.submit(['b1'], undefined, { queue: 'B' })
  harness.worker('w', 10, ['A', 'B'])
  harness.dispatch()
  const [a1, a2, a3, a4, b1] = ['a1', 'a2', 'a3', 'a4', 'b1'].map((id) => harness.leaseOf(id)) as [
    number,
    number,
    number,
    number,
    number,
  ]
  harness.complete('w', a1, a2)
  harness.complete('w', a3, b1, a4)
  expect(finished(harness, 'A')).toEqual(['a3', 'a4'])
  expect(finished(harness, 'B')).toEqual(['b1'])
})

test('[RESULT-4] one message with more results than the bound leaves no more than the bound', () => {
  const harness = new Harness({ config: { queueResultsMax: 2 } })
  harness.submit(['a', 'b', 'c', 'd'])
  harness.worker('w')
  harness.dispatch()
  harness.complete('w', ...['a', 'b', 'c', 'd'].map((id) => harness.leaseOf(id)))
  expect(finished(harness)).toEqual(['c', 'd'])
})

test('[RESULT-4] past queueResultBytesMax the results that finished first go, and what was cancelled before them', () => {
  const harness = new Harness({ config: { queueResultBytesMax: 10 } })
  harness.submit(['a', 'b', 'c', 'd', 'e'])
  harness.submit(['o'], undefined, { queue: 'other' })
  harness.worker('w', 10, ['q', 'other'])
  harness.dispatch()
  const settle = (sizes: Record<string, number>) =>
    harness.apply({
      type: 'complete',
      session: 'w',
      ref: 1,
      contentType: undefined,
      index: 0,
      leases: Object.keys(sizes).map((id) => harness.leaseOf(id)),
      bytes: Object.values(sizes),
    })
  settle({ a: 4 })
  harness.cancel('b')
  settle({ c: 6, o: 10 })
  expect([finished(harness), finished(harness, 'other')]).toEqual([['a', 'b', 'c'], ['o']])
  settle({ d: 1 })
  expect(finished(harness)).toEqual(['b', 'c', 'd'])
  settle({ e: 10 })
  expect(finished(harness)).toEqual(['e'])
})

test('[RESULT-4] of one message with more bytes of results than the bound the last ones stay, if they fit', () => {
  const harness = new Harness({ config: { queueResultBytesMax: 10 } })
  harness.submit(['a', 'b', 'c', 'd'])
  harness.worker('w')
  harness.dispatch()
  const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((id) => harness.leaseOf(id)) as [number, number, number, number]
  const settle = (leases: number[], bytes: number[]) =>
    harness.apply({ type: 'complete', session: 'w', ref: 1, contentType: undefined, index: 0, leases, bytes })
  // The lease that is named twice counts once.
  settle([a, b, b, c], [9, 5, 100, 5])
  expect(finished(harness)).toEqual(['b', 'c'])
  settle([d], [11])
  expect(finished(harness)).toEqual([])
})

test('[RESULT-5] the newest progress of a leased task is kept and told to its watchers', () => {
  const harness = new Harness()
  harness.open('p')
  harness.submit('a', undefined, { session: 'p', watch: true })
  harness.worker('w')
  harness.dispatch()
  harness.told = []
  const lease = harness.leaseOf('a')
  harness.apply({ type: 'reportProgress', session: 'w', updates: [{ lease, progress: 1 }] })
  harness.apply({ type: 'reportProgress', session: 'p', updates: [{ lease, progress: 2 }] })
  expect(harness.task('a').past.progress).toBe(1)
  expect(harness.told).toEqual([{ type: 'progress', sessions: ['p'], id: 'a', progress: 1 }])
})

test('[RESULT-1] results that count say where they begin among those of the message', () => {
  const harness = new Harness()
  harness.submit(['a', 'b', 'c'])
  harness.worker('w')
  harness.dispatch()
  const [a, b, c] = ['a', 'b', 'c'].map((id) => harness.leaseOf(id)) as [number, number, number]
  const message = { session: 'w', ref: 2, contentType: undefined, index: 0 }
  const events = harness.apply({
    type: 'complete',
    ...message,
    leases: [999, a, b, a, c],
    bytes: [1, 20, 300, 4000, 5],
  })
  expect(typesOf(events)).toEqual(['refused', 'tasksSucceeded', 'refused', 'tasksSucceeded'])
  expect(events.flatMap((event) => (event.type === 'tasksSucceeded' ? [event.result] : []))).toEqual([1, 4321])
})
