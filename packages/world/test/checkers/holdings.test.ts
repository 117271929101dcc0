import { describe, expect, test } from 'vitest'
import { Holdings } from '../../src/checkers/holdings.ts'
import { Stream } from './stream.ts'

describe('[HOST-6] the host keeps its own bounds', () => {
  const hosting = {
    connectionsMax: 4,
    pendingConnectionsMax: 3,
    waitersMax: 2,
    bodyCacheBytesMax: 1,
    helloTimeoutMs: 1000,
  }
  const host = () =>
    new Stream((sources) => new Holdings(sources), { hosting }).see({
      type: 'nodeStarted',
      node: 'broker',
      incarnation: 1,
    })
  const holding = (connections: number, pendingConnections: number, waiters: number, cachedBytes: number) => {
    const stream = host()
    stream.held = { connections, pendingConnections, waiters, cachedBytes }
    return stream.write().said
  }

  test('[HOST-12] in what it holds', () => {
    expect(holding(4, 3, 2, 1)).toEqual([])
    expect(holding(5, 4, 3, 2)).toEqual([
      'the broker holds 5 connections, at most 4 are allowed',
      'the broker holds 4 connections that have not said hello, at most 3 are allowed',
      'the broker holds 3 requests that wait for an outcome, at most 2 are allowed',
      'the broker holds 2 bytes of bodies in its cache, at most 1 are allowed',
    ])
  })

  const connected = { type: 'connected', node: 'worker-1', connection: 101 } as const

  test('in how long it waits for a hello', () => {
    const silent = (stream: Stream) => stream.after(1301).write().said
    expect(host().see(connected).after(1300).write().said).toEqual([])
    expect(silent(host().see(connected))).toEqual([
      'the broker has heard nothing over connection 101 of worker-1 and keeps it open',
    ])
    expect(silent(host().see(connected).toBroker('worker-1', { type: 'ping', ref: 1 }))).toEqual([])
    const closed = { type: 'disconnected', node: 'worker-1', connection: 101, side: 'broker', code: 4003 } as const
    expect(silent(host().see(connected, closed))).toEqual([])
    // Refused before the client knew that it was open.
    expect(silent(host().see(closed, connected))).toEqual([])
    // Lost with the broker's program, which had not heard of its end.
    const restarted = { type: 'nodeStarted', node: 'broker', incarnation: 2 } as const
    expect(silent(host().see(connected, { type: 'nodeStopped', node: 'broker', how: 'crashed' }, restarted))).toEqual(
      [],
    )
    expect(silent(host().see({ ...restarted, node: 'worker-2' }, connected))).toHaveLength(1)
    expect(silent(host().see(restarted, connected))).toHaveLength(1)
    const paused = { type: 'faultStarted', fault: { type: 'pause', node: 'broker', forMs: 9 }, number: 1 } as const
    expect(silent(host().see(connected, paused))).toEqual([])
  })
})
