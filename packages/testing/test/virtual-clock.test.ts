import { createClient } from '@sluice/client'
import { CONNECTION_TIMINGS, workerMachine } from '@sluice/machines'
import { expect, test } from 'vitest'
import { createActor } from 'xstate'
import { VirtualClock } from '../src/virtual-clock.ts'

test('time stands still between two steps, and moves to the next deadline and no further', () => {
  const clock = new VirtualClock()
  clock.setTimer(() => {}, 70)
  clock.setTimer(() => {}, 30)
  expect(clock.nowMs).toBe(0)
  clock.step()
  expect(clock.nowMs).toBe(30)
  clock.step()
  expect(clock.nowMs).toBe(70)
  expect(clock.step()).toBe(false)
})

test('deadlines fire by instant, and within one in the order in which they were set', () => {
  const clock = new VirtualClock()
  const fired: string[] = []
  for (const [name, ms] of [
    ['late', 20],
    ['first', 10],
    ['second', 10],
    ['third', 10],
    ['now', 0],
  ] as const)
    clock.setTimer(() => fired.push(name), ms)
  clock.advance(20)
  expect(fired).toEqual(['now', 'first', 'second', 'third', 'late'])
})

test('a deadline that was cancelled does not fire and does not count', () => {
  const clock = new VirtualClock()
  const cancel = clock.setTimer(() => expect.unreachable(), 10)
  clock.setTimer(() => {}, 20)
  cancel()
  cancel()
  expect(clock.pending).toBe(1)
  expect(clock.nextAtMs).toBe(20)
  clock.advance(100)
  expect(clock.pending).toBe(0)
})

test('a deadline in the past fires at once, after those that were due already', () => {
  const clock = new VirtualClock()
  const fired: string[] = []
  clock.setTimer(() => {
    clock.setTimer(() => fired.push('from within'), -5)
    fired.push('due')
  }, 10)
  clock.setTimer(() => fired.push('due as well'), 10)
  clock.advance(10)
  expect(fired).toEqual(['due', 'due as well', 'from within'])
  expect(clock.nowMs).toBe(10)
})

test('one advance of a second is ten of a tenth, for a timer that sets itself anew', () => {
  const firedAt = (steps: number): number[] => {
    const clock = new VirtualClock()
    const fired: number[] = []
    const again = (): void => {
      fired.push(clock.nowMs)
      clock.setTimer(again, 37)
    }
    clock.setTimer(again, 37)
    for (let i = 0; i < steps; i += 1) clock.advance(1000 / steps)
    expect(clock.nowMs).toBe(1000)
    return fired
  }
  expect(firedAt(10)).toEqual(firedAt(1))
  expect(firedAt(1)).toHaveLength(27)
})

test('a deadline that is no instant is refused', () => {
  const clock = new VirtualClock()
  for (const ms of [Number.NaN, Number.POSITIVE_INFINITY])
    expect(() => clock.setTimer(() => {}, ms)).toThrow(`a timer cannot be set to ${ms} ms`)
  expect(clock.pending).toBe(0)
})

test('it is a clock for charts: what they wait for happens when its time has come, and not before', () => {
  const clock = new VirtualClock()
  const client = createClient({
    url: 'ws://broker',
    platform: {
      now: () => clock.nowMs,
      setTimer: (fn, ms) => clock.setTimer(fn, ms),
      random: () => 0.5,
      randomBytes: (count) => new Uint8Array(count),
      epochMs: () => clock.nowMs,
      // Never opens.
      connect: () => ({
        send: () => {},
        close: () => {},
        bufferedBytes: 0,
        onopen: () => {},
        onmessage: () => {},
        onclose: () => {},
      }),
    },
  })
  const { connectTimeoutMs, backoffMs } = CONNECTION_TIMINGS
  clock.advance(connectTimeoutMs - 1)
  expect(client.state).toBe('connecting')
  clock.advance(1)
  expect(client.state).toBe('backingOff')
  clock.advance(backoffMs / 2 - 1)
  expect(client.state).toBe('backingOff')
  clock.advance(1)
  expect(client.state).toBe('connecting')
})

test('ten thousand deadlines set in any order fire in theirs', () => {
  const clock = new VirtualClock()
  const fired: number[] = []
  for (let i = 0; i < 10_000; i += 1) {
    const ms = (i * 7919) % 1000
    const cancel = clock.setTimer(() => fired.push(ms), ms)
    if (i % 3 === 0) cancel()
  }
  clock.advance(1000)
  expect(fired).toEqual(fired.toSorted((a, b) => a - b))
  expect(fired).toHaveLength(6666)
})

test('an actor of XState takes it for its clock', () => {
  const clock = new VirtualClock()
  const worker = createActor(workerMachine, { clock, input: { creditMax: 1, settleMs: 50 } }).start()
  worker.send({ type: 'connected' })
  worker.send({ type: 'drain', graceMs: 1000 })
  clock.advance(999)
  expect(worker.getSnapshot().value).toBe('draining')
  clock.advance(1)
  expect(worker.getSnapshot().value).toBe('aborting')
  expect(clock.nextAtMs).toBe(1050)
  worker.send({ type: 'emptied' })
  expect(worker.getSnapshot().value).toBe('stopped')
  expect(clock.pending).toBe(0)
})
