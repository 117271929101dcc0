import { expect, test } from 'vitest'
import { isSilent, nextWakeAtMs } from '../src/index.ts'
import { Harness, only, typesOf } from './harness.ts'

/** One session that holds leases of its own on so many tasks, which expire after 100 ms. */
function holder(tasks = 1): Harness {
  const harness = new Harness({ config: { graceMs: 50_000 } })
  harness.submit(
    Array.from({ length: tasks }, (_, i) => `t${i}`),
    { leaseMs: 100, retry: { kind: 'fixed', attemptsMax: 100, delayMs: 0 } },
  )
  harness.worker('w', 50)
  harness.dispatch()
  return harness
}

/** Lets the lease expire and rest: answers how long that was. */
function restAfterExpiry(harness: Harness): number {
  harness.advance(100)
  const { restUntilMs } = only(harness.hear('w'), 'sessionHeard')
  const restMs = restUntilMs - harness.nowMs
  harness.advance(restMs)
  // A task that is lost again and again waits, too.
  harness.advance(60_000)
  harness.dispatch()
  return restMs
}

test('[SESSION-6] a session that let a lease expire gets nothing until it is heard, and then not before it has rested', () => {
  const harness = holder()
  harness.advance(100)
  expect(isSilent(harness.session('w'))).toBe(true)
  harness.advance(100_000)
  expect(harness.dispatch()).toEqual([])
  expect(typesOf(harness.hear('w'))).toEqual(['sessionHeard'])
  expect(isSilent(harness.session('w'))).toBe(false)
  expect(harness.hear('w')).toEqual([])
  expect(nextWakeAtMs(harness.state)).toBe(harness.nowMs + 1000)
  harness.advance(999)
  expect(harness.dispatch()).toEqual([])
  expect(typesOf(harness.advance(1))).toEqual(['sessionRested'])
  expect(harness.dispatch()).toEqual(['t0'])
})

test('[SESSION-6] other sessions get the tasks meanwhile', () => {
  const harness = holder()
  harness.advance(100)
  harness.worker('healthy', 1)
  expect(harness.dispatch()).toEqual(['t0'])
  expect(harness.told.at(-1)).toMatchObject({ session: 'healthy' })
})

test('[SESSION-6] each further expiry doubles the rest, up to ten seconds', () => {
  const harness = holder()
  const rests = Array.from({ length: 9 }, () => restAfterExpiry(harness))
  expect(rests).toEqual([1, 2, 4, 8, 10, 10, 10, 10, 10].map((s) => s * 1000))
})

test.each(['complete', 'fail'] as const)(
  '[SESSION-6] a lease that it settles (%s) sets the rest back to the first',
  (settle) => {
    const harness = holder(2)
    expect([restAfterExpiry(harness), restAfterExpiry(harness)]).toEqual([1000, 2000])
    harness[settle]('w', harness.leaseOf('t0'))
    expect(restAfterExpiry(harness)).toBe(1000)
  },
)

test('[SESSION-6] a lease that it hands back does not set the rest back', () => {
  const harness = holder(2)
  restAfterExpiry(harness)
  harness.release('w', harness.leaseOf('t0'))
  harness.dispatch()
  expect(restAfterExpiry(harness)).toBe(2000)
})

test('[SESSION-6] leases that expire while it is silent are one silence', () => {
  const harness = holder()
  harness.submit('later', { leaseMs: 150 })
  harness.dispatch()
  harness.advance(100)
  harness.advance(50)
  expect(harness.session('w').expiries).toBe(1)
  expect(only(harness.hear('w'), 'sessionHeard').restUntilMs - harness.nowMs).toBe(1000)
})

test('[SESSION-6] a lease that expires while it rests makes it silent again', () => {
  const harness = holder()
  harness.submit('later', { leaseMs: 500 })
  harness.dispatch()
  harness.advance(100)
  harness.hear('w')
  harness.advance(400)
  expect(isSilent(harness.session('w'))).toBe(true)
  expect(harness.advance(10_000)).toEqual([])
  expect(only(harness.hear('w'), 'sessionHeard').restUntilMs - harness.nowMs).toBe(2000)
})

test('[SESSION-6] who settles a lease while it is silent rests as after the first expiry', () => {
  const harness = holder(2)
  restAfterExpiry(harness)
  harness.submit('later', { leaseMs: 5000 })
  harness.dispatch()
  harness.advance(100)
  harness.complete('w', harness.leaseOf('later'))
  expect(only(harness.hear('w'), 'sessionHeard').restUntilMs - harness.nowMs).toBe(1000)
})

test('[SESSION-6] to resume is to be heard', () => {
  const harness = holder()
  harness.advance(100)
  harness.apply({ type: 'disconnectSession', session: 'w' })
  expect(harness.hear('w')).toEqual([])
  expect(typesOf(harness.apply({ type: 'resumeSession', session: 'w', leases: [] }))).toEqual([
    'sessionResumed',
    'sessionHeard',
  ])
  expect(harness.dispatch()).toEqual([])
  harness.advance(1000)
  expect(harness.dispatch()).toEqual(['t0'])
})

test('[SESSION-6] who resumes while it rests goes on resting, and one whose rest is over by then does not', () => {
  const harness = holder()
  harness.advance(100)
  harness.hear('w')
  harness.advance(300)
  harness.apply({ type: 'disconnectSession', session: 'w' })
  harness.advance(300)
  harness.apply({ type: 'resumeSession', session: 'w', leases: [] })
  harness.advance(399)
  expect(harness.dispatch()).toEqual([])
  harness.apply({ type: 'disconnectSession', session: 'w' })
  expect(harness.advance(100)).toEqual([])
  harness.apply({ type: 'resumeSession', session: 'w', leases: [] })
  expect(typesOf(harness.advance(0))).toEqual(['sessionRested'])
  expect(harness.dispatch()).toEqual(['t0'])
})

test('[SESSION-6] of a session that is away nothing is expected', () => {
  const harness = holder()
  harness.apply({ type: 'disconnectSession', session: 'w' })
  harness.advance(100)
  expect(harness.stateOf('t0')).toBe('ready')
  harness.apply({ type: 'resumeSession', session: 'w', leases: [] })
  expect(harness.dispatch()).toEqual(['t0'])
})
