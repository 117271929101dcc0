import { expect, test } from 'vitest'
import { Harness, only, refusalsOf, typesOf } from './harness.ts'

const ids = (count: number) => Array.from({ length: count }, (_, i) => `t${i}`)
const held = (harness: Harness, session: string) => harness.state.sessions.get(session)?.leases.size

test('[LEASE-1] a session is delivered no more than its credit, and more as it settles', () => {
  const harness = new Harness()
  harness.submit(ids(10))
  harness.worker('w', 3)
  expect(harness.dispatch()).toEqual(['t0', 't1', 't2'])
  harness.complete('w', harness.leaseOf('t1'))
  expect(harness.dispatch()).toEqual(['t3'])
})

test('[LEASE-1] credit is absolute: lowered below the leases it takes none away and grants none', () => {
  const harness = new Harness()
  harness.submit(ids(10))
  harness.worker('w', 5)
  harness.dispatch()
  harness.credit('w', 2)
  expect(held(harness, 'w')).toBe(5)
  harness.complete('w', harness.leaseOf('t0'), harness.leaseOf('t1'), harness.leaseOf('t2'))
  expect(harness.dispatch()).toEqual([])
  harness.complete('w', harness.leaseOf('t3'))
  expect(harness.dispatch()).toEqual(['t5'])
})

test('[LEASE-1] a session is delivered tasks of the queues it named last, and of no other', () => {
  const harness = new Harness()
  harness.submit('a', undefined, { queue: 'A' })
  harness.submit('b', undefined, { queue: 'B' })
  harness.worker('w', 5, ['A'])
  expect(harness.dispatch()).toEqual(['a'])
  harness.credit('w', 5, ['B'])
  harness.submit('a2', undefined, { queue: 'A' })
  expect(harness.dispatch()).toEqual(['b'])
})

test('[LEASE-1] credit counts over all queues of a session', () => {
  const harness = new Harness()
  harness.submit(['a1', 'a2'], undefined, { queue: 'A' })
  harness.submit(['b1', 'b2'], undefined, { queue: 'B' })
  harness.worker('w', 3, ['A', 'B'])
  expect(harness.dispatch()).toHaveLength(3)
  expect(harness.state.dispatchable.size).toBe(0)
})

test('one grant is of a MiB of bodies at most, but for a larger one, so that the host can look whether it is read', () => {
  const harness = new Harness()
  const sizes = [600_000, 400_000, 100_000, 2_000_000, 1]
  for (const [i, bytes] of sizes.entries()) harness.submit(`t${i}`, undefined, { bytes })
  harness.worker('w')
  const granted: string[][] = []
  while (harness.state.dispatchable.size > 0) {
    const event = only(harness.apply({ type: 'dispatch', queue: 'q', below: Number.MAX_SAFE_INTEGER }), 'leasesGranted')
    granted.push(event.tasks.map((seq) => harness.numbered(seq).id))
  }
  expect(granted).toEqual([['t0', 't1'], ['t2'], ['t3'], ['t4']])
})

test('[LEASE-2] the freest session is served until it is no freer than the next', () => {
  const harness = new Harness()
  harness.worker('small', 2)
  harness.worker('large', 5)
  harness.submit(ids(5))
  harness.dispatch()
  expect([held(harness, 'large'), held(harness, 'small')]).toEqual([4, 1])
})

test('[LEASE-2] equally free sessions take turns', () => {
  const harness = new Harness()
  for (const name of ['w1', 'w2', 'w3']) harness.worker(name, 100)
  harness.submit(ids(6))
  harness.dispatch()
  expect(harness.told.flatMap((told) => (told.type === 'deliver' ? [told.session] : []))).toEqual([
    'w1',
    'w2',
    'w3',
    'w1',
    'w2',
    'w3',
  ])
})

test('[LEASE-3] leases grow strictly, and an old one is refused once the task is leased anew', () => {
  const harness = new Harness()
  harness.submit('a', { leaseMs: 100 })
  harness.worker('w1', 1)
  harness.dispatch()
  const first = harness.leaseOf('a')
  harness.worker('w2', 5)
  harness.advance(100)
  harness.dispatch()
  const second = harness.leaseOf('a')
  expect(second).toBeGreaterThan(first)
  expect(refusalsOf(harness.complete('w1', first))).toEqual([['lease_lost', 0]])
  expect(typesOf(harness.complete('w2', second))).toEqual(['tasksSucceeded'])
})

test.each(['complete', 'fail', 'release'] as const)("[LEASE-3] %s of another session's lease is refused", (settle) => {
  const harness = new Harness()
  harness.submit('a')
  harness.worker('w')
  harness.open('thief')
  harness.dispatch()
  expect(refusalsOf(harness[settle]('thief', harness.leaseOf('a')))).toEqual([['lease_lost', 0]])
  expect(harness.stateOf('a')).toBe('leased')
})

test('[LEASE-4] heartbeats keep a lease for its full length each time', () => {
  const harness = new Harness()
  harness.submit(['a', 'b'], { leaseMs: 100 })
  harness.worker('w')
  harness.dispatch()
  const lease = harness.leaseOf('a')
  for (let i = 0; i < 5; i += 1) {
    harness.advance(90)
    expect(typesOf(harness.apply({ type: 'heartbeat', session: 'w', leases: [lease, 999] }))).toEqual(['leasesRenewed'])
  }
  expect(harness.leaseOf('a')).toBe(lease)
  expect(harness.stateOf('b')).toBe('ready')
  expect(harness.advance(99)).toEqual([])
  expect(typesOf(harness.advance(1))).toEqual(['attemptFailed'])
  expect(harness.apply({ type: 'heartbeat', session: 'w', leases: [lease] })).toEqual([])
})

test('[LEASE-5] an expired lease counts, is revoked, and its task is ready at once', () => {
  const harness = new Harness()
  harness.submit('a', { leaseMs: 100 })
  harness.worker('w')
  harness.dispatch()
  const lease = harness.leaseOf('a')
  harness.told = []
  expect(only(harness.advance(100), 'attemptFailed').attempt).toMatchObject({ attempt: 1, how: 'lease_expired' })
  expect(harness.told).toEqual([{ type: 'revoke', session: 'w', lease, reason: 'expired' }])
  expect(harness.stateOf('a')).toBe('ready')
  expect(harness.task('a').attempts).toBe(1)
})

test('[LEASE-5] who looks before anything is due finds nothing to do', () => {
  const harness = new Harness()
  expect(harness.apply({ type: 'tick' })).toEqual([])
  harness.submit('a', { leaseMs: 100 })
  harness.worker('w')
  harness.dispatch()
  harness.nowMs += 99
  expect(harness.apply({ type: 'tick' })).toEqual([])
})

test('[LEASE-5] a result that comes before anyone looked counts, late as it is', () => {
  const harness = new Harness()
  harness.submit('a', { leaseMs: 100 })
  harness.worker('w')
  harness.dispatch()
  harness.nowMs += 1000
  expect(typesOf(harness.complete('w', harness.leaseOf('a')))).toEqual(['tasksSucceeded'])
})

test('[LEASE-6] a lease handed back counts no attempt', () => {
  const harness = new Harness()
  harness.submit('a')
  harness.worker('w')
  harness.dispatch()
  harness.release('w', harness.leaseOf('a'))
  expect([harness.stateOf('a'), harness.task('a').attempts]).toEqual(['ready', 0])
  harness.dispatch()
  expect(harness.told.at(-1)).toMatchObject({ type: 'deliver', attempt: 1 })
})

test('[LEASE-6] past releasesMax handing back counts, so that no task goes round for ever', () => {
  const harness = new Harness({ config: { releasesMax: 3 } })
  harness.submit('a', { retry: { kind: 'fixed', attemptsMax: 2 } })
  harness.worker('w')
  const types: string[] = []
  for (let i = 0; i < 5; i += 1) {
    harness.dispatch()
    types.push(...typesOf(harness.release('w', harness.leaseOf('a'))))
  }
  expect(types).toEqual(['leaseReleased', 'leaseReleased', 'leaseReleased', 'attemptFailed', 'taskDied'])
})
