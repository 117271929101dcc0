import { describe, expect, test } from 'vitest'
import { ClientDuties } from '../../src/checkers/client-duties.ts'
import type { Scenario } from '../../src/index.ts'
import { accepted, connectionOf, deliver, failed, granted, Stream, welcomeOf } from './stream.ts'

const duties = (over: Partial<Scenario> = {}) =>
  new Stream((sources) => new ClientDuties(sources), over).welcome('worker-1')
const says = (node: string, message: object) =>
  ({ type: 'sentToBroker', node, connection: connectionOf(node), message }) as never

/** A handler of worker-1 begins. */
const begun = {
  type: 'handlerStarted',
  node: 'worker-1',
  id: 't1',
  queue: 'q',
  attempt: 1,
  body: '',
  run: 1,
} as const

describe('[WORLD-3] where nothing goes wrong', () => {
  const expired = (stream: Stream, leaseMs: number, node = 'worker-1') =>
    stream
      .append(accepted('t1', { leaseMs }))
      .append(granted(node, 1, 't1'))
      .append(failed('t1', 1, 0, 'lease_expired', leaseMs)).said

  test('no lease of an honest worker expires', () => {
    expect(expired(duties(), 1500)).toEqual([
      'a lease of worker-1 on task t1 expired after 1500 ms, and nothing had gone wrong',
    ])
  })

  test('but a short one, one of a liar, one of a worker that stopped, and any where something may go wrong', () => {
    expect(expired(duties(), 800)).toEqual([])
    expect(expired(duties().welcome('worker-3'), 1500, 'worker-3')).toEqual([])
    expect(expired(duties().see({ type: 'nodeStopped', node: 'worker-1', how: 'crashed' }), 1500)).toEqual([])
    expect(expired(duties({ faultRates: { crash: 1000 } }), 1500)).toEqual([])
  })
})

test('[WORLD-3] no connection falls silent where nothing goes wrong', () => {
  const silent = (stream: Stream, node = 'worker-1', code = 4007) =>
    stream.see({ type: 'disconnected', node, connection: connectionOf(node), side: 'broker', code }).said
  expect(silent(duties())).toEqual(['worker-1 gave up a connection as silent, and nothing had gone wrong'])
  expect(silent(duties(), 'worker-1', 1000)).toEqual([])
  expect(silent(duties().welcome('worker-3'), 'worker-3')).toEqual([])
  expect(silent(duties({ faultRates: { crash: 1000 } }))).toEqual([])
  // A full batch keeps the next input waiting.
  expect(silent(duties({ hosting: { stagedBytesMax: 1 } }))).toEqual([])
})

describe('[WORLD-3] over a link on which one frame and a ping take longer than one and a half heartbeats', () => {
  const network = { delayMs: { kind: 'constant', value: 400 }, windowBytes: 1000 } as const
  const connection = connectionOf('worker-1')
  const slow = () => duties({ network }).told('worker-1', welcomeOf('worker-1', { heartbeatMs: 1000 }))
  const frame = (by: 'node' | 'broker', bytes: number) =>
    ({ type: 'frame', node: 'worker-1', connection, by, bytes, messages: 1, buffered: 0 }) as const
  const pong = { type: 'pong', ref: 1 } as const
  const heard = { type: 'heardByNode', node: 'worker-1', connection, message: pong } as const
  const end = { type: 'disconnected', node: 'worker-1', connection, side: 'node', code: 4007 } as const
  const complaint = ['worker-1 gave up a connection as silent, and nothing had gone wrong']

  test('one may fall silent while such a frame is under way, whoever sent it', () => {
    expect(slow().see(frame('broker', 2100), end).said).toEqual([])
    expect(slow().see(frame('node', 2100), end).said).toEqual([])
    expect(slow().see(frame('broker', 50), frame('broker', 2100), heard, end).said).toEqual([])
  })

  test('but not while there is none, or it has arrived, or waits behind what is to be heard before it', () => {
    expect(slow().see(end).said).toEqual(complaint)
    expect(slow().see(frame('broker', 1900), end).said).toEqual(complaint)
    expect(slow().see(frame('broker', 2100), heard, end).said).toEqual(complaint)
    expect(slow().see(frame('node', 2100)).toBroker('worker-1', pong).see(end).said).toEqual(complaint)
    expect(slow().see(frame('broker', 50), frame('broker', 2100), end).said).toEqual(complaint)
  })

  test('nor on another connection, nor where the window is wide', () => {
    expect(slow().see({ ...frame('broker', 2100), connection: 7 }, end).said).toEqual(complaint)
    const wide = duties({ network: { delayMs: network.delayMs } }).welcome('worker-1', { heartbeatMs: 1000 })
    expect(wide.see(frame('broker', 2100), end).said).toEqual(complaint)
  })
})

describe('[CLIENT-9] a worker that leaves', () => {
  const restart = { type: 'restart', node: 'worker-1', restartAfterMs: 10 } as const
  const credit = (many: number) => says('worker-1', { type: 'credit', credit: many, queues: ['q'] })

  test('asks for nothing more', () => {
    const stream = duties().see({ type: 'faultStarted', fault: restart, number: 1 })
    expect(stream.see(credit(0)).said).toEqual([])
    expect(stream.see(credit(4)).said).toEqual(['worker-1 was asked to leave and asks for 4 tasks'])
  })

  test('may ask as long as it has not heard of it', () => {
    for (const type of ['pause', 'hide'] as const) {
      const pause = { type, node: 'worker-1', forMs: 100 } as const
      const stream = duties().see({ type: 'faultStarted', fault: pause, number: 1 })
      expect(stream.see({ type: 'faultStarted', fault: restart, number: 2 }, credit(4)).said).toEqual([])
    }
  })

  const beat = says('worker-1', { type: 'heartbeat', ref: 1, leases: [1] })
  test('[CLIENT-8] keeps nothing that it has not begun', () => {
    const stream = () => duties().told('worker-1', deliver(1, 't1'))
    expect(stream().see(beat).said).toEqual([])
    expect(stream().see(begun, credit(0), beat).said).toEqual([])
    expect(stream().see(credit(0), says('worker-1', { type: 'release', ref: 1, leases: [1] }), beat).said).toEqual([])
    expect(stream().see(credit(0), beat).said).toEqual([
      'worker-1 wants no more tasks and keeps lease 1 of task t1, which it has not begun',
    ])
  })
})

describe('[CLIENT-8] a worker that wants no more tasks', () => {
  const credit = (many: number) => says('worker-1', { type: 'credit', credit: many, queues: ['q'] })
  const sated = () => duties().told('worker-1', deliver(1, 't1')).see(credit(0))

  test('begins none', () => {
    expect(sated().see(begun).said).toEqual(['worker-1 has said that it wants no more tasks and begins task t1'])
    expect(sated().see({ ...begun, node: 'worker-2' }).said).toEqual([])
  })

  test('until it wants some again, here or on another connection, or in its next life', () => {
    const { node } = begun
    const beat = says(node, { type: 'heartbeat', ref: 1, leases: [1] })
    expect(sated().see(credit(4), beat, begun).said).toEqual([])
    const lost = { type: 'disconnected', node, connection: connectionOf(node), side: 'node', code: 1006 } as const
    expect(sated().see(lost, begun).said).toEqual([])
    expect(sated().see({ type: 'nodeStopped', node, how: 'crashed' }, begun).said).toEqual([])
  })
})

test('[CLIENT-9] a worker that has left kept nothing that it had not begun', () => {
  const credit = says('worker-1', { type: 'credit', credit: 0, queues: ['q'] })
  const bye = says('worker-1', { type: 'bye' })
  const stream = () => duties().told('worker-1', deliver(1, 't1')).after(2000)
  expect(stream().see(credit, bye).said).toEqual(['worker-1 has left and kept 1 leases that it had not begun'])
  expect(
    stream()
      .told('worker-1', { type: 'revoke', leases: [1], reason: 'expired' })
      .see(credit, bye).said,
  ).toEqual([])
  expect(stream().see(credit, says('worker-1', { type: 'release', ref: 1, leases: [1] }), bye).said).toEqual([])
})

test('[CLIENT-1] nobody pings more often than asked', () => {
  const ping = says('worker-1', { type: 'ping', ref: 1 })
  const stream = duties()
  for (let beats = 0; beats < 5; beats += 1) stream.after(5000).see(ping)
  expect(stream.said).toEqual([])
  for (let beats = 0; beats < 3; beats += 1) stream.after(100).see(ping)
  expect(stream.said).toEqual(['worker-1 pinged 4 times within 5000 ms on connection 101'])
})
