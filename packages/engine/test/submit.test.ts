import { expect, test } from 'vitest'
import { bodyOf, DEFAULT_CONFIG, engineConfig, resultOf } from '../src/index.ts'
import { Harness, only, refusalsOf, typesOf } from './harness.ts'

test('[SUBMIT-1] tasks are accepted in order, delayed ones as delayed', () => {
  const harness = new Harness()
  harness.submit(['a', 'b'])
  harness.submit('c', { delayMs: 10 })
  expect(['a', 'b', 'c'].map((id) => [harness.stateOf(id), harness.task(id).seq])).toEqual([
    ['ready', 1],
    ['ready', 2],
    ['delayed', 3],
  ])
})

test('bodies and results of one message lie one behind the other from where the host put the first', () => {
  const harness = new Harness()
  harness.beforeEvolve = (event) => {
    if (event.type === 'tasksAccepted') event.body = 1000
    if (event.type === 'tasksSucceeded') event.result = 5000
  }
  harness.submit(['a', 'b', 'c'], undefined, { bytes: 10 })
  expect(['a', 'b', 'c'].map((id) => bodyOf(harness.task(id)))).toEqual([1000, 1010, 1020])
  harness.worker('w')
  harness.dispatch()
  harness.complete('w', harness.leaseOf('c'), harness.leaseOf('a'))
  expect(['c', 'a'].map((id) => resultOf(harness.task(id)))).toEqual([5000, 5005])
})

test.each(['ready', 'delayed', 'leased', 'succeeded', 'dead', 'cancelled'])(
  '[SUBMIT-2] the same id and content changes nothing while the task is %s',
  (state) => {
    const harness = new Harness()
    harness.submit('a', state === 'delayed' ? { delayMs: 10 } : undefined)
    if (state !== 'ready' && state !== 'delayed') {
      harness.worker('w')
      harness.dispatch()
      const lease = harness.leaseOf('a')
      if (state === 'succeeded') harness.complete('w', lease)
      if (state === 'dead') harness.fail('w', lease, { retryable: false })
      if (state === 'cancelled') harness.cancel('a')
    }
    expect(harness.stateOf('a')).toBe(state)
    expect(harness.submit('a')).toEqual([])
    expect(harness.stateOf('a')).toBe(state)
  },
)

test('[SUBMIT-2] who submits again and watches hears the outcome', () => {
  const harness = new Harness()
  harness.submit('a')
  harness.open('p')
  expect(typesOf(harness.submit('a', undefined, { session: 'p', watch: true }))).toEqual(['taskWatched'])
  harness.cancel('a')
  expect(harness.told).toEqual([{ type: 'outcome', sessions: ['p'], id: 'a', status: 'cancelled' }])
})

test('[SUBMIT-3] the same id with other content, or in another queue, is refused', () => {
  const harness = new Harness()
  harness.submit('a')
  expect(refusalsOf(harness.submit('a', undefined, { digest: 8 }))).toEqual([['id_conflict', 0]])
  expect(refusalsOf(harness.submit('a', undefined, { queue: 'other' }))).toEqual([['id_conflict', 0]])
})

test('[SUBMIT-3] the same id twice in one message is one task, and with two contents a conflict', () => {
  const harness = new Harness()
  expect(typesOf(harness.submit(['a', 'a']))).toEqual(['tasksAccepted'])
  const events = harness.apply({
    type: 'submit',
    session: undefined,
    ref: 1,
    queue: 'q',
    options: undefined,
    watch: false,
    contentType: undefined,
    index: 0,
    ids: ['b', 'b'],
    bytes: [1, 1],
    digests: [1, 2],
  })
  expect(typesOf(events)).toEqual(['tasksAccepted', 'refused'])
  expect(refusalsOf(events)).toEqual([['id_conflict', 1]])
})

test('[SUBMIT-6] a session that submits the same id twice in one message hears of it by its id as well', () => {
  const harness = new Harness()
  harness.open('p')
  const events = harness.submit(['a', 'a'], undefined, { session: 'p', watch: true })
  expect(typesOf(events)).toEqual(['tasksAccepted', 'taskWatched'])
  expect(only(events, 'taskWatched')).toMatchObject({ id: 'a', session: 'p' })
})

test('[SUBMIT-4] a refused item does not touch the others', () => {
  const harness = new Harness({ config: { queueTasksMax: 3 } })
  harness.submit('b', undefined, { digest: 1 })
  const events = harness.submit(['a', 'b', 'c', 'd'])
  expect(refusalsOf(events)).toEqual([
    ['id_conflict', 1],
    ['busy', 3],
  ])
  expect(['a', 'c', 'd'].map((id) => harness.stateOf(id))).toEqual(['ready', 'ready', 'none'])
})

test('[SUBMIT-5] options left out are filled in and recorded in the event', () => {
  const harness = new Harness({ defaults: { leaseMs: 777 } })
  const { options } = only(harness.submit('a', { priority: 9, retry: { kind: 'fixed' } }), 'tasksAccepted')
  expect(options).toEqual({
    ...DEFAULT_CONFIG.defaults,
    leaseMs: 777,
    priority: 9,
    retry: { ...DEFAULT_CONFIG.defaults.retry, kind: 'fixed' },
  })
  expect(only(harness.submit('b', { priority: 9, retry: { kind: 'fixed' } }), 'tasksAccepted').options).toBe(options)
})

test('[SUBMIT-6] a session that ended before its submission was decided is no watcher, and the task is accepted', () => {
  const harness = new Harness()
  harness.open('p')
  harness.apply({ type: 'closeSession', session: 'p' })
  expect(only(harness.submit('a', undefined, { session: 'p', watch: true }), 'tasksAccepted').watcher).toBeUndefined()
  harness.cancel('a')
  expect(harness.told).toEqual([])
})

test('[QUEUE-1] a queue full of tasks is busy, and takes tasks again once one has its outcome', () => {
  const harness = new Harness({ config: { queueTasksMax: 2 } })
  harness.submit(['a', 'b'])
  expect(only(harness.submit('c'), 'refused')).toMatchObject({ code: 'busy', limit: 2, retryAfterMs: 1000 })
  harness.worker('w')
  harness.dispatch()
  expect(refusalsOf(harness.submit('c'))).toEqual([['busy', 0]])
  harness.complete('w', harness.leaseOf('a'))
  expect(typesOf(harness.submit('c'))).toEqual(['tasksAccepted'])
})

test('[QUEUE-1] a queue full of bytes is busy for what does not fit', () => {
  const harness = new Harness({ config: { queueBytesMax: 100 } })
  harness.submit('a', undefined, { bytes: 60 })
  expect(only(harness.submit('b', undefined, { bytes: 41 }), 'refused')).toMatchObject({ code: 'busy', limit: 100 })
  expect(typesOf(harness.submit('b', undefined, { bytes: 40 }))).toEqual(['tasksAccepted'])
})

test('[QUEUE-2] the delay told with busy follows the observed drain rate, within its bounds', () => {
  const harness = new Harness({ config: { queueTasksMax: 20, retryAfterMsMin: 5, retryAfterMsMax: 2000 } })
  harness.submit(Array.from({ length: 20 }, (_, i) => `t${i}`))
  harness.worker('w', 20)
  harness.dispatch()
  for (let i = 0; i < 10; i += 1) harness.complete('w', harness.leaseOf(`t${i}`))
  harness.advance(1000)
  const ids = Array.from({ length: 15 }, (_, i) => `u${i}`)
  // Ten finished in a second; ten fit, and five more need half a second.
  const refusals = harness.submit(ids).filter((event) => event.type === 'refused')
  expect(refusals.map(({ retryAfterMs }) => retryAfterMs)).toEqual([500, 400, 300, 200, 100])
  const many = Array.from({ length: 500 }, (_, i) => `v${i}`)
  expect(harness.submit(many)[0]).toMatchObject({ type: 'refused', retryAfterMs: 2000 })
})

test('[QUEUE-2] time in which a queue held nothing does not make it slow', () => {
  const harness = new Harness({ config: { queueTasksMax: 20 } })
  harness.worker('w', 20)
  for (let round = 0; round < 5; round += 1) {
    harness.submit(Array.from({ length: 20 }, (_, i) => `r${round}t${i}`))
    harness.dispatch()
    harness.advance(1000)
    for (let i = 0; i < 20; i += 1) harness.complete('w', harness.leaseOf(`r${round}t${i}`))
    harness.advance(30_000)
  }
  const ids = Array.from({ length: 21 }, (_, i) => `u${i}`)
  const { retryAfterMs } = harness.submit(ids).find((event) => event.type === 'refused')!
  expect(retryAfterMs).toBeGreaterThanOrEqual(50)
  expect(retryAfterMs).toBeLessThan(200)
})

test('[QUEUE-2] nobody is told to wait for longer than the whole queue needs', () => {
  const harness = new Harness({ config: { queueTasksMax: 20 } })
  harness.submit(Array.from({ length: 20 }, (_, i) => `t${i}`))
  harness.worker('w', 20)
  harness.dispatch()
  for (let i = 0; i < 10; i += 1) harness.complete('w', harness.leaseOf(`t${i}`))
  harness.advance(1000)
  const refusals = harness
    .submit(Array.from({ length: 500 }, (_, i) => `u${i}`))
    .filter(({ type }) => type === 'refused')
  expect(refusals[0]).toMatchObject({ retryAfterMs: 2000 })
})

test('[QUEUE-3] a body that no queue can ever hold is too large, not busy', () => {
  const harness = new Harness({ config: { queueBytesMax: 100 } })
  expect(only(harness.submit('a', undefined, { bytes: 101 }), 'refused')).toMatchObject({
    code: 'too_large',
    limit: 100,
  })
})

test('[QUEUE-4] past queuesMax a new queue is busy for producers and workers, and known ones go on', () => {
  const harness = new Harness({ config: { queuesMax: 1 } })
  harness.submit('a')
  expect(only(harness.submit('b', undefined, { queue: 'other' }), 'refused')).toMatchObject({ code: 'busy', limit: 1 })
  harness.open('w')
  expect(refusalsOf(harness.credit('w', 1, ['q', 'other']))).toEqual([['busy', undefined]])
  expect(typesOf(harness.credit('w', 1, ['q', 'q']))).toEqual(['creditSet'])
  expect(typesOf(harness.submit('b'))).toEqual(['tasksAccepted'])
})

test('[QUEUE-4] one new name written twice is one new queue', () => {
  const harness = new Harness({ config: { queuesMax: 1 } })
  harness.open('w')
  expect(typesOf(harness.credit('w', 1, ['new', 'new']))).toEqual(['creditSet'])
})

test('[QUEUE-5] names that nobody uses any more do not use up the bound', () => {
  const harness = new Harness({ config: { queuesMax: 3 } })
  harness.open('w')
  for (let i = 0; i < 5; i += 1) expect(typesOf(harness.credit('w', 1, [`x${i}`, 'kept']))).toEqual(['creditSet'])
  expect([...harness.state.queues.keys()].sort()).toEqual(['kept', 'x4'])
  harness.apply({ type: 'closeSession', session: 'w' })
  expect(harness.state.queues.size).toBe(0)
  harness.submit('a', { resultTtlMs: 10 })
  harness.cancel('a')
  expect(harness.state.queues.size).toBe(1)
  harness.advance(10)
  expect(harness.state.queues.size).toBe(0)
})

test('a session that is not held sets no credit', () => {
  const harness = new Harness()
  expect(harness.credit('none', 5)).toEqual([])
})

test.each([
  ['queueTasksMax', 0],
  ['graceMs', 1.5],
  ['watchersMax', -1],
  ['deadTtlMs', 31 * 24 * 3600 * 1000],
])('[LIMIT-1] %s may not be %d', (name, value) => {
  expect(() => engineConfig({ [name]: value })).toThrow(name)
})

test('[LIMIT-1] defaults that no submission may ask for, and bounds that contradict each other, are refused by name', () => {
  const { defaults } = DEFAULT_CONFIG
  const refused = (over: object) => () => engineConfig({ defaults: { ...defaults, ...over } })
  expect(refused({ priority: 10 })).toThrow('defaults.priority must be a whole number from 0 to 9, not 10')
  expect(refused({ priority: 9, leaseMs: 86_400_000, ttlMs: 2_592_000_000 })).not.toThrow()
  expect(refused({ leaseMs: 99 })).toThrow('defaults.leaseMs must be a whole number from 100 to 86400000')
  expect(refused({ ttlMs: -1 })).toThrow('defaults.ttlMs')
  expect(refused({ retry: { ...defaults.retry, attemptsMax: 0 } })).toThrow('defaults.retry.attemptsMax')
  expect(refused({ retry: { ...defaults.retry, delayMs: 0.5 } })).toThrow('defaults.retry.delayMs')
  expect(() => engineConfig({ retryAfterMsMin: 60, retryAfterMsMax: 59 })).toThrow(
    'retryAfterMsMin must be at most retryAfterMsMax (59), not 60',
  )
})

test('[SUBMIT-4] each acceptance says where its bodies begin among those of the message, refused and repeated ones counted', () => {
  const harness = new Harness()
  harness.submit('held', undefined, { digest: 2 })
  const message = { session: undefined, ref: 1, queue: 'q', options: undefined, watch: false, contentType: undefined }
  const ids = ['a', 'b', 'held', 'c', 'a', 'd']
  const events = harness.apply({
    type: 'submit',
    ...message,
    index: 7,
    ids,
    bytes: [1, 20, 300, 4000, 1, 60_000],
    digests: ids.map(() => 7),
  })
  const places = events.flatMap((event) => (event.type === 'tasksAccepted' ? [[event.ids, event.body]] : []))
  expect(places).toEqual([
    [['a', 'b'], 0],
    [['c'], 321],
    [['d'], 4322],
  ])
})
