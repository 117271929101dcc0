import { createState, type Event, type EventOf, engineConfig, evolve } from '@sluice/engine'
import type { BrokerMessage, ClientMessage, ErrorCode } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { DeadLetters } from '../../src/checkers/dead-letters.ts'
import { Errors } from '../../src/checkers/errors.ts'
import { Sessions } from '../../src/checkers/sessions.ts'
import {
  accepted,
  deliver,
  died,
  fail,
  failed,
  granted,
  hasEnded,
  opened,
  Stream,
  sessionOf,
  settled,
  submit,
  submitted,
  succeeded,
  welcomeOf,
} from './stream.ts'

describe('[DEAD-1] dead letters say why', () => {
  const twice = { retry: { kind: 'fixed', attemptsMax: 2, delayMs: 0 } } as const
  const letters = (options: Parameters<typeof accepted>[1] = twice) =>
    new Stream((sources) => new DeadLetters(sources))
      .welcome('worker-1')
      .append(accepted('t1', options), ...opened('worker-1'), granted('worker-1', 1, 't1'))
  const second = () => letters().append(failed('t1', 1), granted('worker-1', 2, 't1'))
  const attempt = (number: number, how: 'failed' | 'lease_expired' = 'failed') => ({
    attempt: number,
    endedAtMs: 0,
    how,
  })

  test('each reason where it is true', () => {
    expect(second().append(died('t1', 'attempts_exhausted', attempt(2))).said).toEqual([])
    expect(second().append(died('t1', 'lease_expired', attempt(2, 'lease_expired'))).said).toEqual([])
    const hopeless = letters().toBroker('worker-1', fail(1, 1, { retryable: false }))
    expect(hopeless.append(died('t1', 'not_retryable', attempt(1))).said).toEqual([])
    const expired = new Stream((sources) => new DeadLetters(sources)).append(accepted('t1', { ttlMs: 5 }))
    expect(expired.append(died('t1', 'expired')).said).toEqual([])
  })

  test('a reason that is not true', () => {
    const because = (event: EventOf<'taskDied'>, stream = letters()) => stream.append(event).said.join()
    expect(because(died('t1', 'attempts_exhausted', attempt(1)))).toContain('1 attempts of 2 were made')
    expect(because(died('t1', 'not_retryable', attempt(1)))).toContain('nobody said that it is not to be tried again')
    expect(because(died('t1', 'expired'))).toContain('it had been delivered')
    expect(because(died('t1', 'lease_expired', attempt(2)), second())).toContain(
      'its last attempt failed in its worker',
    )
    expect(because(died('t1', 'attempts_exhausted', attempt(2, 'lease_expired')), second())).toContain(
      'its last attempt ended as lease_expired',
    )
    expect(because(died('t1', 'attempts_exhausted', attempt(1)), second())).toContain(
      'attempt 1 is on record for attempt 2',
    )
    expect(because(died('t1', 'attempts_exhausted'))).toContain('it was leased without an attempt')
    const hopeless = second().toBroker('worker-1', fail(1, 2, { retryable: false }))
    expect(because(died('t1', 'attempts_exhausted', attempt(2)), hopeless)).toContain('its worker said')
  })

  test('[DEAD-2] a history that is not that of its attempts', () => {
    const dying = died('t1', 'attempts_exhausted', attempt(2))
    const held = (...events: Parameters<typeof evolve>[1][]) => {
      const stream = second()
      stream.state = createState(engineConfig())
      for (const event of [
        accepted('t1', twice),
        ...opened('worker-1'),
        granted('worker-1', 1, 't1'),
        ...events,
        dying,
      ])
        evolve(stream.state, event)
      return stream.append(dying).said
    }
    expect(held(failed('t1', 1), granted('worker-1', 2, 't1'))).toEqual([])
    expect(held()).toEqual(['dead letter t1 has the attempts 2 failed , and was tried as 1 failed ,2 failed '])
  })

  test('[RESULT-2] a number of attempts that is not theirs', () => {
    const dead = second().append(died('t1', 'attempts_exhausted', attempt(2)))
    expect(dead.toNode('producer-1', hasEnded('t1', 'dead', 2)).said).toEqual([])
    expect(dead.toNode('producer-1', hasEnded('t1', 'dead', 1)).said).toEqual([
      'producer-1 was told of 1 attempts of task t1, which had 2',
    ])
  })
})

test('[RESULT-2] whoever waits for a task is told of what it failed', () => {
  const dead = (message: string) =>
    new Stream((sources) => new DeadLetters(sources))
      .welcome('worker-1')
      .append(accepted('t1', { retry: { kind: 'none' } }), ...opened('worker-1'), granted('worker-1', 1, 't1'))
      .toBroker('worker-1', { type: 'fail', ref: 1, failures: [{ lease: 1, error: { message } }] })
      .append(died('t1', 'attempts_exhausted', { attempt: 1, endedAtMs: 0, how: 'failed' }))
  const ended = (error?: { message: string }): BrokerMessage => ({
    type: 'ended',
    tasks: [{ id: 't1', status: 'dead', attempts: 1, reason: 'attempts_exhausted', ...(error ? { error } : {}) }],
  })
  expect(dead('no ink').toNode('producer-1', ended({ message: 'no ink' })).said).toEqual([])
  expect(dead('no ink').toNode('producer-1', ended({ message: 'no paper' })).said).toEqual([
    'producer-1 was told that task t1 failed of no paper, and it was no ink',
  ])
  expect(dead('no ink').toNode('producer-1', ended()).said).toEqual([
    'producer-1 was told that task t1 failed of nothing, and it was no ink',
  ])
})

describe('[SESSION-3] sessions are resumed with what they held', () => {
  const hello = (leases: number[]): ClientMessage => ({
    type: 'hello',
    versions: [1],
    roles: ['worker'],
    resume: { session: sessionOf('worker-1'), leases },
  })
  const session = sessionOf('worker-1')
  /** A session that holds leases 1 and 2. */
  const held = () => {
    const stream = new Stream((sources) => new Sessions(sources))
    const events = [
      accepted('t1'),
      accepted('t2'),
      ...opened('worker-1'),
      granted('worker-1', 1, 't1'),
      granted('worker-1', 2, 't2'),
    ]
    stream.state = createState(engineConfig())
    for (const event of events) evolve(stream.state, event)
    return stream
      .append(...events)
      .welcome('worker-1')
      .told('worker-1', deliver(1, 't1'))
  }
  const handBack = (stream: Stream, id: string) => {
    if (stream.state) evolve(stream.state, { type: 'leaseReleased', id, retryAtMs: 0, atMs: 0 })
    return stream
  }
  const resumed = (lostLeases: number[] = []) => welcomeOf('worker-1', { resumed: true, lostLeases })

  test('and what they did not name is handed back', () => {
    expect(
      held()
        .toBroker('worker-1', hello([1, 2, 7]))
        .toNode('worker-1', resumed([7])).said,
    ).toEqual([])
    expect(handBack(held().toBroker('worker-1', hello([1])), 't2').toNode('worker-1', resumed()).said).toEqual([])
  })

  test('a lease that was held and is lost', () => {
    expect(handBack(held().toBroker('worker-1', hello([1, 2])), 't2').toNode('worker-1', resumed([2])).said).toEqual([
      'worker-1 resumed and was told to have lost lease 2, which it held',
    ])
  })

  test('[HOST-7] a lease that was not held and is left', () => {
    const stream = held().toBroker('worker-1', hello([1, 2, 7]))
    expect(stream.toNode('worker-1', resumed()).after(1).toNode('worker-1', { type: 'pong', ref: 1 }).said).toEqual([
      'worker-1 resumed and was left lease 7, which it does not hold',
    ])
    // It ended between the hello and the welcome: both leave in one frame.
    const revoked = held()
      .toBroker('worker-1', hello([1, 2, 7]))
      .toNode('worker-1', resumed())
      .toNode('worker-1', { type: 'revoke', leases: [7], reason: 'expired' })
    expect(revoked.after(1).toNode('worker-1', { type: 'pong', ref: 1 }).said).toEqual([])
  })

  test('a lease that was not named and is kept', () => {
    expect(
      held()
        .toBroker('worker-1', hello([1]))
        .toNode('worker-1', resumed()).said,
    ).toEqual(['worker-1 resumed without lease 2, which was not handed back'])
  })

  test('[HOST-7] a lease that was not named and is said to be lost', () => {
    expect(
      held()
        .toBroker('worker-1', hello([1, 2]))
        .toNode('worker-1', resumed([9])).said,
    ).toEqual(['worker-1 was told to have lost lease 9, which it did not name'])
  })

  test('[HOST-7] another session than was asked for', () => {
    const stranger = { ...welcomeOf('worker-2', { resumed: true }) }
    expect(
      held()
        .toBroker('worker-1', hello([1]))
        .toNode('worker-1', stranger).said,
    ).toEqual(['worker-1 was given the session of somebody else'])
    const fresh = welcomeOf('worker-2', { lostLeases: [1] })
    expect(
      held()
        .toBroker('worker-1', hello([1]))
        .toNode('worker-1', fresh).said,
    ).toEqual(['worker-1 was given a new session while its old one was held for it'])
    const unknown = { ...hello([1]), resume: { session: 'gone', leases: [1] } } as ClientMessage
    expect(held().toBroker('worker-1', unknown).toNode('worker-1', welcomeOf('worker-2')).said).toEqual([
      'worker-1 has a new session and was left leases of another',
    ])
  })

  test('[CLIENT-4] a client that does not name what it works on', () => {
    const started = {
      type: 'handlerStarted',
      node: 'worker-1',
      id: 't1',
      queue: 'q',
      attempt: 1,
      body: 'b',
      run: 1,
    } as const
    const says = (...leases: number[]) =>
      ({ type: 'sentToBroker', node: 'worker-1', connection: 7, message: hello(leases) }) as const
    expect(held().see(started, says(1)).said).toEqual([])
    expect(held().see(started, says(2)).said).toEqual([
      'worker-1 came back and did not name lease 1, which it works on',
    ])
    const ended = { type: 'handlerEnded', node: 'worker-1', id: 't1', run: 1, how: 'threw' } as const
    expect(held().see(started, ended, says()).said).toEqual([])
  })

  test('[HOST-7] a session that two connections speak for', () => {
    const up = () =>
      new Stream((sources) => new Sessions(sources))
        .see({ type: 'nodeStarted', node: 'broker', incarnation: 1 })
        .welcome('worker-1')
        .see({
          type: 'sentByBroker',
          node: 'worker-1',
          connection: 7,
          message: welcomeOf('worker-1', { resumed: true }),
        })
    expect(up().after(1000).append().said).toEqual([])
    expect(up().after(1001).append().said).toEqual([
      'worker-1 came back on connection 7, and 101 still speaks for its session',
    ])
    const closed = { type: 'disconnected', node: 'worker-1', connection: 101, side: 'broker', code: 4005 } as const
    expect(up().after(500).see(closed).after(1000).append().said).toEqual([])
  })

  test('[SESSION-2] a session that is spoken to and held to be away', () => {
    const stream = held()
    if (stream.state) evolve(stream.state, { type: 'sessionDisconnected', session, graceEndsAtMs: 10_000, atMs: 0 })
    expect(stream.toNode('worker-1', { type: 'pong', ref: 1 }).said).toEqual([
      'the broker speaks to worker-1, whose session it holds to be disconnected',
    ])
  })

  test('[SESSION-4] an attempt that is lost with its session before that is', () => {
    const away = { type: 'sessionDisconnected', session, graceEndsAtMs: 500, atMs: 0 } as const
    const lost = (atMs: number, ...before: Event[]) =>
      new Stream((sources) => new Sessions(sources), { engine: { graceMs: 500 } }).append(
        ...opened('worker-1'),
        accepted('t1'),
        granted('worker-1', 1, 't1'),
        ...before,
        failed('t1', 1, 0, 'session_lost', atMs),
      ).said
    const wrong = ['an attempt at task t1 counts as lost with its session, whose grace window had not ended']
    expect(lost(500, away)).toEqual([])
    expect(lost(499, away)).toEqual(wrong)
    expect(lost(500, away, { type: 'sessionResumed', session, atMs: 500 })).toEqual(wrong)
  })

  test('[SESSION-5] a session that has said goodbye', () => {
    const away = { type: 'sessionDisconnected', session, graceEndsAtMs: 10_000, atMs: 0 } as const
    const leaving = (...events: Event[]) =>
      new Stream((sources) => new Sessions(sources))
        .welcome('worker-1')
        .toBroker('worker-1', { type: 'bye' })
        .append(...opened('worker-1'), ...events, away).said
    expect(leaving()).toEqual(['a session has left with a goodbye and is held as though its connection was lost'])
    // The connection was lost before that.
    const bye = new Stream((sources) => new Sessions(sources)).welcome('worker-1').append(...opened('worker-1'))
    bye.write(away).toBroker('worker-1', { type: 'bye' }).durable()
    expect(bye.append({ type: 'sessionClosed', session, atMs: 0 }).said).toEqual([])
    const together = bye.append(away, { type: 'sessionResumed', session, atMs: 0 })
    expect(together.said).toEqual([])
    // A crash may have undone it.
    expect(leaving({ type: 'brokerStarted', epoch: 2, nextLease: 9, atMs: 0 })).toEqual([])
  })

  test('[SESSION-4] a session that never ends', () => {
    const away = { type: 'sessionDisconnected', session, graceEndsAtMs: 10_000, atMs: 0 } as const
    const stream = new Stream((sources) => new Sessions(sources))
    stream.see({ type: 'nodeStarted', node: 'broker', incarnation: 1 }).append(...opened('worker-1'), away)
    expect(stream.after(15_000).append().finish()).toEqual([])
    expect(stream.after(1).append().finish()).toEqual([
      'a session is held 15001 ms after its connection was lost, and has 10000',
    ])
  })

  test('[SESSION-4] [SESSION-2] a session that ends before its grace window', () => {
    const away = (graceEndsAtMs: number) => ({ type: 'sessionDisconnected', session, graceEndsAtMs, atMs: 0 }) as const
    const closed = (atMs: number) => ({ type: 'sessionClosed', session, atMs }) as const
    const sessions = () =>
      new Stream((sources) => new Sessions(sources)).welcome('worker-1').append(...opened('worker-1'))
    expect(sessions().append(away(10_000)).append(closed(10_000)).said).toEqual([])
    const left = sessions().toBroker('worker-1', { type: 'bye' }).append(closed(0))
    expect(left.said).toEqual([])
    const early = 'a session was closed that had not left and whose grace window had not ended'
    expect(sessions().append(closed(0)).said).toEqual([early])
    expect(sessions().append(away(10_000)).append(closed(9000)).said).toEqual([early])
    expect(sessions().append(away(9000)).said).toEqual(['a session has a grace window of 9000 ms, not 10000'])
  })
})

describe('[ERROR-1] errors are those of the table', () => {
  const errors = () => new Stream((sources) => new Errors(sources))
  const told = (code: string, stream = errors()) =>
    stream.toNode('worker-1', { type: 'error', code: code as ErrorCode, message: 'x' }).said
  const error = (code: ErrorCode) => ({ code, message: 'x' })
  const refused = (code: ErrorCode, stream = errors().toBroker('producer-1', submit(1, ['t1']))) =>
    stream.toNode('producer-1', submitted(1, error(code))).said

  test('where they belong', () => {
    expect(told('slow_reader')).toEqual([])
    expect(refused('busy')).toEqual([])
    expect(errors().toNode('worker-1', settled(1, [0])).said).toEqual([])
    expect(
      errors().see({ type: 'disconnected', node: 'worker-1', connection: 1, side: 'node', code: 4004 }).said,
    ).toEqual([])
  })

  test('[CLOSE-1] codes that are in no table', () => {
    expect(told('tired')).toEqual(['worker-1 was told tired (x), which is in no table'])
    expect(refused('tired' as ErrorCode)[0]).toContain('which is in no table')
    expect(
      errors().see({ type: 'disconnected', node: 'worker-1', connection: 1, side: 'node', code: 4999 }).said,
    ).toEqual(['worker-1 was disconnected with 4999, which is in no table'])
    const producer = { type: 'refused', node: 'producer-1', id: 't1', error: error('tired' as ErrorCode) } as const
    expect(errors().see(producer).said).toHaveLength(1)
  })

  test('[FRAME-1] codes in the wrong place', () => {
    expect(refused('lease_lost')).toEqual(['producer-1 was told lease_lost (x), which is no verdict of a submitted'])
    expect(told('bad_message')).toEqual(['worker-1 was told bad_message (x), and had done nothing of the kind'])
    expect(told('internal')).toEqual(['worker-1 was told internal (x), and no disk had failed'])
    expect(told('internal', errors().see({ type: 'faultStarted', fault: { type: 'failingDisk' }, number: 1 }))).toEqual(
      [],
    )
    const unreadable = { type: 'unreadable', node: 'worker-1', connection: 1, by: 'broker', error: 'x' } as const
    expect(errors().see(unreadable).said).toEqual(['broker sent worker-1 what is no frame: x'])
  })

  test('codes that say what is not so', () => {
    expect(refused('id_conflict')).toEqual([
      'producer-1 was told id_conflict (x), and the task was submitted with no other content',
    ])
    const conflicting = errors()
      .toBroker('producer-1', submit(7, ['t1'], '"abc"'))
      .toBroker('producer-1', submit(1, ['t1']))
    expect(refused('id_conflict', conflicting)).toEqual([])
    expect(refused('too_large')).toEqual(['producer-1 was told too_large (x), of a body of 3 bytes'])
    const small = new Stream((sources) => new Errors(sources), { engine: { queueBytesMax: 2 } })
    const large = small.toBroker('producer-1', submit(1, ['t1']))
    const tooLarge = (limit: number) =>
      large.toNode('producer-1', submitted(1, { code: 'too_large', message: 'x', limit })).said
    expect(tooLarge(2)).toEqual([])
    expect(tooLarge(3)).toEqual(['producer-1 was told too_large (x), with a limit of 3, and it is 2'])
    expect(
      errors()
        .toBroker('producer-1', submit(1, []))
        .toNode('producer-1', submitted(1, error('busy'))).said,
    ).toEqual(['producer-1 was told busy (x), of item 0, which it did not send'])
  })

  test('a task that is said to be finished and is not', () => {
    const cancelling = () =>
      errors()
        .append(accepted('t1'))
        .toBroker('producer-1', { type: 'cancel', ref: 1, ids: ['t1'] })
    const answer = { type: 'cancelled' as const, ref: 1, refused: [{ index: 0, error: error('task_finished') }] }
    expect(cancelling().toNode('producer-1', answer).said).toEqual([
      'producer-1 was told task_finished (x), and it had no outcome',
    ])
    const done = cancelling().append(...opened('worker-1'), granted('worker-1', 1, 't1'), succeeded('t1'))
    expect(done.toNode('producer-1', answer).said).toEqual([])
  })
})
