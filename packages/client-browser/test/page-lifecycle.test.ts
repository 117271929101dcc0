import { expect, test } from 'vitest'
import type { Page } from '../src/page.ts'
import { followPage } from '../src/page-lifecycle.ts'

/** A client that notes its calls, in a page and a time of the test's own. */
function surroundings() {
  const listeners = new Map<string, Set<(event: Event) => void>>()
  const on = (type: string, fn: (event: Event) => void) => {
    const all = listeners.get(type) ?? new Set()
    listeners.set(type, all.add(fn))
    return () => all.delete(fn)
  }
  const calls: string[] = []
  let tick: (() => void) | undefined
  const time = { now: 0, epochMs: 1_000_000, isVisible: true }
  const page: Page = {
    onWindow: on,
    onDocument: on,
    get isVisible() {
      return time.isVisible
    },
    nextFrame: () => () => {},
    epochMs: () => time.epochMs,
  }
  const platform = {
    now: () => time.now,
    setTimer: (fn: () => void) => {
      tick = fn
      return () => {
        tick = undefined
      }
    },
  }
  const note = (name: string) => () => void calls.push(name)
  const client = { pause: note('pause'), resume: note('resume'), wake: note('wake') }
  const end = followPage(client, page, platform)
  const fire = (...types: string[]) => {
    for (const type of types) for (const fn of listeners.get(type) ?? []) fn(new Event(type))
  }
  /** The next tick, so much later by each clock. */
  const pass = (nowMs: number, epochMs = nowMs) => {
    time.now += nowMs
    time.epochMs += epochMs
    tick?.()
  }
  const left = () => [...listeners.values()].reduce((sum, { size }) => sum + size, 0) + (tick === undefined ? 0 : 1)
  return { calls, fire, pass, end, left, time }
}

test('the back/forward cache and freezing overlap, and each absence is one', () => {
  const { calls, fire } = surroundings()
  fire('pageshow', 'pagehide', 'freeze', 'resume', 'pageshow')
  expect(calls).toEqual(['pause', 'resume'])
  fire('freeze', 'resume')
  expect(calls).toEqual(['pause', 'resume', 'pause', 'resume'])
})

test('a network, a look at the page and a jump of time wake the client', () => {
  const { calls, fire, time, pass } = surroundings()
  fire('online')
  time.isVisible = false
  fire('visibilitychange')
  expect(calls).toEqual(['wake'])
  time.isVisible = true
  fire('visibilitychange')
  expect(calls).toEqual(['wake', 'wake'])
  pass(15_000)
  pass(20_000)
  expect(calls).toHaveLength(2)
  pass(60_000)
  expect(calls).toHaveLength(3)
  // A monotonic clock may stand still while the device sleeps.
  pass(15_000, 3_600_000)
  expect(calls).toHaveLength(4)
  pass(15_000, -3_600_000)
  expect(calls).toHaveLength(4)
})

test('it leaves no listener and no timer', () => {
  const { calls, fire, pass, end, left } = surroundings()
  expect(left()).toBe(7)
  end()
  end()
  expect(left()).toBe(0)
  fire('pagehide', 'online')
  pass(100_000)
  expect(calls).toEqual([])
})
