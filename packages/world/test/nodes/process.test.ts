import { expect, test } from 'vitest'
import { Process } from '../../src/nodes/process.ts'
import { makeContext } from '../surroundings.ts'

function makeProcess() {
  const surroundings = makeContext()
  const machine = { clockOffsetMs: 0, lateMs: 0, resumesAtMs: 0 }
  return { ...surroundings, machine, process: new Process(surroundings.context, 'worker-1', 1, machine) }
}

test('the end of a process silences every callback: timers, turns, input', () => {
  const { process, clock, machine, context, seen } = makeProcess()
  const run = (): void => {}
  process.setTimer(run, 100)
  process.afterTurn(run)
  machine.resumesAtMs = 1000
  process.enter(run)
  process.kill()
  process.enter(run)
  process.setTimer(run, 1)
  process.afterTurn(run)
  process.observe({ type: 'accepted', node: 'worker-1', id: 'a' })
  expect(clock.pending).toBe(0)
  clock.advance(10_000)
  expect(context.hasEntered).toBe(false)
  expect(seen).toEqual([])
})

test('timers that a program leaves behind are counted, but for those that are over in a moment', () => {
  const { process, clock } = makeProcess()
  process.setProgramTimer(() => {}, 100)
  process.setProgramTimer(() => {}, 5000)
  const cancel = process.setProgramTimer(() => {}, 6000)
  process.setTimer(() => {}, 7000)
  expect(process.timersLeft).toBe(2)
  cancel()
  expect(process.timersLeft).toBe(1)
  clock.advance(5000)
  expect(process.timersLeft).toBe(0)
})

test('a sleep of a process that ends is never over', async () => {
  const { process, clock } = makeProcess()
  let isOver = false
  void process.sleep(100).then(() => {
    isOver = true
  })
  process.kill()
  clock.advance(1000)
  await Promise.resolve()
  expect(isOver).toBe(false)
})

test('while a process stands still, what comes waits; then timers come first, then input, each in its order', () => {
  const { process, clock, machine } = makeProcess()
  const ran: string[] = []
  const run = (name: string) => () => ran.push(`${name} at ${clock.nowMs}`)
  process.setTimer(run('timer 1'), 100)
  process.setTimer(run('timer 2'), 200)
  machine.resumesAtMs = 500
  clock.advance(50)
  process.enter(run('input 1'))
  process.enter(run('input 2'))
  clock.advance(449)
  expect(ran).toEqual([])
  clock.advance(1)
  expect(ran).toEqual(['timer 1 at 500', 'timer 2 at 500', 'input 1 at 500', 'input 2 at 500'])
})

test('a timer that is cancelled while it waits to be run does not run', () => {
  const { process, clock, machine, context } = makeProcess()
  const cancel = process.setTimer(() => {}, 100)
  machine.resumesAtMs = 500
  clock.advance(200)
  cancel()
  clock.advance(1000)
  expect(context.hasEntered).toBe(false)
  expect(clock.pending).toBe(0)
})

test('in a slow process everything is late, and nothing overtakes', () => {
  const { process, clock, machine } = makeProcess()
  const ran: string[] = []
  machine.lateMs = 50
  process.enter(() => ran.push(`slow at ${clock.nowMs}`))
  clock.advance(10)
  machine.lateMs = 0
  process.enter(() => ran.push(`fast at ${clock.nowMs}`))
  clock.advance(100)
  expect(ran).toEqual(['slow at 50', 'fast at 50'])
})

test('no timer of a process is shorter than a millisecond, as with those of runtimes', () => {
  const { process, clock } = makeProcess()
  const atMs: number[] = []
  for (const ms of [0, 0.2, 1.5]) process.setTimer(() => atMs.push(clock.nowMs), ms)
  clock.advance(10)
  expect(atMs).toEqual([1, 1, 1.5])
})

test('a jump of the wall clock moves the wall clock and nothing else', () => {
  const { process, clock, machine } = makeProcess()
  clock.advance(1000)
  const before = { now: process.now(), epoch: process.epochMs(), steady: process.steadyEpochMs() }
  machine.clockOffsetMs = -60_000
  expect(process.now()).toBe(before.now)
  expect(process.epochMs()).toBe(before.epoch - 60_000)
  expect(process.steadyEpochMs()).toBe(before.steady)
})

test('a process that starts after the jump starts with the new time', () => {
  const { context, machine } = makeProcess()
  const before = new Process(context, 'worker-1', 2, machine).steadyEpochMs()
  machine.clockOffsetMs = 5000
  expect(new Process(context, 'worker-1', 3, machine).steadyEpochMs()).toBe(before + 5000)
})

test('an error that nothing catches is reported, and told to whoever looks after the process', () => {
  const { process, errors } = makeProcess()
  const told: unknown[] = []
  process.onUncaught = (error) => told.push(error)
  const error = new Error('a defect')
  process.enter(() => {
    throw error
  })
  expect(errors).toEqual([error])
  expect(told).toEqual([error])
})
