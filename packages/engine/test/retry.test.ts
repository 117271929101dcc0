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
