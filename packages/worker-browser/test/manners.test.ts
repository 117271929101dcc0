import { describe, expect, test } from 'vitest'
import { Backoff } from '../src/backoff.ts'
import { ClockWatch, LOOK_MS } from '../src/clock-watch.ts'
import { DutyCycle } from '../src/duty-cycle.ts'
import { hoursAt } from '../src/hours.ts'
import { FakePage } from './fake-page.ts'

const HOUR_MS = 3_600_000
const at = (hour: number, minute = 0) => new Date(2026, 5, 1, hour, minute)

describe('the share of the CPU', () => {
  test.each([
    [1, 0],
    [0.5, 1000],
    [0.25, 3000],
    [0.05, 19_000],
  ])('at %d a second of work is followed by %d ms of rest', (share, restMs) => {
    expect(new DutyCycle(share).restAfter(1000)).toBeCloseTo(restMs)
  })

  test('rests too short for a timer are added up', () => {
    const duty = new DutyCycle(0.5)
    expect([4, 4, 4, 4].map((workedMs) => duty.restAfter(workedMs))).toEqual([0, 0, 12, 0])
    duty.share = 1
    expect(duty.restAfter(1000)).toBe(0)
  })
})

describe('the hours of the day', () => {
  test.each([
    [[9, 17] as const, at(8, 59), false, 60_000],
    [[9, 17] as const, at(9), true, HOUR_MS],
    [[9, 17] as const, at(16, 30), true, HOUR_MS / 2],
    [[9, 17] as const, at(17), false, HOUR_MS],
    [[22, 6] as const, at(23), true, HOUR_MS],
    [[22, 6] as const, at(5, 59), true, 60_000],
    [[22, 6] as const, at(6), false, HOUR_MS],
    [[22, 24] as const, at(23, 59), true, 60_000],
    [[8.5, 9] as const, at(8, 29), false, 60_000],
    [[7, 7] as const, at(3), true, HOUR_MS],
  ])('%j at %s: inside %s', (hours, time, isInside, lookAfterMs) => {
    const seen = hoursAt(hours, time)
    expect(seen.isInside).toBe(isInside)
    // A millisecond more, so that the next look is not just before the change.
    expect(seen.lookAfterMs - lookAfterMs).toBeLessThanOrEqual(1)
    expect(seen.lookAfterMs).toBeGreaterThanOrEqual(lookAfterMs)
  })
})

test('a replacement waits longer after each failure, and no longer once a handler has finished', () => {
  const backoff = new Backoff()
  expect(Array.from({ length: 8 }, () => backoff.next())).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000])
  backoff.reset()
  expect(backoff.next()).toBe(250)
})

test('a clock that jumps is noticed on either clock, and a timer that is a little late is not', () => {
  const watch = new ClockWatch(0, 1_000_000)
  let [nowMs, epochMs] = [0, 1_000_000]
  const look = (ms: number, epochPassedMs = ms) => {
    nowMs += ms
    epochMs += epochPassedMs
    return watch.look(nowMs, epochMs)
  }
  expect(look(LOOK_MS)).toBe(false)
  expect(look(LOOK_MS + 15_000)).toBe(false)
  expect(look(LOOK_MS + 60_000)).toBe(true)
  expect(look(LOOK_MS)).toBe(false)
  // The machine slept, and its monotonic clock stood still.
  expect(look(LOOK_MS, LOOK_MS + HOUR_MS)).toBe(true)
  // The clock was set back.
  expect(look(LOOK_MS, -HOUR_MS)).toBe(false)
})

describe('the conditions of the owner', () => {
  test('each one that holds is a reason, and work goes on when the last is gone', () => {
    const page = new FakePage()
    const tab = page.tab({ onlyOnMains: true, hours: [9, 17] })
    expect(page.watches).toBe(1)
    tab.start()
    page.battery(false)
    page.pressure('critical')
    expect(tab.getSnapshot()).toMatchObject({ state: 'paused', pausedBy: ['battery', 'pressure'] })
    page.time = at(17)
    page.timers.pass(HOUR_MS)
    expect(tab.getSnapshot()).toMatchObject({ pausedBy: ['battery', 'pressure', 'hours'] })
    page.battery(true)
    page.time = at(9)
    page.timers.pass(HOUR_MS)
    expect(tab.getSnapshot()).toMatchObject({ pausedBy: ['pressure'] })
    page.pressure('fair')
    page.timers.pass(29_999)
    expect(tab.state).toBe('paused')
    page.timers.pass(1)
    expect(tab.state).toBe('connecting')
  })

  test('pressure that comes back within half a minute prolongs the pause', () => {
    const page = new FakePage()
    const tab = page.tab()
    tab.start()
    page.pressure('serious')
    page.pressure('nominal')
    page.timers.pass(20_000)
    page.pressure('serious')
    page.timers.pass(60_000)
    expect(tab.state).toBe('paused')
  })

  test('outside its hours it connects to nothing', () => {
    const page = new FakePage()
    page.time = at(3)
    const tab = page.tab({ hours: [9, 17] })
    tab.start()
    expect(tab.getSnapshot()).toMatchObject({ state: 'paused', pausedBy: ['hours'] })
    expect(page.connections).toEqual([])
  })

  test('a condition that was not asked for is not watched', () => {
    const page = new FakePage()
    page.tab({ pauseOnPressure: false }).start()
    expect(page.watches).toBe(1)
  })

  test('a page is kept awake only if its owner chose that, and only while it works', () => {
    const page = new FakePage()
    const tab = page.tab({ keepAwake: true, pauseOnPressure: false })
    expect(page.watches).toBe(1)
    tab.start()
    expect(page.watches).toBe(2)
    tab.stop()
    expect(page.watches).toBe(1)
  })
})

describe('the life of the page', () => {
  test('frozen or left it hands everything back; resumed it starts anew and takes nothing for granted', () => {
    const page = new FakePage()
    const tab = page.tab()
    tab.start()
    page.connection.status()
    expect(tab.state).toBe('working')
    page.life?.onFreeze()
    expect(tab.getSnapshot()).toMatchObject({ state: 'paused', pausedBy: ['frozen'] })
    expect(page.connection.last).toEqual({ type: 'leave' })
    page.life?.onResume()
    expect(tab.state).toBe('connecting')
    expect(page.connections).toHaveLength(2)
    page.life?.onHide()
    expect(page.connection.last).toEqual({ type: 'leave' })
    page.life?.onShow()
    expect(page.connections).toHaveLength(3)
    expect(page.connection.last).toEqual({ type: 'work' })
  })

  test('a page that is frozen while it finishes its last tasks leaves at once', () => {
    const page = new FakePage()
    const tab = page.tab()
    tab.start()
    page.connection.status()
    tab.pause()
    expect(page.connection.last).toEqual({ type: 'pause' })
    page.life?.onFreeze()
    expect(page.connection.last).toEqual({ type: 'leave' })
    page.life?.onResume()
    expect(tab.getSnapshot()).toMatchObject({ state: 'paused', pausedBy: ['owner'] })
  })

  test('a connection Worker that does not answer is ended', async () => {
    const page = new FakePage()
    const tab = page.tab()
    tab.start()
    const closed = tab.close()
    page.timers.pass(2000)
    await closed
    expect(page.living).toEqual([])
  })
})

test('consent that is taken back in another tab ends the work in this one', () => {
  const page = new FakePage()
  const tab = page.tab({ consent: 'ask' })
  tab.start()
  tab.agree()
  expect(page.stored.get('sluice.tab-worker.consent')).toBe('given')
  page.store(null)
  expect(tab.state).toBe('asking')
  page.store('given')
  expect(tab.state).toBe('connecting')
})

test('what all connections have counted is added up', () => {
  const page = new FakePage()
  const tab = page.tab()
  const counts = { running: 0, queued: 0, settling: 0, failed: 1, released: 0, lost: 0 }
  tab.start()
  page.connection.status({ stats: { ...counts, succeeded: 3 } })
  tab.stop()
  page.connection.say({ type: 'left' })
  tab.start()
  page.connection.status({ stats: { ...counts, succeeded: 2 }, ready: 4 })
  expect(tab.stats).toMatchObject({ succeeded: 5, failed: 2, ready: 4 })
})

test.each([
  [{ url: 'http://broker' }, 'url has to begin with ws://'],
  [{ queues: [] }, 'queues has to name'],
  [{ queues: ['a b'] }, '"a b" is no queue name'],
  [{ worker: 'x' as never }, 'worker has to be a function'],
  [{ consent: 'yes' as never }, "consent has to be 'given' or 'ask'"],
  [{ concurrency: 0 }, 'concurrency has to be a whole number from 1 to 64'],
  [{ prefetch: -1 }, 'prefetch has to be a whole number of at least 0'],
  [{ cpuShare: 0.01 }, 'cpuShare has to be a number from 0.05 to 1'],
  [{ hours: [9, 25] as const }, 'hours has to be [from, to]'],
  [{ abortGraceMs: 60_001 }, 'abortGraceMs has to be'],
])('options that cannot be used are refused: %j', (options, message) => {
  expect(() => new FakePage().tab(options)).toThrow(message)
})

test('one core is left free for the person', () => {
  const page = new FakePage()
  expect(page.tab().getSnapshot().concurrency).toBe(3)
  expect(page.tab({ device: { ...page.device, cores: 1 } }).getSnapshot().concurrency).toBe(1)
})
