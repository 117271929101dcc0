import { expect, test } from 'vitest'
import { FinishRate } from '../src/finish-rate.ts'

/** Notes `perSecond` tasks evenly over each of `seconds` seconds from `startMs`. */
function steady(rate: FinishRate, startMs: number, seconds: number, perSecond: number): number {
  for (let i = 0; i < seconds * perSecond; i += 1) rate.note(startMs + (i * 1000) / perSecond)
  return startMs + seconds * 1000
}

test('nothing observed is no rate', () => {
  expect(new FinishRate().perSecond(1_000_000)).toBe(0)
})

test('a steady rate is found', () => {
  const rate = new FinishRate()
  const nowMs = steady(rate, 1_000_000, 10, 100)
  expect(rate.perSecond(nowMs)).toBeGreaterThan(90)
  expect(rate.perSecond(nowMs)).toBeLessThan(110)
})

test('a rate is a mean of the last seconds, in which one of them is not all', () => {
  const rate = new FinishRate()
  const fastMs = steady(rate, 1_000_000, 10, 100)
  const nowMs = steady(rate, fastMs, 2, 10)
  expect(rate.perSecond(nowMs)).toBeGreaterThan(30)
  expect(rate.perSecond(nowMs)).toBeLessThan(80)
})

test('a rate fades when nothing is finished any more', () => {
  const rate = new FinishRate()
  const nowMs = steady(rate, 1_000_000, 10, 100)
  expect(rate.perSecond(nowMs + 60_000)).toBeLessThan(3)
})

test('what was fast an hour ago does not count for the present', () => {
  const rate = new FinishRate()
  const idleMs = steady(rate, 1_000_000, 10, 1000)
  const nowMs = steady(rate, idleMs + 3_600_000, 3, 10)
  expect(rate.perSecond(nowMs)).toBeLessThan(15)
  expect(rate.perSecond(nowMs)).toBeGreaterThan(5)
})

test('idle time is no slowness, unless it is long ago that anything was finished', () => {
  const rate = new FinishRate()
  const idleMs = steady(rate, 1_000_000, 10, 100)
  expect(rate.perSecond(idleMs + 30_000)).toBeLessThan(10)
  expect(rate.perSecond(idleMs + 30_000, true)).toBeGreaterThan(90)
  rate.resume(idleMs + 30_000)
  expect(rate.perSecond(idleMs + 30_000)).toBeGreaterThan(90)
  expect(rate.perSecond(idleMs + 120_000, true)).toBe(0)
  rate.resume(idleMs + 120_000)
  expect(rate.perSecond(idleMs + 120_000)).toBe(0)
})
