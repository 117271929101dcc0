import type { BrokerMessage, Role, Welcome } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { Terms } from '../../src/checkers/terms.ts'
import { accepted, cancelled, deliver, failed, granted, revoke, Stream, settled, welcomeOf } from './stream.ts'

describe('[HOST-21] the terms that a client is told are those that hold', () => {
  const terms = () => new Stream((sources) => new Terms(sources), { engine: { submitCredit: 10 } })
  const granting = () => terms().append(accepted('t1', { timeLimitMs: 9 }), granted('worker-1', 1, 't1'))

  test('[MSG-11] in a welcome', () => {
    const welcomed = (over: Partial<Welcome> = {}) => terms().welcome('worker-1', over).said
    expect(welcomed()).toEqual([])
    expect(welcomed({ graceMs: 1 })).toEqual(['worker-1 was welcomed with graceMs 1, and it is 10000'])
    for (const over of [{ submitCredit: 11 }, { heartbeatMs: 1 }, { durability: 'relaxed' }, { version: 2 }] as const)
      expect(welcomed(over)).toHaveLength(1)
    const { limits } = welcomeOf('worker-1')
    expect(welcomed({ limits: { ...limits, creditMax: 1 } })).toEqual([
      'worker-1 was welcomed with the limit creditMax 1, and it is 10000',
    ])
  })

  test('with a delivery', () => {
    const delivered = (over: object) =>
      granting().toNode('worker-1', { ...deliver(1, 't1'), timeLimitMs: 9, ...over }).said
    expect(delivered({})).toEqual([])
    expect(delivered({ queue: 'p' })).toEqual(['worker-1 was given task t1 with the queue p, and it has q'])
    expect(delivered({ leaseMs: 1 })).toEqual(['worker-1 was given task t1 with a lease of 1, and it has 30000'])
    expect(delivered({ timeLimitMs: 0 })).toEqual(['worker-1 was given task t1 with a time limit of 0, and it has 9'])
  })

  test('with a lease that is taken away', () => {
    const expired: BrokerMessage = { type: 'revoke', leases: [1], reason: 'expired' }
    const gone = () => granting().append(cancelled('t1'))
    expect(gone().toNode('worker-1', revoke(1)).said).toEqual([])
    expect(gone().toNode('worker-1', expired).said).toEqual([
      'worker-1 was told that lease 1 is expired, and it is cancelled',
    ])
    const late = () => granting().append(failed('t1', 1, 0, 'lease_expired'))
    expect(late().toNode('worker-1', expired).said).toEqual([])
    expect(late().toNode('worker-1', revoke(1)).said).toHaveLength(1)
  })

  test('with a farewell', () => {
    expect(terms().toNode('worker-1', { type: 'drain', retryAfterMs: 1000 }).said).toEqual([])
    expect(terms().toNode('worker-1', { type: 'drain', retryAfterMs: 0 }).said).toEqual([
      'worker-1 was told to come back after 0 ms, not 1000',
    ])
  })

  test('and workers alone are answered as workers', () => {
    const hello = (...roles: Role[]) => terms().toBroker('worker-1', { type: 'hello', versions: [1], roles })
    expect(hello('producer', 'worker').toNode('worker-1', settled(1)).said).toEqual([])
    const other = hello('producer').toBroker('worker-1', { type: 'hello', versions: [1], roles: ['worker'] })
    expect(other.toNode('worker-1', settled(1)).said).toEqual(['worker-1 was sent settled, and is no worker'])
  })
})
