import { describe, expect, test } from 'vitest'
import { createState, type EngineConfig, engineConfig, replay } from '../src/index.ts'
import { checkState } from '../src/invariants.ts'
import { Harness, only, refusalsOf, typesOf } from './harness.ts'

const STACK = 'at work '.repeat(1000)
const numbers = (count: number) => Array.from({ length: count }, (_, i) => i)

/** Fails every task of a backlog once, with 16 KB of stack each, and has them retried after 30 days. */
function failAll(config: Partial<EngineConfig>, count: number, message = 'it broke'): Harness {
  const harness = new Harness({ config })
  harness.submit(numbers(count).map((i) => `t${i}`))
  harness.worker('w', count)
  harness.dispatch()
  const failures = numbers(count).map((i) => ({
    lease: harness.leaseOf(`t${i}`),
    error: { message, stack: STACK },
    retryAfterMs: 30 * 24 * 60 * 60 * 1000,
  }))
  harness.apply({ type: 'fail', session: 'w', ref: 1, failures })
  checkState(harness.state)
  return harness
}

const cutsOf = (harness: Harness, count: number) =>
  numbers(count).map((i) => harness.task(`t${i}`).past.history.at(-1)?.cut)

describe('[QUEUE-7] failures and progress take a bounded amount of memory', () => {
  test('failure records cannot exhaust the heap: past the bound of a queue they lose the stack, then the rest', () => {
    const harness = failAll({ queueHistoryBytesMax: 50_000 }, 200)
    expect(harness.state.historyBytes).toBeLessThanOrEqual(50_000)
    const cuts = cutsOf(harness, 200)
    expect(new Set(cuts)).toEqual(new Set([undefined, 'stack', 'history']))
    expect(cuts[0]).toBeUndefined()
    for (const i of numbers(200))
      expect(harness.task(`t${i}`)).toMatchObject({ attempts: 1, phase: { state: 'delayed' } })
  })

  test('where the message is long, the error goes and the record stays', () => {
    const harness = failAll({ queueHistoryBytesMax: 50_000 }, 30, 'it broke '.repeat(400))
    expect(new Set(cutsOf(harness, 30))).toEqual(new Set([undefined, 'error']))
  })

  test('what a dead letter says of a lost attempt, or of its time-to-live, counts too and goes without room', () => {
    const harness = new Harness({ config: { queueHistoryBytesMax: 700 } })
    harness.submit(
      numbers(5).map((i) => `late${i}`),
      { ttlMs: 50 },
    )
    harness.submit(
      numbers(5).map((i) => `lost${i}`),
      { priority: 9, leaseMs: 100, retry: { kind: 'none' } },
    )
    harness.worker('w', 5)
    harness.dispatch()
    harness.advance(100)
    checkState(harness.state)
    const errors = [...harness.state.tasks.values()].map(({ phase }) => (phase.state === 'dead' ? phase.error : 'none'))
    expect(errors).toHaveLength(10)
    expect(errors).not.toContain('none')
    expect(errors).toContain(undefined)
    expect(harness.state.historyBytes).toBeGreaterThan(0)
  })

  test('one bound holds over all queues', () => {
    const harness = failAll({ historyBytesMax: 20_000 }, 20)
    expect(harness.state.historyBytes).toBeLessThanOrEqual(20_000)
  })

  test('a task that fails again and again keeps its newest attempt and its count', () => {
    const harness = new Harness({ config: { queueHistoryBytesMax: 1 } })
    harness.submit('a', { retry: { kind: 'fixed', attemptsMax: 30, delayMs: 0 } })
    harness.worker('w')
    for (const _ of numbers(30)) {
      harness.dispatch()
      harness.fail('w', harness.leaseOf('a'))
    }
    expect(harness.task('a')).toMatchObject({
      attempts: 30,
      past: { history: [{ attempt: 30, how: 'failed', cut: 'history' }], bytes: 0 },
      phase: { state: 'dead', reason: 'attempts_exhausted', error: undefined },
    })
  })

  test('the error of a dead letter counts beside its history, and redriving and forgetting give it back', () => {
    const harness = new Harness()
    harness.submit('a', { retry: { kind: 'none' } })
    harness.worker('w')
    harness.dispatch()
    harness.fail('w', harness.leaseOf('a'))
    const dead = harness.state.historyBytes
    harness.apply({ type: 'redrive', ids: ['a'] })
    expect(harness.state.historyBytes).toBeLessThan(dead)
    expect(harness.state.historyBytes).toBeGreaterThan(0)
    harness.cancel('a')
    harness.advance(60 * 60 * 1000)
    expect(harness.stateOf('a')).toBe('none')
    expect(harness.state.historyBytes).toBe(0)
  })

  test('a progress value without room is skipped, and a number always has room', () => {
    const harness = new Harness({ config: { queueHistoryBytesMax: 1000 } })
    harness.submit('a')
    harness.worker('w')
    harness.dispatch()
    const lease = harness.leaseOf('a')
    const report = (progress: unknown) =>
      typesOf(harness.apply({ type: 'reportProgress', session: 'w', updates: [{ lease, progress }] }))
    expect(report({ done: 'half' })).toEqual(['progressReported'])
    expect(report(numbers(500).map(() => []))).toEqual([])
    expect(report(0.75)).toEqual(['progressReported'])
    expect(harness.state.historyBytes).toBe(0)
    checkState(harness.state)
  })

  test('a broker starts on what another one with more room has accepted, and keeps every attempt count', () => {
    const before = failAll({}, 50)
    const after = createState(engineConfig({ queueHistoryBytesMax: 10_000 }))
    for (const event of structuredClone(before.events)) replay(after, event)
    expect(after.historyBytes).toBeLessThanOrEqual(10_000)
    expect(after.tasks.size).toBe(50)
    for (const { attempts } of after.tasks.values()) expect(attempts).toBe(1)
    checkState(after)
  })

  test('restated tasks are cut likewise', () => {
    const before = failAll({}, 50)
    const restated = before.apply({ type: 'checkpoint', restate: numbers(50).map((i) => `t${i}`) })
    const after = createState(engineConfig({ queueHistoryBytesMax: 40_000 }))
    for (const event of structuredClone(restated)) replay(after, event)
    expect(after.historyBytes).toBeLessThanOrEqual(40_000)
    expect([...after.tasks.values()].filter(({ past }) => past.history[0]?.cut === 'history').length).toBeGreaterThan(0)
    checkState(after)
  })

  test('the same events under the same bounds are cut no further', () => {
    const before = failAll({ queueHistoryBytesMax: 50_000 }, 100)
    const after = createState(engineConfig({ queueHistoryBytesMax: 50_000 }))
    for (const event of structuredClone(before.events)) replay(after, event)
    expect(after.historyBytes).toBe(before.state.historyBytes)
  })
})

describe('[QUEUE-6] one bound holds over all queues', () => {
  test('tasks in many queues are bounded together, and busy names the setting', () => {
    const harness = new Harness({ config: { tasksMax: 5 } })
    const ends = numbers(4).flatMap((i) => harness.submit([`a${i}`, `b${i}`], { delayMs: 1e9 }, { queue: `q${i}` }))
    expect(harness.state.tasks.size).toBe(5)
    expect(refusalsOf(ends)).toEqual([
      ['busy', 1],
      ['busy', 0],
      ['busy', 1],
    ])
    const refused = ends.find(({ type }) => type === 'refused')
    expect(refused).toMatchObject({ limit: 5, message: expect.stringContaining('tasksMax is 5') })
  })

  test('bytes of bodies are bounded together, those of dead letters included', () => {
    const harness = new Harness({ config: { bytesMax: 100 } })
    harness.submit('a', { retry: { kind: 'none' } }, { queue: 'q1', bytes: 60 })
    harness.worker('w', 1, ['q1'])
    harness.dispatch()
    harness.fail('w', harness.leaseOf('a'))
    const refused = only(harness.submit('b', {}, { queue: 'q2', bytes: 60 }), 'refused')
    expect(refused).toMatchObject({ code: 'busy', limit: 100, message: expect.stringContaining('bytesMax is 100') })
    expect(harness.submit('c', {}, { queue: 'q2', bytes: 40 })).toHaveLength(1)
    expect(harness.state.bytes).toBe(100)
  })

  test('outcomes make way for new tasks, the oldest of the queue that keeps the most first', () => {
    const harness = new Harness({ config: { tasksMax: 6 } })
    harness.submit(['a1', 'a2', 'a3', 'a4'], {}, { queue: 'noisy' })
    harness.submit(['b1'], {}, { queue: 'quiet' })
    harness.worker('w', 10, ['noisy', 'quiet'])
    harness.dispatch()
    for (const id of ['b1', 'a1', 'a2', 'a3']) harness.complete('w', harness.leaseOf(id))
    expect(typesOf(harness.submit(['c1', 'c2', 'c3'], {}, { queue: 'quiet' }))).toEqual([
      'oldestForgotten',
      'tasksAccepted',
    ])
    expect(['b1', 'a1', 'a2', 'a3'].map((id) => harness.stateOf(id))).toEqual([
      'succeeded',
      'none',
      'none',
      'succeeded',
    ])
    checkState(harness.state)
  })

  test('results past the bound make older ones go', () => {
    const harness = new Harness({ config: { bytesMax: 12 } })
    harness.submit(['a', 'b', 'c'], {}, { bytes: 0 })
    harness.worker('w')
    harness.dispatch()
    for (const id of ['a', 'b', 'c']) harness.complete('w', harness.leaseOf(id))
    expect(['a', 'b', 'c'].map((id) => harness.stateOf(id))).toEqual(['none', 'succeeded', 'succeeded'])
    expect(harness.state.bytes).toBe(10)
  })

  test('a message that asks for a record again does not make it go', () => {
    const harness = new Harness({ config: { tasksMax: 1 } })
    harness.submit('a')
    harness.worker('w')
    harness.dispatch()
    harness.complete('w', harness.leaseOf('a'))
    expect(refusalsOf(harness.submit(['a', 'b']))).toEqual([['busy', 1]])
    expect(harness.stateOf('a')).toBe('succeeded')
    expect(refusalsOf(harness.submit(['b']))).toEqual([])
  })
})

describe('[QUEUE-8] nobody can take all names of queues', () => {
  const submitAs = (harness: Harness, owner: string, queue: string) =>
    harness.apply({
      type: 'submit',
      session: undefined,
      owner,
      ref: 1,
      queue,
      options: { delayMs: 1e9 },
      watch: false,
      contentType: undefined,
      index: 0,
      ids: [`${owner} ${queue}`],
      bytes: [1],
      digests: [1],
    })

  test('a principal that delays tasks by days has a share of the names, and others go on', () => {
    const harness = new Harness({ config: { queuesMax: 10, principalQueuesMax: 4 } })
    const ends = numbers(10).flatMap((i) => submitAs(harness, 'greedy', `g${i}`))
    expect(refusalsOf(ends)).toHaveLength(6)
    expect(ends.at(-1)).toMatchObject({
      code: 'busy',
      limit: 4,
      message: expect.stringContaining('principalQueuesMax'),
    })
    expect(refusalsOf(submitAs(harness, 'other', 'mine'))).toEqual([])
    expect(refusalsOf(submitAs(harness, 'greedy', 'mine'))).toEqual([])
    checkState(harness.state)
  })

  test('names taken by credit count, and a queue that is dropped counts no more', () => {
    const harness = new Harness({ config: { principalQueuesMax: 2 } })
    harness.apply({ type: 'openSession', session: 'w', roles: ['worker'], owner: 'p' })
    const credit = (...queues: string[]) => harness.apply({ type: 'setCredit', session: 'w', credit: 1, queues })
    expect(refusalsOf(credit('a', 'b', 'c'))).toHaveLength(1)
    expect(refusalsOf(credit('a', 'b'))).toEqual([])
    credit()
    expect(refusalsOf(credit('c', 'd'))).toEqual([])
    checkState(harness.state)
  })
})

test('[QUEUE-9] a queue is dropped by cancelling what is unfinished and dropping every record, and its name is free', () => {
  const harness = new Harness({ config: { queuesMax: 1, queueResultsMax: 2 } })
  harness.open('s')
  harness.submit(
    ['dead', 'done', 'leased', 'ready', 'more'],
    { retry: { kind: 'none' } },
    { session: 's', watch: true },
  )
  harness.submit('delayed', { delayMs: 1e9 })
  harness.worker('w', 3)
  harness.dispatch()
  harness.fail('w', harness.leaseOf('dead'))
  harness.complete('w', harness.leaseOf('done'))
  harness.apply({ type: 'setCredit', session: 'w', credit: 0, queues: [] })
  harness.told = []
  harness.apply({ type: 'cancel', session: undefined, ref: 1, ids: ['leased', 'ready', 'more', 'delayed'] })
  for (let steps = 0; harness.apply({ type: 'dropRecords', queue: 'q', max: 1 }).length > 0; steps += 1) {
    checkState(harness.state)
    expect(steps).toBeLessThan(20)
  }
  expect(harness.state.queues.size + harness.state.tasks.size).toBe(0)
  expect(
    harness.told.flatMap((told) => (told.type === 'revoke' ? ['revoke'] : 'id' in told ? [told.id] : [])).sort(),
  ).toEqual(['leased', 'more', 'ready', 'revoke'])
  expect(refusalsOf(harness.submit('a', {}, { queue: 'another' }))).toEqual([])
})

test('[RESULT-6] a session watches a bounded number of tasks, and one that it gives up makes room', () => {
  const harness = new Harness({ config: { sessionWatchesMax: 3 } })
  harness.submit(['a', 'b', 'c', 'd'], { delayMs: 1000 })
  harness.open('s')
  const watch = (...ids: string[]) => harness.apply({ type: 'watch', session: 's', ref: 1, ids })
  expect(refusalsOf(watch('a', 'b', 'c', 'd'))).toEqual([['busy', 3]])
  expect(refusalsOf(watch('d'))).toEqual([['busy', 0]])
  expect(refusalsOf(watch('a'))).toEqual([])
  harness.apply({ type: 'unwatch', session: 's', ids: ['b'] })
  expect(refusalsOf(watch('d'))).toEqual([])
  checkState(harness.state)
})

describe('[LEASE-11] heartbeats do not hold a task past its time limit for ever', () => {
  const held = (begins: boolean) => {
    const harness = new Harness({ config: { graceMs: 50 } })
    harness.submit('a', { leaseMs: 100, timeLimitMs: 1000 })
    harness.worker('w', 1, ['q'], begins)
    harness.dispatch()
    const lease = harness.leaseOf('a')
    const beatFor = (ms: number): string => {
      for (let passed = 0; passed < ms; passed += 50) {
        harness.advance(50)
        harness.apply({ type: 'heartbeat', session: 'w', leases: [lease] })
      }
      return harness.stateOf('a')
    }
    return { harness, lease, beatFor }
  }

  test('a worker that only renews loses it when limit, lease and grace are over', () => {
    const { harness, beatFor } = held(false)
    expect(beatFor(1000)).toBe('leased')
    expect(beatFor(200)).toBe('ready')
    expect(harness.task('a').past.history).toMatchObject([{ how: 'lease_expired' }])
  })

  test('what waits at its worker may wait: the limit counts from when it has begun', () => {
    const { harness, lease, beatFor } = held(true)
    expect(beatFor(5000)).toBe('leased')
    harness.begin('w', lease)
    expect(beatFor(1000)).toBe('leased')
    expect(beatFor(300)).toBe('ready')
  })

  test('nor does a worker that resumes its session again and again', () => {
    const { harness, lease, beatFor } = held(false)
    expect(beatFor(1100)).toBe('leased')
    harness.apply({ type: 'disconnectSession', session: 'w' })
    harness.apply({ type: 'resumeSession', session: 'w', leases: [lease] })
    harness.advance(49)
    expect(harness.stateOf('a')).toBe('leased')
    harness.advance(1)
    expect(harness.stateOf('a')).toBe('ready')
  })

  test('a task without a time limit is renewed for ever', () => {
    const harness = new Harness()
    harness.submit('a', { leaseMs: 100 })
    harness.worker('w')
    harness.dispatch()
    const lease = harness.leaseOf('a')
    for (const _ of numbers(100)) {
      harness.advance(99)
      harness.apply({ type: 'heartbeat', session: 'w', leases: [lease] })
    }
    expect(harness.stateOf('a')).toBe('leased')
  })
})
