import { describe, expect, test } from 'vitest'
import { LeaseLife } from '../../src/checkers/lease-life.ts'
import { Leaving } from '../../src/checkers/leaving.ts'
import { accepted, deliver, failed, granted, opened, Stream, sessionOf, submit, submitted } from './stream.ts'

describe('[PROMISE-23] a broker that is leaving', () => {
  const leaving = () =>
    new Stream((sources) => new Leaving(sources))
      .welcome('worker-1')
      .welcome('producer-1')
      .toNode('worker-1', { type: 'drain', retryAfterMs: 1000 })
      .toNode('producer-1', { type: 'drain', retryAfterMs: 1000 })

  test('refuses what comes', () => {
    const error = { type: 'error', ref: 1, code: 'draining', message: 'x', retryAfterMs: 1000 } as const
    expect(
      leaving()
        .toBroker('producer-1', submit(1, ['t1']))
        .toNode('producer-1', error).said,
    ).toEqual([])
    const before = new Stream((sources) => new Leaving(sources)).toBroker('producer-1', submit(1, ['t1']))
    before.toNode('producer-1', { type: 'drain', retryAfterMs: 1000 })
    expect(before.toNode('producer-1', submitted(1)).said).toEqual([])
  })

  test('and does not deliver or accept', () => {
    expect(leaving().toNode('worker-1', deliver(1, 't1')).said).toEqual([
      'worker-1 was delivered 1 tasks by a broker that had said it was leaving',
    ])
    expect(
      leaving()
        .toBroker('producer-1', submit(1, ['t1']))
        .toNode('producer-1', submitted(1)).said,
    ).toEqual(['producer-1 had a submission answered by a broker that had said it was leaving'])
  })
})

describe('[PROMISE-24] a lease lives its full time', () => {
  const session = sessionOf('worker-1')
  const expired = (atMs: number) => failed('t1', 1, 0, 'lease_expired', atMs)
  const lease = () =>
    new Stream((sources) => new LeaseLife(sources))
      .welcome('worker-1')
      .append(accepted('t1', { leaseMs: 1000 }), ...opened('worker-1'), granted('worker-1', 1, 't1'))
  const renewed = (atMs: number) => ({ type: 'leasesRenewed' as const, session, leases: [1], atMs })

  test('from its grant', () => {
    expect(lease().append(expired(1000)).said).toEqual([])
    expect(lease().append(expired(999)).said).toEqual(['lease 1 of task t1 expired after 999 ms, and lives 1000'])
    expect(lease().append(failed('t1', 1, 0, 'session_lost', 5)).said).toEqual([])
  })

  test('from a renewal, a resumption and a start', () => {
    for (const event of [
      { type: 'leasesRenewed' as const, session, leases: [1], atMs: 500 },
      { type: 'sessionResumed' as const, session, atMs: 500 },
      { type: 'brokerStarted' as const, epoch: 2, nextLease: 9, atMs: 500 },
    ]) {
      expect(lease().append(event, expired(1500)).said).toEqual([])
      expect(lease().append(event, expired(1499)).said).toEqual([
        'lease 1 of task t1 expired after 999 ms, and lives 1000',
      ])
    }
  })

  test('from a heartbeat that was answered, by any clock', () => {
    const beaten = () =>
      lease()
        .after(900)
        .toBroker('worker-1', { type: 'heartbeat', ref: 1, leases: [1] })
        .toNode('worker-1', { type: 'renewed', ref: 1, lost: [] })
    expect(beaten().append(renewed(900)).after(1000).append(expired(1900)).said).toEqual([])
    expect(beaten().after(200).append(expired(1100)).said).toEqual([
      'lease 1 of task t1 expired 200 ms after an answered heartbeat',
    ])
    const lost = lease()
      .after(900)
      .toBroker('worker-1', { type: 'heartbeat', ref: 1, leases: [1] })
    lost.toNode('worker-1', { type: 'renewed', ref: 1, lost: [1] })
    expect(lost.after(200).append(expired(1100)).said).toEqual([])
  })
})
