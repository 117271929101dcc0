import fc from 'fast-check'
import { expect, test } from 'vitest'
import { DEFAULT_RETRY } from '../src/index.ts'
import { retryDelayMs } from '../src/retry.ts'
import { Harness, only } from './harness.ts'

test.each([
  ['none', 1],
  ['fixed', 4],
  ['exponential', 4],
] as const)('[RETRY-1] with %s a task is tried %d times in all', (kind, tries) => {
  const harness = new Harness()
  harness.submit('a', { retry: { kind, attemptsMax: 4, delayMs: 1 } })
  harness.worker('w')
  let tried = 0
  while (harness.stateOf('a') !== 'dead') {
    harness.dispatch()
    harness.fail('w', harness.leaseOf('a'))
    tried += 1
    harness.advance(10)
  }
  expect(tried).toBe(tries)
})

test('[RETRY-2] without jitter exponential delays double up to the cap, and fixed ones stay', () => {
  const policy = { kind: 'exponential', attemptsMax: 9, delayMs: 100, delayMsMax: 500, jitter: 'none' } as const
  const attempts = [1, 2, 3, 4, 1000]
  expect(attempts.map((attempt) => retryDelayMs(policy, attempt, () => 0))).toEqual([100, 200, 400, 500, 500])
  const fixed = { ...policy, kind: 'fixed' } as const
  expect(attempts.map((attempt) => retryDelayMs(fixed, attempt, () => 0))).toEqual([100, 100, 100, 100, 100])
})

test('[RETRY-2] full jitter reaches 0 and the delay itself, and nothing beyond', () => {
  const policy = { ...DEFAULT_RETRY, delayMs: 100 }
  expect(retryDelayMs(policy, 1, () => 0)).toBe(0)
  expect(retryDelayMs(policy, 1, () => 1 - 2 ** -53)).toBe(100)
  fc.assert(
    fc.property(
      fc.constantFrom('fixed' as const, 'exponential' as const),
      fc.nat(2_592_000_000),
      fc.nat(2_592_000_000),
      fc.integer({ min: 1, max: 1000 }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      (kind, delayMs, delayMsMax, attempt, draw) => {
        const full = retryDelayMs({ ...DEFAULT_RETRY, kind, delayMs, delayMsMax }, attempt, () => draw)
        const cap = retryDelayMs({ ...DEFAULT_RETRY, kind, delayMs, delayMsMax, jitter: 'none' }, attempt, () => draw)
        expect(Number.isSafeInteger(full) && full >= 0 && full <= cap).toBe(true)
        expect(cap).toBeLessThanOrEqual(kind === 'fixed' ? delayMs : delayMsMax)
      },
    ),
  )
})

test('[RETRY-2] the task waits out the drawn delay', () => {
  const harness = new Harness()
  harness.submit('a', { retry: { kind: 'fixed', delayMs: 1000 } })
  harness.worker('w')
  harness.dispatch()
  harness.random = () => 0.5
  expect(only(harness.fail('w', harness.leaseOf('a')), 'attemptFailed').retryAtMs).toBe(harness.nowMs + 500)
  harness.advance(499)
  expect(harness.stateOf('a')).toBe('delayed')
  harness.advance(1)
  expect(harness.stateOf('a')).toBe('ready')
})

test("[RETRY-3] the worker's own delay replaces the policy's, zero included", () => {
  const harness = new Harness()
  harness.submit(['a', 'b'])
  harness.worker('w')
  harness.dispatch()
  expect(only(harness.fail('w', harness.leaseOf('a'), { retryAfterMs: 99_999 }), 'attemptFailed').retryAtMs).toBe(
    harness.nowMs + 99_999,
  )
  harness.fail('w', harness.leaseOf('b'), { retryAfterMs: 0 })
  expect(harness.stateOf('b')).toBe('ready')
})

test('[RETRY-4] an attempt lost with its worker is retried at once', () => {
  const harness = new Harness({ config: { graceMs: 50 } })
  harness.submit('a', { retry: { kind: 'fixed', delayMs: 1000, jitter: 'none' } })
  harness.worker('w')
  harness.dispatch()
  harness.apply({ type: 'disconnectSession', session: 'w' })
  harness.advance(50)
  expect(harness.stateOf('a')).toBe('ready')
  expect(harness.task('a').past.history).toMatchObject([{ attempt: 1, how: 'session_lost' }])
})

test('[RETRY-4] a task that is lost again and again waits longer and longer, whatever its policy says', () => {
  const harness = new Harness({ config: { graceMs: 50 } })
  harness.submit('a', { leaseMs: 100, retry: { kind: 'fixed', attemptsMax: 100, delayMs: 0 } })
  const waits = Array.from({ length: 9 }, (_, i) => {
    harness.worker(`w${i}`)
    harness.dispatch()
    harness.advance(100)
    const { phase } = harness.task('a')
    const waitMs = phase.state === 'delayed' ? phase.readyAtMs - harness.nowMs : 0
    harness.apply({ type: 'closeSession', session: `w${i}` })
    harness.advance(waitMs)
    return waitMs
  })
  expect(waits).toEqual([0, 1, 2, 4, 8, 16, 32, 60, 60].map((s) => s * 1000))
})

test('[RETRY-4] an attempt that fails by itself, and redriving, set that back', () => {
  const harness = new Harness()
  harness.submit('a', { leaseMs: 100, retry: { kind: 'fixed', attemptsMax: 4, delayMs: 0 } })
  const lose = (session: string): string => {
    harness.worker(session)
    harness.dispatch()
    harness.advance(100)
    harness.apply({ type: 'closeSession', session })
    return harness.stateOf('a')
  }
  expect([lose('w1'), lose('w2')]).toEqual(['ready', 'delayed'])
  harness.advance(1000)
  harness.worker('w3')
  harness.dispatch()
  harness.fail('w3', harness.leaseOf('a'))
  harness.apply({ type: 'closeSession', session: 'w3' })
  expect(lose('w4')).toBe('dead')
  harness.apply({ type: 'redrive', ids: ['a'] })
  expect(lose('w5')).toBe('ready')
})
