import type { ClientMessage } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { Heartbeats } from '../../src/checkers/heartbeats.ts'
import { complete, connectionOf, deliver, revoke, Stream, settled, welcomeOf } from './stream.ts'

const HEARTBEAT_MS = 1000

const beaten = (node = 'worker-1') =>
  new Stream((sources) => new Heartbeats(sources)).welcome(node, { heartbeatMs: HEARTBEAT_MS })
const says = (message: ClientMessage, node = 'worker-1') =>
  ({ type: 'sentToBroker', node, connection: connectionOf(node), message }) as const
const beat = (...leases: number[]) => says({ type: 'heartbeat', ref: 9, leases })
const working = (leaseMs = 30_000) => beaten().told('worker-1', { ...deliver(1, 't1'), leaseMs })
const later = (stream: Stream) => stream.after(1).see({ type: 'nodeStarted', node: 'worker-2', incarnation: 1 }).said
/** What is said of leases. */
const ofLeases = (stream: Stream) => later(stream).filter((complaint) => complaint.includes('lease'))
const missed = (leaseMs: number, ms: number) =>
  `worker-1 has named lease 1 of task t1, which lives for ${leaseMs} ms, in no heartbeat for ${ms} ms`

describe('[CLIENT-1] a worker names each lease that it holds', () => {
  test('as often as it was asked to', () => {
    expect(ofLeases(working().after(1003))).toEqual([missed(30_000, 1004)])
    expect(ofLeases(working().after(1000).see(beat(1)).after(1000).see(beat(1)))).toEqual([])
    expect(ofLeases(working().after(1000).see(beat()).after(5))).toEqual([missed(30_000, 1006)])
  })

  test('and a short one three times in its life', () => {
    expect(ofLeases(working(300).after(103))).toEqual([missed(300, 104)])
    expect(ofLeases(working(300).after(100).see(beat(1)).after(100))).toEqual([])
  })

  test('says so once', () => {
    const stream = working().after(2000)
    ofLeases(stream)
    expect(ofLeases(stream.after(2000))).toHaveLength(1)
  })

  test('until it has answered it, or has lost it', () => {
    expect(
      ofLeases(
        working()
          .see(says(complete(1, [1])))
          .after(5000),
      ),
    ).toEqual([])
    expect(
      ofLeases(
        working()
          .see(says({ type: 'release', ref: 1, leases: [1] }))
          .after(5000),
      ),
    ).toEqual([])
    const failure = { lease: 1, error: { message: 'no' } }
    expect(
      ofLeases(
        working()
          .see(says({ type: 'fail', ref: 1, failures: [failure] }))
          .after(5000),
      ),
    ).toEqual([])
    expect(ofLeases(working().told('worker-1', revoke(1)).after(5000))).toEqual([])
    expect(
      ofLeases(
        working()
          .told('worker-1', { type: 'renewed', ref: 1, lost: [1] })
          .after(5000),
      ),
    ).toEqual([])
  })

  test('and from its return on where it was away', () => {
    const away = () =>
      working()
        .see({ type: 'disconnected', node: 'worker-1', connection: connectionOf('worker-1'), side: 'node', code: 1006 })
        .after(5000)
    const back = { heartbeatMs: HEARTBEAT_MS, resumed: true }
    expect(ofLeases(away())).toEqual([])
    expect(ofLeases(away().told('worker-1', welcomeOf('worker-1', back)).after(1003))).toEqual([missed(30_000, 1004)])
    const lost = { ...back, lostLeases: [1] }
    expect(ofLeases(away().told('worker-1', welcomeOf('worker-1', lost)).after(5000))).toEqual([])
    const anew = { ...back, resumed: false }
    expect(ofLeases(away().told('worker-1', welcomeOf('worker-1', anew)).after(5000))).toEqual([])
  })

  test('unless it is slow, has ended or left, or is no honest worker', () => {
    const pause = { type: 'pause', node: 'worker-1', forMs: 10 } as const
    expect(ofLeases(working().see({ type: 'faultStarted', fault: pause, number: 1 }).after(5000))).toEqual([])
    expect(ofLeases(working().see({ type: 'nodeStopped', node: 'worker-1', how: 'crashed' }).after(5000))).toEqual([])
    expect(
      ofLeases(
        working()
          .see(says({ type: 'bye' }))
          .after(5000),
      ),
    ).toEqual([])
    expect(ofLeases(beaten('worker-3').told('worker-3', deliver(1, 't1')).after(5000))).toEqual([])
  })
})

describe('[CLIENT-1] a worker names no lease that it does not hold', () => {
  const stranger = ['worker-1 names lease 1 in a heartbeat, which it does not hold']
  const named = (stream: Stream) => stream.after(10).see(beat(1)).said

  test('be it lost, answered for good, or never its own', () => {
    expect(named(beaten())).toEqual(stranger)
    expect(named(working().told('worker-1', revoke(1)))).toEqual(stranger)
    expect(
      named(
        working()
          .see(says(complete(2, [1])))
          .told('worker-1', settled(2)),
      ),
    ).toEqual(stranger)
    expect(
      named(
        working()
          .see(says(complete(2, [1])))
          .told('worker-1', settled(2, [0])),
      ),
    ).toEqual(stranger)
  })

  test('but one whose answer is under way, or is to be given again', () => {
    expect(named(working().see(says(complete(2, [1]))))).toEqual([])
    const busy = { code: 'busy', message: 'later', retryAfterMs: 5 } as const
    const later = { type: 'settled' as const, ref: 2, refused: [{ index: 0, error: busy }] }
    expect(
      named(
        working()
          .see(says(complete(2, [1])))
          .told('worker-1', later),
      ),
    ).toEqual([])
  })

  test('nor one that it loses as it speaks', () => {
    expect(working().told('worker-1', revoke(1)).see(beat(1)).said).toEqual([])
  })
})

describe('[CLIENT-1] a client says something', () => {
  const silent = (node: string, ms: number) => [`${node} has said nothing for ${ms} ms, and was to within 1000`]

  test('as often as it was asked to, be it a worker or not', () => {
    expect(later(beaten().after(1003))).toEqual(silent('worker-1', 1004))
    expect(later(beaten('producer-1').after(1003))).toEqual(silent('producer-1', 1004))
    expect(
      later(
        beaten()
          .after(1000)
          .see(says({ type: 'ping', ref: 1 }))
          .after(1000),
      ),
    ).toEqual([])
  })

  test('where it has a connection', () => {
    const lost = {
      type: 'disconnected',
      node: 'worker-1',
      connection: connectionOf('worker-1'),
      side: 'node',
      code: 1006,
    } as const
    expect(later(beaten().see(lost).after(5000))).toEqual([])
    expect(later(beaten().see({ type: 'nodeStopped', node: 'worker-1', how: 'crashed' }).after(5000))).toEqual([])
    expect(later(beaten('worker-3').after(5000))).toEqual([])
  })
})
