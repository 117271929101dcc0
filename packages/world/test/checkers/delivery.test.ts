import { createState, type EngineConfig, type Event, engineConfig, evolve } from '@sluice/engine'
import { describe, expect, test } from 'vitest'
import { Attempts } from '../../src/checkers/attempts.ts'
import { Credit } from '../../src/checkers/credit.ts'
import { Order } from '../../src/checkers/order.ts'
import {
  accepted,
  complete,
  deliver,
  died,
  fail,
  failed,
  granted,
  opened,
  readied,
  released,
  Stream,
  sessionOf,
  submit,
} from './stream.ts'

describe('[READY-3] priority, order, delay and time-to-live', () => {
  const order = () => new Stream((sources) => new Order(sources)).append(...opened('worker-1'))
  const lease = (n: number, id: string, atMs = 0) => granted('worker-1', n, id, atMs)

  test('the highest priority, then what came back, then the order of acceptance', () => {
    const stream = order().append(accepted('t1'), accepted('t2'), accepted('t3', { priority: 9 }), lease(1, 't3'))
    stream.append(lease(2, 't1')).append(released('t1')).append(lease(3, 't1')).append(lease(4, 't2'))
    expect(stream.said).toEqual([])
  })

  test('[READY-2] a lower priority first', () => {
    const stream = order().append(accepted('t1'), accepted('t2', { priority: 9 }))
    // One that was accepted just before may not have been durable yet.
    stream.append(accepted('t3', { priority: 9 }), lease(1, 't2'))
    expect(stream.append(lease(2, 't1')).said).toEqual([])
    stream.append(released('t1'))
    expect(stream.append(lease(3, 't1')).said).toEqual(['task t1 of priority 5 was leased before one of 9 in q'])
  })

  test('[READY-2] a delay may be over before the acceptance is durable', () => {
    const delayed = () => order().append(accepted('t1'), accepted('t2', { priority: 9, delayMs: 1 }))
    expect(delayed().append(readied('t2', 1), lease(1, 't1', 1)).said).toEqual([])
    expect(
      delayed()
        .append(readied('t2', 1))
        .append(lease(1, 't1', 1)).said,
    ).toEqual(['task t1 of priority 5 was leased before one of 9 in q'])
  })

  test('a later one first', () => {
    expect(order().append(accepted('t1'), accepted('t2'), lease(1, 't2')).said).toEqual([
      'task t2 was leased before t1, accepted before it',
    ])
  })

  test('[READY-4] a new one before one that came back', () => {
    const back = () => order().append(accepted('t1'), accepted('t2'), accepted('t3'), lease(1, 't1'), lease(2, 't2'))
    expect(back().append(released('t1'), lease(3, 't3')).said).toEqual([
      'task t3 was leased before one of its priority that had come back',
    ])
    expect(back().append(released('t2'), released('t1'), lease(3, 't2')).said).toEqual([
      'task t2 was leased again before t1, accepted before it',
    ])
  })

  test('[READY-1] a delay that is cut short', () => {
    const delayed = () =>
      order()
        .toBroker('producer-1', submit(1, ['t1']))
        .append(accepted('t1', { delayMs: 100 }))
    expect(delayed().append(readied('t1', 100), lease(1, 't1', 100)).said).toEqual([])
    expect(delayed().append(readied('t1', 99)).said).toEqual(['task t1 became ready before its delay was over'])
    expect(delayed().after(98).toNode('worker-1', deliver(1, 't1')).said).toEqual([
      'task t1 was delivered 98 ms after its submission, and has a delay of 100',
    ])
    expect(delayed().after(100).toNode('worker-1', deliver(1, 't1')).said).toEqual([])
    const jump = { type: 'clockJump', node: 'broker', byMs: 1000 } as const
    const set = delayed().see({ type: 'faultStarted', fault: jump, number: 1 })
    expect(set.toNode('worker-1', deliver(1, 't1')).said).toEqual([])
  })

  test('[READY-5] a time-to-live that is not kept', () => {
    const mortal = () => order().append(accepted('t1', { ttlMs: 100 }))
    expect(mortal().append(died('t1', 'expired', undefined, 100)).said).toEqual([])
    expect(mortal().append(died('t1', 'expired', undefined, 99)).said).toEqual([
      'task t1 expired before its time-to-live was over',
    ])
    expect(mortal().append(lease(1, 't1', 101)).said).toEqual([
      'task t1 was leased for the first time after its time-to-live of 100 ms',
    ])
    expect(mortal().append(lease(1, 't1', 50), released('t1'), lease(2, 't1', 200)).said).toEqual([])
    expect(mortal().append(lease(1, 't1', 50), released('t1'), died('t1', 'expired', undefined, 200)).said).toEqual([
      'task t1 expired after it had been delivered',
    ])
  })
})

describe('[LEASE-1] credit is neither exceeded nor lost', () => {
  const credited = (credit = 1) =>
    new Stream((sources) => new Credit(sources))
      .append(accepted('t1'), accepted('t2'), ...opened('worker-1', credit))
      .welcome('worker-1')
      .toBroker('worker-1', { type: 'credit', credit, queues: ['q'] })
  const lease = (n: number, id: string) => granted('worker-1', n, id)

  test('what is settled makes room', () => {
    const stream = credited().append(lease(1, 't1')).toNode('worker-1', deliver(1, 't1'))
    stream
      .toBroker('worker-1', complete(1, [1]))
      .append(released('t1'))
      .append(lease(2, 't2'))
    expect(stream.toNode('worker-1', deliver(2, 't2')).finish()).toEqual([])
  })

  test('[LEASE-2] a lease that goes past a session with more room', () => {
    const beside = (credit: number) =>
      credited(2)
        .append(...opened('worker-2', credit))
        .append(lease(1, 't1'))
    expect(beside(2).said).toEqual([])
    expect(beside(3).said).toEqual(['lease 1 was granted to a session with 2 free, and another had 3'])
    const gone = credited(2).append(...opened('worker-2', 3), {
      type: 'sessionDisconnected',
      session: sessionOf('worker-2'),
      graceEndsAtMs: 9,
      atMs: 0,
    })
    expect(gone.append(lease(1, 't1')).said).toEqual([])
    const elsewhere: Event = {
      type: 'creditSet',
      session: sessionOf('worker-2'),
      credit: 3,
      queues: ['other'],
      atMs: 0,
    }
    const other = credited(2).append(...opened('worker-2', 3), elsewhere)
    expect(other.append(lease(1, 't1')).said).toEqual([])
  })

  test('more leases than credit', () => {
    expect(credited().append(lease(1, 't1'), lease(2, 't2')).said).toEqual([
      'lease 2 was granted to a session that holds 2 with it, past its credit of 1',
    ])
  })

  test('[SESSION-2] a session that is away, and one that did not ask', () => {
    const away = { type: 'sessionDisconnected', session: sessionOf('worker-1'), graceEndsAtMs: 9, atMs: 0 } as const
    expect(credited().append(away, lease(1, 't1')).said).toEqual([
      'lease 1 was granted to a session without a connection',
    ])
    const back = { type: 'sessionResumed', session: sessionOf('worker-1'), atMs: 0 } as const
    expect(credited().append(away, back, lease(1, 't1')).said).toEqual([])
    expect(credited().append(accepted('t3', {}, 0, 'other'), lease(1, 't3')).said).toEqual([
      'lease 1 was granted to a session that does not take from other',
    ])
  })

  test('more deliveries on the wire than were asked for', () => {
    const told = credited().toNode('worker-1', deliver(1, 't1'))
    expect(told.toNode('worker-1', deliver(2, 't2')).said).toEqual([
      'worker-1 was told lease 2 and holds 2 with it, past its credit of 1',
    ])
    const revoked = credited().toNode('worker-1', deliver(1, 't1'))
    revoked.toNode('worker-1', { type: 'revoke', leases: [1], reason: 'expired' })
    expect(revoked.toNode('worker-1', deliver(2, 't2')).said).toEqual([])
    // Less was asked for while a delivery was on its way.
    const lowered = credited().toBroker('worker-1', { type: 'credit', credit: 0, queues: ['q'] })
    expect(lowered.toNode('worker-1', deliver(1, 't1')).said).toEqual([])
  })

  test('leases that a resumed session brings along count', () => {
    const hello = { type: 'hello', versions: [1], roles: ['worker'] } as const
    const resumed = credited().toNode('worker-1', deliver(1, 't1'))
    resumed.toBroker('worker-1', {
      ...hello,
      versions: [1],
      roles: ['worker'],
      resume: { session: sessionOf('worker-1'), leases: [1] },
    })
    resumed.welcome('worker-1', { resumed: true })
    expect(resumed.toNode('worker-1', deliver(2, 't2')).said).toHaveLength(1)
  })

  test('[CLIENT-8] more handlers at once than a worker is to run', () => {
    const started = (run: number) =>
      ({ type: 'handlerStarted', node: 'worker-1', id: 't1', queue: 'q', attempt: 1, body: 'b', run }) as const
    const ended = { type: 'handlerEnded', node: 'worker-1', id: 't1', run: 1, how: 'threw' } as const
    expect(credited().see(started(1), ended, started(2)).said).toEqual([])
    expect(credited().see(started(1), started(2)).said).toEqual(['worker-1 runs 2 handlers at once, and is to run 1'])
    const restarted = credited().see(started(1), { type: 'nodeStopped', node: 'worker-1', how: 'crashed' }, started(2))
    expect(restarted.said).toEqual([])
  })

  test('a ready task beside free credit', () => {
    const idle = () => {
      const stream = credited()
      stream.state = createState(engineConfig())
      for (const event of [accepted('t1'), ...opened('worker-1', 1)]) evolve(stream.state, event)
      stream.see({ type: 'nodeStarted', node: 'broker', incarnation: 1 })
      return stream.toNode('worker-1', { type: 'pong', ref: 1 })
    }
    expect(idle().after(2000).toNode('worker-1', { type: 'pong', ref: 2 }).said).toEqual([
      'task t1 of q was ready for 2000 ms beside free credit',
    ])
    expect(idle().finish()).toEqual(['in the end task t1 of q is ready and credit for it is free'])
    // A broker that writes, or that a fault keeps from its work, is not judged.
    expect(idle().write().after(2000).durable().toNode('worker-1', { type: 'pong', ref: 2 }).said).toEqual([])
    const fault = { type: 'slow', node: 'broker', byMs: 900, forMs: 5000 } as const
    const slowed = idle().see({ type: 'faultStarted', number: 1, fault }).toNode('worker-1', { type: 'pong', ref: 2 })
    expect(slowed.after(2000).toNode('worker-1', { type: 'pong', ref: 3 }).said).toEqual([])
  })
})

describe('[RETRY-1] attempts and the waits between them', () => {
  const tried = (options: Parameters<typeof accepted>[1] = {}, engine: Partial<EngineConfig> = {}) =>
    new Stream((sources) => new Attempts(sources), { engine })
      .welcome('worker-1')
      .append(accepted('t1', options), ...opened('worker-1'), granted('worker-1', 1, 't1'))
  const fixed = { retry: { kind: 'fixed', delayMs: 100, jitter: 'none', attemptsMax: 2 } } as const
  const exponential = {
    retry: { kind: 'exponential', delayMs: 100, delayMsMax: 300, jitter: 'none', attemptsMax: 9 },
  } as const

  test('as the policy says', () => {
    const stream = tried(exponential)
    for (const [attempt, delayMs] of [100, 200, 300, 300].entries()) {
      stream.toBroker('worker-1', fail(attempt, attempt + 1)).append(failed('t1', attempt + 1, delayMs))
      stream.append(readied('t1', delayMs), granted('worker-1', attempt + 2, 't1'))
    }
    expect(stream.said).toEqual([])
  })

  test('one attempt more than is allowed', () => {
    const stream = tried(fixed).append(failed('t1', 1, 0, 'lease_expired'), granted('worker-1', 2, 't1'))
    expect(stream.said).toEqual([])
    expect(stream.append(failed('t1', 2, 1000, 'lease_expired'), readied('t1', 1000)).said).toEqual([
      'task t1 is tried again after 2 attempts of 2',
    ])
    expect(stream.append(granted('worker-1', 3, 't1')).said).toContain(
      'task t1 is tried 3 times, at most 2 are allowed',
    )
    const none = tried({ retry: { kind: 'none' } }).append(failed('t1', 1, 0, 'lease_expired'))
    expect(none.said).toEqual(['task t1 is tried again after 1 attempts of 1'])
    const ran = {
      type: 'handlerStarted',
      node: 'worker-1',
      id: 't1',
      queue: 'q',
      attempt: 3,
      body: 'b',
      run: 1,
    } as const
    expect(tried(fixed).see(ran).said).toEqual(['worker-1 runs attempt 3 of task t1'])
  })

  test('an attempt that is told or recorded with another number', () => {
    expect(tried().toNode('worker-1', deliver(1, 't1', 2)).said).toEqual([
      'task t1 was delivered as attempt 2, and it is attempt 1',
    ])
    const ahead = tried()
      .append(released('t1'))
      .toNode('worker-1', deliver(2, 't1', 2))
      .append(granted('worker-1', 2, 't1'))
    expect(ahead.said).toEqual(['task t1 was delivered as attempt 2, and it is attempt 1'])
    expect(tried().append(failed('t1', 2, 0, 'lease_expired')).said).toEqual([
      'attempt 2 of task t1 is on record, and 1 was made',
    ])
  })

  test('[LEASE-6] handing back too often', () => {
    const stream = tried({}, { releasesMax: 1 }).append(released('t1'), granted('worker-1', 2, 't1'))
    expect(stream.said).toEqual([])
    expect(stream.append(released('t1')).said).toEqual(['task t1 was handed back 2 times without counting an attempt'])
    expect(tried().append({ ...released('t1'), retryAtMs: 10 }).said).toEqual([
      'task t1 waits though it was handed back',
    ])
  })

  test('[RETRY-2] jitter that is always the longest wait', () => {
    const jittered = (...waits: number[]) => {
      const stream = tried({ retry: { kind: 'fixed', delayMs: 100, attemptsMax: 9 } })
      for (const [attempt, waitMs] of waits.entries()) {
        stream.toBroker('worker-1', fail(attempt, attempt + 1)).append(failed('t1', attempt + 1, waitMs))
        stream.append(...(waitMs > 0 ? [readied('t1', waitMs)] : []), granted('worker-1', attempt + 2, 't1'))
      }
      return stream.finish()
    }
    expect(jittered(100, 100, 30, 100, 100)).toEqual([])
    expect(jittered(100, 100, 100, 100)).toEqual([])
    expect(jittered(100, 100, 100, 100, 100)).toEqual(['all of 5 jittered delays were as long as their policies allow'])
  })

  test('[RETRY-2] [RETRY-3] [DEAD-1] [RETRY-4] a wait outside of the policy', () => {
    const failing = (options: Parameters<typeof accepted>[1], waitMs: number, more = {}) =>
      tried(options)
        .toBroker('worker-1', fail(1, 1, more))
        .append(failed('t1', 1, waitMs)).said
    expect(failing(fixed, 99)).toEqual(['task t1 waits 99 ms after attempt 1, outside of 100 to 100'])
    expect(failing(fixed, 101)).toHaveLength(1)
    expect(failing({ retry: { kind: 'fixed', delayMs: 100 } }, 0)).toEqual([])
    expect(failing({ retry: { kind: 'fixed', delayMs: 100 } }, 101)).toHaveLength(1)
    expect(failing(fixed, 7, { retryAfterMs: 7 })).toEqual([])
    expect(failing(fixed, 100, { retryAfterMs: 7 })).toHaveLength(1)
    expect(failing(fixed, 100, { retryable: false })).toEqual(['task t1 is tried again though its worker said not to'])
    expect(tried(fixed).append(failed('t1', 1, 100, 'session_lost')).said).toEqual([
      'task t1 waits 100 ms after a lost attempt, and has to wait 0',
    ])
    const twice = (waitMs: number) =>
      tried({ retry: { ...fixed.retry, attemptsMax: 9 } }).append(
        failed('t1', 1, 0, 'session_lost'),
        granted('worker-1', 2, 't1'),
        failed('t1', 2, waitMs, 'session_lost'),
      ).said
    expect(twice(1000)).toEqual([])
    expect(twice(0)).toEqual(['task t1 waits 0 ms after a lost attempt, and has to wait 1000'])
  })
})
