import { expect, test } from 'vitest'
import { Harness, only, typesOf } from './harness.ts'

function threeLeases(): { harness: Harness; leases: [number, number, number] } {
  const harness = new Harness({ config: { graceMs: 50, releasesMax: 3 } })
  harness.submit(['a', 'b', 'c'], { leaseMs: 1000 })
  harness.teller('w')
  harness.dispatch()
  return { harness, leases: [harness.leaseOf('a'), harness.leaseOf('b'), harness.leaseOf('c')] }
}

const attempts = (harness: Harness) => ['a', 'b', 'c'].map((id) => harness.task(id).attempts)
const releases = (harness: Harness) => ['a', 'b', 'c'].map((id) => harness.task(id).past.releases)

test('[LEASE-7] a session that goes is charged for what it has begun, and the rest comes back as if handed back', () => {
  const { harness, leases } = threeLeases()
  expect(typesOf(harness.begin('w', leases[1]))).toEqual(['leasesBegun'])
  harness.apply({ type: 'disconnectSession', session: 'w' })
  const events = harness.advance(50)
  expect(typesOf(events)).toEqual(['attemptFailed', 'attemptFailed', 'leaseReleased', 'sessionClosed'])
  expect(only(events, 'leaseReleased')).toMatchObject({ id: 'c', lost: 'session_lost' })
  expect([attempts(harness), releases(harness)]).toEqual([
    [1, 1, 0],
    [0, 0, 1],
  ])
})

test('[LEASE-7] a lease that expires unbegun costs nothing, and its worker is told all the same', () => {
  const { harness, leases } = threeLeases()
  harness.begin('w', leases[0])
  harness.told = []
  const events = harness.advance(1000)
  expect(typesOf(events)).toEqual(['attemptFailed', 'leaseReleased', 'leaseReleased'])
  expect(events[1]).toMatchObject({ id: 'b', lost: 'lease_expired', revoked: { session: 'w', lease: leases[1] } })
  expect(harness.told).toEqual(leases.map((lease) => ({ type: 'revoke', session: 'w', lease, reason: 'expired' })))
  expect(attempts(harness)).toEqual([1, 0, 0])
})

test('[LEASE-7] of a session that does not say what it begins every lost lease is charged', () => {
  const harness = new Harness({ config: { graceMs: 50 } })
  harness.submit(['a', 'b', 'c'])
  harness.worker('w')
  harness.dispatch()
  expect(harness.begin('w', harness.leaseOf('a'))).toEqual([])
  harness.apply({ type: 'disconnectSession', session: 'w' })
  harness.advance(50)
  expect(attempts(harness)).toEqual([1, 1, 1])
})

test('[LEASE-7] what was lost unbegun too often is charged, and the history says how it was lost', () => {
  const { harness } = threeLeases()
  for (let i = 0; i < 4; i += 1) {
    harness.apply({ type: 'disconnectSession', session: i === 0 ? 'w' : `w${i}` })
    harness.advance(50)
    harness.teller(`w${i + 1}`)
    harness.dispatch()
  }
  expect(harness.task('a')).toMatchObject({
    attempts: 2,
    past: { releases: 3, history: [{ attempt: 1, how: 'session_lost' }] },
  })
})

test('[LEASE-7] a lease too short to be begun in time goes round eleven times, and is charged from then on', () => {
  const harness = new Harness({})
  harness.submit(['a'], { leaseMs: 100, retry: { kind: 'none' } })
  const expiries: string[] = []
  for (let i = 0; i < 11; i += 1) {
    harness.teller(`w${i}`)
    harness.dispatch()
    expiries.push(...typesOf(harness.advance(100)))
  }
  expect(expiries).toEqual([...Array(10).fill('leaseReleased'), 'taskDied'])
  expect(harness.task('a').past.history).toMatchObject([{ attempt: 1, how: 'lease_expired' }])
})

test('[LEASE-7] what is said goes up only, no further than the latest lease, and what is not held is nothing', () => {
  const { harness, leases } = threeLeases()
  expect(only(harness.begin('w', 999), 'leasesBegun').lease).toBe(leases[2])
  expect(harness.begin('w', leases[2])).toEqual([])
  expect(harness.begin('w', leases[0])).toEqual([])
  expect(harness.begin('nobody', 1)).toEqual([])
  expect(harness.session('w').begun).toBe(leases[2])
})

test('[LEASE-7] who resumes says anew what it has begun; who does not say it has begun all that it holds', () => {
  const { harness, leases } = threeLeases()
  harness.begin('w', leases[2])
  const resume = { type: 'resumeSession', session: 'w', leases } as const
  expect(only(harness.apply({ ...resume, begins: true, begun: leases[0] }), 'sessionResumed').begun).toBe(leases[0])
  expect(harness.session('w').begun).toBe(leases[0])
  harness.apply({ ...resume, begins: true, begun: 999 })
  expect(harness.session('w').begun).toBe(leases[2])
  harness.apply({ ...resume, begins: true, begun: 0 })
  expect(harness.session('w').begun).toBe(0)
  harness.apply({ ...resume, begins: true })
  expect(harness.session('w').begun).toBe(leases[2])
  harness.apply(resume)
  harness.apply({ type: 'disconnectSession', session: 'w' })
  harness.advance(50)
  expect(attempts(harness)).toEqual([1, 1, 1])
})

test('[REPLAY-3] [LEASE-7] a starting broker takes all leases as begun until their session says better', () => {
  const { harness, leases } = threeLeases()
  harness.begin('w', leases[0])
  harness.apply({ type: 'start' })
  expect(harness.session('w').begun).toBe(leases[2])
  harness.apply({ type: 'resumeSession', session: 'w', leases, begins: true, begun: leases[1] })
  harness.apply({ type: 'disconnectSession', session: 'w' })
  harness.advance(50)
  expect(attempts(harness)).toEqual([1, 1, 0])
})

test('[LEASE-7] a lease that was granted since is not begun', () => {
  const { harness, leases } = threeLeases()
  harness.begin('w', leases[2])
  harness.submit('d', { leaseMs: 1000 })
  harness.dispatch()
  harness.apply({ type: 'disconnectSession', session: 'w' })
  harness.advance(50)
  expect([attempts(harness), harness.task('d').attempts]).toEqual([[1, 1, 1], 0])
})
