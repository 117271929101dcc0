import { createState, type Event, engineConfig } from '@sluice/engine'
import { describe, expect, test } from 'vitest'
import { LateDeliveries } from '../../src/checkers/late-deliveries.ts'
import { SilentSessions } from '../../src/checkers/silent-sessions.ts'
import { Stalls } from '../../src/checkers/stalls.ts'
import { accepted, deliver, failed, granted, opened, released, Stream, sessionOf, succeeded } from './stream.ts'

const session = sessionOf('worker-1')
const revoked = (lease: number) => ({ session, lease })
const expired = (id: string, lease: number, atMs: number): Event => ({
  ...failed(id, 1, 0, 'lease_expired', atMs),
  revoked: revoked(lease),
})
const heard = (atMs: number, restMs = 1000): Event => ({
  type: 'sessionHeard',
  session,
  restUntilMs: atMs + restMs,
  atMs,
})
const rested = (atMs: number): Event => ({ type: 'sessionRested', session, atMs })

describe('[SESSION-6] a session that let a lease expire', () => {
  const silent = () =>
    new Stream((sources) => new SilentSessions(sources))
      .welcome('worker-1')
      .append(accepted('t1'), accepted('t2'), ...opened('worker-1'), granted('worker-1', 1, 't1'))
      .append(granted('worker-1', 2, 't2'), expired('t1', 1, 100))
  const grant = (atMs: number) => granted('worker-1', 3, 't1', atMs)

  test('is granted nothing until it was heard and has rested', () => {
    expect(silent().append(grant(200)).said).toEqual([`task t1 was granted to session ${session}, which was silent`])
    expect(silent().append(heard(200), grant(300)).said).toEqual([
      `task t1 was granted to session ${session}, which was resting`,
    ])
    expect(silent().append(heard(200), rested(1200), grant(1200)).said).toEqual([])
  })

  test('rests for its time, and for the time of a stall', () => {
    const early = `session ${session} had rested before its time`
    expect(silent().append(heard(200), rested(1199)).said).toEqual([early])
    const stall: Event = { type: 'brokerStalled', ms: 500, atMs: 900 }
    expect(silent().append(heard(200), stall, rested(1699)).said).toEqual([early])
    expect(silent().append(heard(200), stall, rested(1700)).said).toEqual([])
  })

  test('rests the longer the more often, until it settles one', () => {
    const twice = () =>
      silent().append(heard(200), { ...released('t2'), lost: 'lease_expired', revoked: revoked(2), atMs: 300 })
    expect(twice().append(heard(400)).said).toEqual([
      `session ${session} is to rest for 1000 ms, and was silent 2 times`,
    ])
    expect(twice().append(heard(400, 2000)).said).toEqual([])
    const settled = silent().append(heard(200), succeeded('t2', 300), rested(1200), grant(1200), expired('t1', 3, 2000))
    expect(settled.append(heard(3000)).said).toEqual([])
  })

  test('is heard with its first message', () => {
    const speaks = (stream: Stream, atMs: number) => {
      stream.brokerMs = atMs
      return stream.toBroker('worker-1', { type: 'ping', ref: 1 })
    }
    const other = granted('worker-2', 3, 't1', 300)
    expect(speaks(silent(), 200).append(other).said).toEqual([
      `session ${session} was heard after its lease had expired, and is taken to be silent`,
    ])
    expect(speaks(silent(), 200).append(heard(200), other).said).toEqual([])
    expect(speaks(silent(), 100).append(other).said).toEqual([])
    const away: Event = { type: 'sessionDisconnected', session, graceEndsAtMs: 9000, atMs: 50 }
    const gone = new Stream((sources) => new SilentSessions(sources)).append(
      accepted('t1'),
      ...opened('worker-1'),
      granted('worker-1', 1, 't1'),
      away,
    )
    expect(gone.append(expired('t1', 1, 100), { type: 'sessionResumed', session, atMs: 200 }, grant(200)).said).toEqual(
      [],
    )
  })

  test('is given work again when it has rested', () => {
    const stream = new Stream((sources) => new SilentSessions(sources))
    const state = createState(engineConfig())
    const resting = { id: session, phase: 'connected', silence: 'resting', restUntilMs: 1000 }
    state.sessions.set(session, resting as never)
    stream.state = state
    stream.see({ type: 'nodeStarted', node: 'broker', incarnation: 1 }).after(1000)
    stream.brokerMs = 1300
    expect(stream.write().said).toEqual([])
    stream.brokerMs = 1301
    expect(stream.write().said).toEqual([`session ${session} rests for longer than it has to`])
  })
})

describe('[LEASE-10] while the broker stands still', () => {
  const fault = { type: 'pause', node: 'broker', forMs: 10_000 } as const
  /** A broker that stands still from 1000 ms to 11,000 ms of its clock, which is the world's. */
  const stalled = (...events: Event[]) => {
    const stream = new Stream((sources) => new Stalls(sources)).append(
      accepted('t1', { leaseMs: 5000 }),
      ...opened('worker-1'),
      ...events,
    )
    stream
      .after(1000)
      .see({ type: 'faultStarted', number: 1, fault })
      .after(10_000)
      .see({ type: 'faultEnded', number: 1 })
    stream.brokerMs = stream.nowMs
    return stream
  }
  const grant = granted('worker-1', 1, 't1')

  test('no lease runs out', () => {
    const after = (atMs: number) => stalled(grant).append(expired('t1', 1, atMs)).said
    expect(after(11_000)).toEqual(['lease 1 of task t1 ended 3498 ms early, the broker having stood still for 9498 ms'])
    expect(after(15_000)).toEqual([])
  })

  test('and no grace window', () => {
    const away: Event = { type: 'sessionDisconnected', session, graceEndsAtMs: 5000, atMs: 0 }
    const closed = (atMs: number): Event => ({ type: 'sessionClosed', session, atMs })
    expect(stalled(away).append(closed(11_000)).said).toHaveLength(1)
    expect(stalled(away).append(closed(15_000)).said).toEqual([])
    const back: Event = { type: 'sessionResumed', session, atMs: 500 }
    expect(stalled(away, back).append(closed(11_000)).said).toEqual([])
  })

  test('but what was renewed behind it lives its time, and what a new broker took up', () => {
    const renewed: Event = { type: 'leasesRenewed', session, leases: [1], atMs: 11_000 }
    expect(stalled(grant).append(renewed, expired('t1', 1, 16_000)).said).toEqual([])
    const started = { type: 'nodeStarted', node: 'broker', incarnation: 2 } as const
    expect(
      stalled(grant)
        .see(started)
        .append(expired('t1', 1, 11_000)).said,
    ).toEqual([])
  })
})

describe('[HOST-3] a lease counts from when its delivery leaves', () => {
  const lease = () => {
    const stream = new Stream((sources) => new LateDeliveries(sources))
    stream.brokerMs = 0
    return stream
      .welcome('worker-1')
      .append(accepted('t1', { leaseMs: 1000 }), ...opened('worker-1'), granted('worker-1', 1, 't1'))
  }
  const leaves = (stream: Stream, atMs: number) => {
    stream.brokerMs = atMs
    return stream.toNode('worker-1', deliver(1, 't1'))
  }

  test('and lives its time from then', () => {
    expect(leaves(lease(), 500).append(expired('t1', 1, 1000)).said).toEqual([
      'lease 1 of task t1 expired 500 ms after its delivery had left, and lives 1000',
    ])
    expect(leaves(lease(), 500).append(expired('t1', 1, 1500)).said).toEqual([])
    expect(leaves(lease(), 10).append(expired('t1', 1, 1000)).said).toEqual([])
  })

  test('and does not expire in the broker, but where its session is away', () => {
    expect(lease().append(expired('t1', 1, 1000)).said).toEqual([
      'lease 1 of task t1 expired before its delivery had left the broker',
    ])
    const lost = { type: 'disconnected', node: 'worker-1', connection: 101, side: 'broker', code: 1006 } as const
    expect(
      lease()
        .see(lost)
        .append(expired('t1', 1, 1000)).said,
    ).toEqual([])
  })
})
