import { expect, test } from 'vitest'
import { HISTORY_LENGTH_MAX, replay } from '../src/index.ts'
import { Harness, only, refusalsOf, typesOf } from './harness.ts'

function dead(harness: Harness): string[] {
  const ids: string[] = []
  for (let task = harness.state.queues.get('q')?.dead.head; task; task = task.next) ids.push(task.id)
  return ids
}

function kill(harness: Harness, ...ids: string[]): void {
  harness.submit(ids)
  harness.worker(`killer of ${ids}`)
  harness.dispatch()
  for (const id of ids) {
    const { phase, lease } = harness.task(id)
    if (phase.state === 'leased') harness.fail(phase.session.id, lease, { retryable: false })
  }
}

test('[DEAD-1] the last allowed failure is attempts_exhausted, an unretryable one not_retryable', () => {
  const harness = new Harness()
  harness.submit(['a', 'b'], { retry: { kind: 'none' } })
  harness.worker('w')
  harness.dispatch()
  expect(only(harness.fail('w', harness.leaseOf('a')), 'taskDied')).toMatchObject({
    reason: 'attempts_exhausted',
    error: { message: 'it broke' },
  })
  expect(only(harness.fail('w', harness.leaseOf('b'), { retryable: false }), 'taskDied').reason).toBe('not_retryable')
})

test('[DEAD-1] the last allowed attempt that was lost is lease_expired, and its holder is told', () => {
  const harness = new Harness({ config: { graceMs: 10 } })
  harness.submit(['a', 'b'], { leaseMs: 100, retry: { kind: 'none' } })
  harness.worker('w1', 1)
  harness.worker('w2', 1)
  harness.dispatch()
  harness.told = []
  harness.apply({ type: 'disconnectSession', session: 'w2' })
  expect(only(harness.advance(10), 'taskDied')).toMatchObject({
    id: 'b',
    reason: 'lease_expired',
    error: { message: expect.stringMatching(/^the last attempt was lost: its worker lost its connection/) },
  })
  expect(harness.told).toEqual([])
  const lease = harness.leaseOf('a')
  expect(only(harness.advance(90), 'taskDied')).toMatchObject({
    id: 'a',
    reason: 'lease_expired',
    error: {
      message: expect.stringMatching(/^the last attempt was lost: nothing was heard of its worker for leaseMs/),
    },
  })
  expect(harness.told).toEqual([{ type: 'revoke', session: 'w1', lease, reason: 'expired' }])
})

test('[DEAD-2] the history names every attempt, the last twenty at most', () => {
  const harness = new Harness()
  harness.submit('a', { retry: { kind: 'fixed', attemptsMax: 25, delayMs: 0 } })
  harness.worker('w')
  for (let i = 0; i < 25; i += 1) {
    harness.dispatch()
    harness.fail('w', harness.leaseOf('a'))
  }
  const { past, attempts } = harness.task('a')
  const { history } = past
  expect([harness.stateOf('a'), attempts]).toEqual(['dead', 25])
  expect(history.map(({ attempt }) => attempt)).toEqual(Array.from({ length: 20 }, (_, i) => i + 6))
  expect(history.at(-1)).toEqual({
    attempt: 25,
    endedAtMs: harness.nowMs,
    how: 'failed',
    error: { message: 'it broke' },
  })
})

test('[DEAD-2] of its attempts the newest has its error whole, older ones no stack, and the oldest no error where all are long', () => {
  const harness = new Harness()
  harness.submit('a', { retry: { kind: 'fixed', attemptsMax: 12, delayMs: 0 } })
  harness.worker('w')
  const errorOf = (attempt: number) => ({
    message: `${attempt}`.padEnd(attempt < 10 ? 1020 : 4, '.'),
    name: 'Oops',
    stack: 's'.repeat(8192),
  })
  for (let attempt = 1; attempt <= 12; attempt += 1) {
    harness.dispatch()
    const failures = [{ lease: harness.leaseOf('a'), error: errorOf(attempt) }]
    harness.apply({ type: 'fail', session: 'w', ref: 3, failures })
  }
  const { history } = harness.task('a').past
  expect(history.map(({ attempt, how }) => [attempt, how])).toEqual(
    Array.from({ length: 12 }, (_, i) => [i + 1, 'failed']),
  )
  const brief = (attempt: number) => ({ message: errorOf(attempt).message, name: 'Oops' })
  // The last two before the newest are short, and three of the others fit beside them.
  const kept = [7, 8, 9, 10, 11].map(brief)
  expect(history.map(({ error }) => error)).toEqual([...Array(6).fill(undefined), ...kept, errorOf(12)])
  const text = JSON.stringify(history)
  expect(text.length).toBeLessThan(HISTORY_LENGTH_MAX + 8192 + 1024 + 20 * 100)
  const { state } = new Harness()
  for (const event of harness.apply({ type: 'checkpoint', restate: ['a'] })) replay(state, event)
  expect(state.tasks.get('a')?.past.history).toEqual(history)
})

test('[DEAD-3] a dead letter is forgotten after deadTtlMs', () => {
  const harness = new Harness({ config: { deadTtlMs: 1000 } })
  kill(harness, 'a')
  expect(harness.advance(999)).toEqual([])
  expect(typesOf(harness.advance(1))).toEqual(['taskForgotten'])
})

test('[DEAD-3] past queueDeadMax the oldest dead letters go, however many die at once', () => {
  const harness = new Harness({ config: { queueDeadMax: 2 } })
  kill(harness, 'a')
  kill(harness, 'b')
  kill(harness, 'c')
  expect(dead(harness)).toEqual(['b', 'c'])
  harness.submit(['d', 'e', 'f'], { ttlMs: 10 })
  harness.advance(10)
  expect(dead(harness)).toEqual(['e', 'f'])
})

test('[DEAD-3] one message that fails more tasks than the bound leaves no more than the bound', () => {
  const harness = new Harness({ config: { queueDeadMax: 2 } })
  harness.submit(['a', 'b', 'c', 'd'])
  harness.worker('w')
  harness.dispatch()
  const failures = ['a', 'b', 'c', 'd'].map((id) => ({
    lease: harness.leaseOf(id),
    error: { message: 'no' },
    retryable: false,
  }))
  harness.apply({ type: 'fail', session: 'w', ref: 1, failures })
  expect(dead(harness)).toEqual(['c', 'd'])
})

test('[DEAD-4] a redriven task is ready with all attempts, and keeps its history', () => {
  const harness = new Harness()
  harness.submit('a', { ttlMs: 100, retry: { kind: 'none' } })
  harness.advance(100)
  expect(harness.stateOf('a')).toBe('dead')
  expect(typesOf(harness.apply({ type: 'redrive', ids: ['a', 'a'] }))).toEqual(['taskRedriven'])
  expect(harness.advance(1000)).toEqual([])
  harness.worker('w')
  harness.dispatch()
  harness.fail('w', harness.leaseOf('a'))
  harness.apply({ type: 'redrive', ids: ['a'] })
  expect(harness.task('a')).toMatchObject({ attempts: 0, past: { releases: 0, history: [{ attempt: 1 }] } })
  harness.dispatch()
  expect(typesOf(harness.complete('w', harness.leaseOf('a')))).toEqual(['tasksSucceeded'])
})

test('[DEAD-4] redriving is refused where the queue is full, the task unknown or not dead', () => {
  const harness = new Harness({ config: { queueTasksMax: 2 } })
  kill(harness, 'a')
  kill(harness, 'b')
  harness.submit('live')
  expect(refusalsOf(harness.apply({ type: 'redrive', ids: ['none', 'live', 'a', 'b'] }))).toEqual([
    ['unknown_task', 0],
    ['task_finished', 1],
    ['busy', 3],
  ])
  expect(dead(harness)).toEqual(['b'])
})

test('[DEAD-5] a dead letter that is forgotten is gone, and its id may be submitted anew', () => {
  const harness = new Harness()
  kill(harness, 'a', 'b')
  harness.submit('live')
  const events = harness.apply({ type: 'forget', ids: ['a', 'a', 'none', 'live'] })
  expect(typesOf(events.slice(0, 1))).toEqual(['taskForgotten'])
  expect(refusalsOf(events)).toEqual([
    ['unknown_task', 2],
    ['task_finished', 3],
  ])
  expect(dead(harness)).toEqual(['b'])
  harness.submit('a')
  expect([harness.stateOf('a'), harness.stateOf('live')]).toEqual(['ready', 'ready'])
})
