import { describe, expect, test } from 'vitest'
import { LeaseLife } from '../../src/checkers/lease-life.ts'
import { Leaving } from '../../src/checkers/leaving.ts'
import { Punctuality } from '../../src/checkers/punctuality.ts'
import { Silence } from '../../src/checkers/silence.ts'
import {
  accepted,
  cancelled,
  deliver,
  died,
  failed,
  forgotten,
  granted,
  opened,
  readied,
  released,
  Stream,
  sessionOf,
  submit,
  submitted,
} from './stream.ts'

describe('[HOST-13] a broker that is leaving', () => {
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

  test('nor by HTTP, nor over a new connection', () => {
    const byHttp = [
      { type: 'submitting', node: 'operator', id: 't1', queue: 'q', body: 'b', attempt: 1 },
      { type: 'accepted', node: 'operator', id: 't1' },
    ] as const
    expect(leaving().see(...byHttp).said).toEqual([
      'operator had task t1 accepted by a broker that had said it was leaving',
    ])
    expect(new Stream((sources) => new Leaving(sources)).see(...byHttp).said).toEqual([])
    const connecting = { type: 'connecting', node: 'worker-2', connection: 102 } as const
    expect(leaving().see(connecting).welcome('worker-2').said).toEqual([
      'worker-2 connected anew to a broker that had said it was leaving',
    ])
    const started = { type: 'nodeStarted', node: 'broker', incarnation: 2 } as const
    expect(leaving().see(connecting, started).welcome('worker-2').said).toEqual([])
  })
})

describe('[HOST-13] a broker that closes as one that leaves', () => {
  const closed = { type: 'disconnected', node: 'worker-1', connection: 101, side: 'broker', code: 4006 } as const
  const served = () => new Stream((sources) => new Leaving(sources)).welcome('worker-1')

  test('has said so before', () => {
    expect(served().toNode('worker-1', { type: 'drain', retryAfterMs: 1000 }).see(closed).said).toEqual([])
    expect(served().see(closed).said).toEqual(['the broker left worker-1 without a word of it before'])
  })

  test('but to those whom it did not let in, and where it fails', () => {
    expect(new Stream((sources) => new Leaving(sources)).see(closed).said).toEqual([])
    expect(served().see({ ...closed, code: 4009 }).said).toEqual([])
  })
})

describe('[LEASE-5] a lease lives its full time', () => {
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

  test('[SESSION-3] from a renewal, a resumption and a start', () => {
    const resumed = { type: 'sessionResumed' as const, session, atMs: 500 }
    const started = { type: 'brokerStarted' as const, epoch: 2, nextLease: 9, atMs: 500 }
    for (const events of [[renewed(500)], [resumed, renewed(500)], [started]]) {
      expect(lease().append(...events, expired(1500)).said).toEqual([])
      expect(lease().append(...events, expired(1499)).said).toEqual([
        'lease 1 of task t1 expired after 999 ms, and lives 1000',
      ])
    }
    expect(lease().append(resumed, expired(1500)).said).toEqual([
      'the session of lease 1 was resumed, and the lease was not renewed',
    ])
    expect(
      lease()
        .append(resumed, { ...released('t1'), atMs: 500 })
        .append(readied('t9', 900)).said,
    ).toEqual([])
  })

  test('[LEASE-11] but no longer than its time limit allows', () => {
    const limited = () =>
      new Stream((sources) => new LeaseLife(sources), { engine: { graceMs: 200 } })
        .welcome('worker-1')
        .append(
          accepted('t1', { leaseMs: 1000, timeLimitMs: 300 }),
          ...opened('worker-1'),
          granted('worker-1', 1, 't1'),
        )
        .append(renewed(900))
    expect(limited().append(expired(1500)).said).toEqual([])
    expect(limited().append(expired(1499)).said).toEqual(['lease 1 of task t1 expired after 599 ms, and lives 1000'])
    const started = { type: 'brokerStarted' as const, epoch: 2, nextLease: 9, atMs: 950 }
    expect(limited().append(started, renewed(1000), expired(1999)).said).toHaveLength(1)
    expect(limited().append(started, renewed(2000), expired(2450)).said).toEqual([])
  })

  test('[LEASE-4] from a heartbeat that was answered, by any clock', () => {
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

describe('[HOST-19] what is due is done', () => {
  const up = () =>
    new Stream((sources) => new Punctuality(sources))
      .see({ type: 'nodeStarted', node: 'broker', incarnation: 1 })
      .append(accepted('t1', { delayMs: 1000, ttlMs: 5000, leaseMs: 1000, resultTtlMs: 1000 }), ...opened('worker-1'))
  const ready = () => up().append(readied('t1', 1000), granted('worker-1', 1, 't1', 1000))
  const session = sessionOf('worker-1')
  const lateness = (stream: Stream, event: Parameters<Stream['append']>[0]) => stream.after(20_000).append(event).said

  test('in time', () => {
    expect(lateness(up(), readied('t1', 1300))).toEqual([])
    expect(lateness(up(), died('t1', 'expired', undefined, 5300))).toEqual([])
    expect(lateness(ready(), failed('t1', 1, 0, 'lease_expired', 2300))).toEqual([])
    const renewed = ready().append({ type: 'leasesRenewed', session, leases: [1], atMs: 1500 })
    expect(lateness(renewed, failed('t1', 1, 0, 'lease_expired', 2500))).toEqual([])
    expect(lateness(ready(), failed('t1', 1, 0, 'failed', 9000))).toEqual([])
  })

  test('too late', () => {
    expect(lateness(up(), readied('t1', 1301))).toEqual(['the end of the delay of task t1 came 301 ms late'])
    expect(lateness(up(), died('t1', 'expired', undefined, 5400))).toEqual(['the expiry of task t1 came 400 ms late'])
    expect(lateness(ready(), failed('t1', 1, 0, 'lease_expired', 2400))).toEqual([
      'the expiry of lease 1 came 400 ms late',
    ])
    const kept = up().append({ ...cancelled('t1', 0), forgetAtMs: 1000 })
    expect(lateness(kept, forgotten('t1', 2000))).toEqual(['the end of the record of task t1 came 1000 ms late'])
    const away = up().append({ type: 'sessionDisconnected', session, graceEndsAtMs: 1000, atMs: 0 })
    expect(lateness(away, { type: 'sessionClosed', session, atMs: 1400 })).toEqual([
      'the end of a grace window came 400 ms late',
    ])
    const retried = ready().append(failed('t1', 1, 500, 'failed', 1000))
    expect(lateness(retried, readied('t1', 2000))).toEqual(['the end of the delay of task t1 came 500 ms late'])
  })

  test('while something keeps the broker from it', () => {
    const paused = up().see({ type: 'faultStarted', fault: { type: 'pause', node: 'broker', forMs: 9 }, number: 1 })
    expect(lateness(paused, readied('t1', 9000))).toEqual([])
    const restarted = up().after(19_000).see({ type: 'nodeStarted', node: 'broker', incarnation: 2 })
    expect(restarted.after(100).append(readied('t1', 9000)).said).toEqual([])
  })
})

describe('[CLIENT-2] silence is noticed', () => {
  const ping = { type: 'sentToBroker', node: 'worker-1', connection: 101, message: { type: 'ping', ref: 1 } } as const
  const quiet = () => {
    const stream = new Stream((sources) => new Silence(sources))
    return stream
      .see({ type: 'nodeStarted', node: 'broker', incarnation: 1 })
      .welcome('worker-1', { heartbeatMs: 1000 })
  }

  test('by whoever still speaks after four periods of it', () => {
    expect(quiet().after(4100).see(ping).said).toEqual([])
    expect(quiet().after(4101).see(ping).said).toEqual([
      'worker-1 has heard nothing for 4101 ms and still speaks to connection 101',
    ])
    expect(quiet().after(4000).told('worker-1', { type: 'pong', ref: 1 }).after(4000).see(ping).said).toEqual([])
  })
})
