import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { defaultPlatform } from '../src/index.ts'

const DAY_MS = 86_400_000

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] })
})
afterEach(() => {
  vi.useRealTimers()
})

test('a timer may be longer than what setTimeout takes', () => {
  const fn = vi.fn()
  defaultPlatform.setTimer(fn, 60 * DAY_MS)
  vi.advanceTimersByTime(60 * DAY_MS - 1)
  expect(fn).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(fn).toHaveBeenCalledTimes(1)
})

test('a long timer can be cancelled at any time of it', () => {
  const fn = vi.fn()
  const cancel = defaultPlatform.setTimer(fn, 60 * DAY_MS)
  vi.advanceTimersByTime(40 * DAY_MS)
  cancel()
  vi.advanceTimersByTime(40 * DAY_MS)
  expect(fn).not.toHaveBeenCalled()
  expect(vi.getTimerCount()).toBe(0)
})
