import { VirtualClock } from '@sluice/testing'
import { describe, expect, test } from 'vitest'
import { ArrivalProcess } from '../../src/nodes/arrivals.ts'
import { RandomSource } from '../../src/random.ts'
import type { Arrivals } from '../../src/scenario.ts'

function arrive(arrivals: Arrivals, durationMs = 100_000) {
  const clock = new VirtualClock()
  const atMs: number[] = []
  const process = new ArrivalProcess({
    arrivals,
    random: new RandomSource(1).stream('arrivals'),
    durationMs,
    nowMs: () => clock.nowMs,
    setTimer: (fn, ms) => clock.setTimer(fn, ms),
    wish: () => {
      atMs.push(clock.nowMs)
      return true
    },
  })
  process.start(0)
  return { clock, atMs, process }
}

describe('wishes arrive', () => {
  test('steadily: with the same gap between any two', () => {
    const { clock, atMs } = arrive({ kind: 'steady', rate: 5 })
    clock.advance(200_000)
    expect(atMs.length).toBe(500)
    expect(new Set(atMs.slice(1).map((ms, i) => ms - (atMs[i] as number)))).toEqual(new Set([200]))
  })

  test('as a Poisson process: with gaps that vary as much as they last', () => {
    const { clock, atMs } = arrive({ kind: 'poisson', rate: 50 })
    clock.advance(100_000)
    const gaps = atMs.slice(1).map((ms, i) => ms - (atMs[i] as number))
    const mean = gaps.reduce((sum, gap) => sum + gap, 0) / gaps.length
    const deviation = Math.sqrt(gaps.reduce((sum, gap) => sum + (gap - mean) ** 2, 0) / gaps.length)
    expect(Math.abs(mean - 20)).toBeLessThan(1)
    expect(Math.abs(deviation - 20)).toBeLessThan(1.5)
  })

  test('in bursts: all at once, and then nothing for a while', () => {
    const { clock, atMs } = arrive({ kind: 'burst', size: 7, everyMs: 10_000 })
    clock.advance(100_000)
    expect(atMs.length).toBe(70)
    expect(new Set(atMs).size).toBe(10)
  })

  test.each([
    { from: 0, to: 10, inAll: 500, inFirstHalf: 125 },
    { from: 0, to: 0.4, inAll: 20, inFirstHalf: 5 },
    { from: 10, to: 0, inAll: 500, inFirstHalf: 375 },
    { from: 2, to: 6, inAll: 400, inFirstHalf: 150 },
    { from: 3, to: 3, inAll: 300, inFirstHalf: 150 },
  ])('along a ramp from $from to $to a second: as many as the area under it', ({ from, to, inAll, inFirstHalf }) => {
    const { clock, atMs } = arrive({ kind: 'ramp', from, to })
    clock.advance(100_000)
    expect(Math.abs(atMs.length - inAll)).toBeLessThanOrEqual(1)
    expect(Math.abs(atMs.filter((ms) => ms <= 50_000).length - inFirstHalf)).toBeLessThanOrEqual(1)
  })

  test('never, where the rate is nothing', () => {
    for (const arrivals of [
      { kind: 'steady', rate: 0 },
      { kind: 'ramp', from: 0, to: 0 },
    ] as const) {
      const { clock, atMs } = arrive(arrivals)
      clock.advance(100_000)
      expect(atMs).toEqual([])
      expect(clock.pending).toBe(0)
    }
  })

  test('in a closed loop: the next one after an answer, never more than the given number at a time', () => {
    const { clock, atMs, process } = arrive({
      kind: 'closedLoop',
      inFlight: 3,
      thinkMs: { kind: 'constant', value: 100 },
    })
    clock.advance(50_000)
    expect(atMs).toEqual([100, 100, 100])
    process.answered()
    clock.advance(99)
    expect(atMs.length).toBe(3)
    clock.advance(1)
    expect(atMs.length).toBe(4)
  })

  test('in a closed loop of a process that was started anew: those that have no answer yet count', () => {
    const clock = new VirtualClock()
    let wishes = 0
    const process = new ArrivalProcess({
      arrivals: { kind: 'closedLoop', inFlight: 5, thinkMs: { kind: 'constant', value: 1 } },
      random: new RandomSource(1).stream('arrivals'),
      durationMs: 1000,
      nowMs: () => clock.nowMs,
      setTimer: (fn, ms) => clock.setTimer(fn, ms),
      wish: () => {
        wishes += 1
        return true
      },
    })
    process.start(3)
    clock.advance(1000)
    expect(wishes).toBe(2)
  })

  test('not after the end of the scenario, and not when they are ended', () => {
    const { clock, atMs, process } = arrive({ kind: 'steady', rate: 10 }, 5000)
    clock.advance(2000)
    const before = atMs.length
    process.end()
    clock.advance(10_000)
    expect(atMs.length).toBe(before)
    const late = arrive({ kind: 'steady', rate: 10 }, 5000)
    late.clock.advance(100_000)
    expect(late.atMs.every((ms) => ms < 5000)).toBe(true)
  })
})
