import { expect, test } from 'vitest'
import { progressText, type Tally } from '../src/progress-bar.ts'

const tally = (more: Partial<Tally>): Tally => ({
  submitted: 1,
  succeeded: 0,
  dead: 0,
  reading: false,
  progress: new Map(),
  away: false,
  ...more,
})
const bar = (filled: number) => '█'.repeat(filled) + '░'.repeat(24 - filled)

test('tasks that have ended fill the bar, and running ones by the share that they report', () => {
  expect(progressText(tally({ submitted: 4 }), 0)).toBe(`${bar(0)}   0%  0/4  0ms`)
  expect(progressText(tally({ submitted: 4, succeeded: 1, dead: 1 }), 2500)).toBe(`${bar(12)}  50%  2/4  1 dead  2s`)
  const progress = new Map<string, unknown>([
    ['a', 0.5],
    ['b', 0.5],
    ['c', { step: 1 }],
    ['d', 7],
  ])
  expect(progressText(tally({ submitted: 8, succeeded: 1, reading: true, progress }), 0)).toBe(
    `${bar(6)}  25%  1/8+  0ms`,
  )
})

test('the bar is full only when everything has ended', () => {
  expect(progressText(tally({ submitted: 100, succeeded: 99 }), 0)).toContain(`${bar(23)}  99%`)
  expect(progressText(tally({ progress: new Map([['a', 0.999]]) }), 0)).toContain(`${bar(23)}  99%`)
})

test('of one task any progress is shown, without its control characters', () => {
  const progress = new Map([['a', { step: 'two\u009b31m' }]])
  expect(progressText(tally({ progress }), 0)).toBe(`${bar(0)}   0%  0/1  0ms  {"step":"two"}`)
})

test('a broker that is away is said', () => {
  expect(progressText(tally({ away: true }), 3000)).toBe(`${bar(0)}   0%  0/1  3s  waiting for the broker`)
})
