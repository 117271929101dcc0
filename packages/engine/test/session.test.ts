import { expect, test } from 'vitest'
import { freeCredit } from '../src/index.ts'
import { Harness, only, refusalsOf, typesOf } from './harness.ts'

function twoLeases(): { harness: Harness; a: number; b: number } {
  const harness = new Harness({ config: { graceMs: 50 } })
  harness.submit(['a', 'b'], { leaseMs: 1000 })
  harness.worker('w', 2)
  harness.dispatch()
  return { harness, a: harness.leaseOf('a'), b: harness.leaseOf('b') }
}

test('[SESSION-1] past sessionsMax a session is refused, where all hold leases in their grace window or are there', () => {
  const harness = new Harness({ config: { sessionsMax: 1, graceMs: 50 } })
  harness.submit('a')
  harness.worker('s1')
  harness.dispatch()
  harness.apply({ type: 'disconnectSession', session: 's1' })
  const second = { type: 'openSession', session: 's2', roles: [] } as const
  expect(refusalsOf(harness.apply({ ...second, roles: [] }))).toEqual([['busy', undefined]])
  harness.advance(50)
  expect(typesOf(harness.apply({ ...second, roles: [] }))).toEqual(['sessionOpened'])
})

test('[SESSION-1] one that is away and holds nothing makes way, and one that holds less sooner', () => {
  const harness = new Harness({ config: { sessionsMax: 3, graceMs: 50 } })
  harness.submit('a')
  harness.worker('works')
  harness.dispatch()
  harness.open('watches')
  harness.apply({ type: 'watch', session: 'watches', ref: 1, ids: ['a'] })
  harness.open('idle')
  for (const session of ['works', 'watches', 'idle']) harness.apply({ type: 'disconnectSession', session })
  for (const session of ['new', 'newer']) harness.open(session)
  expect([...harness.state.sessions.keys()]).toEqual(['works', 'new', 'newer'])
  expect(refusalsOf(harness.apply({ type: 'openSession', session: 'newest', roles: [] }))).toHaveLength(1)
})

test('[SESSION-1] opening a session that is held is a defect of the host, for it would drop its leases', () => {
  const { harness, a } = twoLeases()
  expect(() => harness.open('w')).toThrow('opened twice')
  expect(harness.leaseOf('a')).toBe(a)
})

test('[SESSION-2] a disconnected session keeps its leases and is delivered nothing', () => {
  const { harness, a, b } = twoLeases()
  harness.credit('w', 5)
  harness.apply({ type: 'disconnectSession', session: 'w' })
  expect(harness.apply({ type: 'disconnectSession', session: 'w' })).toEqual([])
  harness.submit('c')
  expect(harness.dispatch()).toEqual([])
  harness.advance(49)
  expect([harness.leaseOf('a'), harness.leaseOf('b')]).toEqual([a, b])
})

test('[SESSION-3] a resumed session keeps the leases it names, renewed, and hands back the others', () => {
  const { harness, a } = twoLeases()
  harness.apply({ type: 'disconnectSession', session: 'w' })
  harness.advance(40)
  const events = harness.apply({ type: 'resumeSession', session: 'w', leases: [a, 12345] })
  expect(typesOf(events)).toEqual(['sessionResumed', 'leaseReleased', 'leasesRenewed'])
  expect([harness.stateOf('b'), harness.task('b').attempts]).toEqual(['ready', 0])
  expect(harness.advance(999)).toEqual([])
  expect(harness.leaseOf('a')).toBe(a)
  expect(harness.dispatch()).toEqual(['b'])
})

test('[SESSION-3] another connection takes over a session that is still connected', () => {
  const { harness, a, b } = twoLeases()
  expect(typesOf(harness.apply({ type: 'resumeSession', session: 'w', leases: [a, b] }))).toEqual([
    'sessionResumed',
    'leasesRenewed',
  ])
  harness.advance(500)
  expect(harness.state.sessions.get('w')?.phase).toBe('connected')
})

test('[SESSION-4] at the end of the grace window leases are lost and the session is gone', () => {
  const { harness } = twoLeases()
  harness.apply({ type: 'disconnectSession', session: 'w' })
  expect(typesOf(harness.advance(50))).toEqual(['attemptFailed', 'attemptFailed', 'sessionClosed'])
  expect(harness.task('a')).toMatchObject({ attempts: 1, past: { history: [{ how: 'session_lost' }] } })
  expect(harness.apply({ type: 'resumeSession', session: 'w', leases: [] })).toEqual([])
})

test('[SESSION-5] bye hands the leases back and closes at once', () => {
  const { harness } = twoLeases()
  expect(typesOf(harness.apply({ type: 'closeSession', session: 'w' }))).toEqual([
    'leaseReleased',
    'leaseReleased',
    'sessionClosed',
  ])
  expect(harness.task('a').attempts).toBe(0)
  expect(harness.state.sessions.size).toBe(0)
  expect(harness.apply({ type: 'closeSession', session: 'w' })).toEqual([])
})

test('[SESSION-5] a closed session is told nothing more', () => {
  const harness = new Harness()
  harness.open('p1')
  harness.open('p2')
  harness.submit('a', undefined, { session: 'p1', watch: true })
  harness.apply({ type: 'watch', session: 'p2', ref: 1, ids: ['a'] })
  harness.apply({ type: 'closeSession', session: 'p1' })
  harness.cancel('a')
  expect(harness.told).toEqual([{ type: 'outcome', sessions: ['p2'], id: 'a', status: 'cancelled' }])
})

test('[REPLAY-3] a starting broker gives every session its grace window and every lease its full length', () => {
  const { harness, a } = twoLeases()
  harness.apply({ type: 'disconnectSession', session: 'w' })
  harness.nowMs += 100_000
  expect(typesOf(harness.apply({ type: 'start' }))).toEqual(['brokerStarted', 'sessionDisconnected', 'leasesRenewed'])
  expect(harness.advance(49)).toEqual([])
  harness.apply({ type: 'resumeSession', session: 'w', leases: [a] })
  expect(harness.leaseOf('a')).toBe(a)
  const session = harness.state.sessions.get('w')
  expect(session && freeCredit(session)).toBe(1)
})

test('[LEASE-3] leases of a later epoch are past all that a crash can have kept out of the journal', () => {
  const harness = new Harness()
  expect(only(harness.apply({ type: 'start' }), 'brokerStarted').nextLease).toBe(1)
  harness.submit('a')
  harness.worker('w')
  harness.dispatch()
  expect(only(harness.apply({ type: 'start' }), 'brokerStarted')).toMatchObject({ epoch: 2, nextLease: 10_000_002 })
})
