import type { ClientMessage } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { HandlerAnswers } from '../../src/checkers/handler-answers.ts'
import type { Observation, Thrown } from '../../src/observation.ts'
import { complete, connectionOf, deliver, revoke, Stream, settled, welcomeOf } from './stream.ts'

const node = 'worker-1'
const connection = connectionOf(node)
const about = { node, id: 't1', run: 1 }
const returned = { ...about, type: 'handlerEnded', how: 'returned', result: 'r' } as const
const threw = (thrown: Partial<Thrown> = {}) =>
  ({
    ...about,
    type: 'handlerEnded',
    how: 'threw',
    thrown: { name: 'E', message: 'no', ...thrown },
  }) as const
const aborted = (reason: string) => ({ ...about, type: 'handlerAborted', reason }) as const
const says = (message: ClientMessage) => ({ type: 'sentToBroker', node, connection, message }) as const
const release = says({ type: 'release', ref: 1, leases: [1] })
const failure = (more: object = {}, name = 'E', message = 'no') =>
  says({ type: 'fail', ref: 1, failures: [{ lease: 1, error: { name, message }, ...more }] })

const working = () =>
  new Stream((sources) => new HandlerAnswers(sources))
    .welcome(node)
    .told(node, deliver(1, 't1'))
    .see({ ...about, type: 'handlerStarted', queue: 'q', attempt: 1, body: '' } as Omit<Observation, 'atMs'> as never)
const later = (stream: Stream) => stream.after(10).see({ type: 'nodeStarted', node: 'worker-2', incarnation: 1 }).said
const other = ['worker-1 says of lease 1 what its handler did not make of task t1']

describe('[CLIENT-5] a worker says what its handler made of a task', () => {
  test('a result to the byte', () => {
    expect(working().see(returned, says(complete(1, [1]))).said).toEqual([])
    expect(working().see(returned, says(complete(1, [1], '"s"'))).said).toEqual(other)
    expect(working().see(returned, failure()).said).toEqual(other)
    expect(working().see(threw(), says(complete(1, [1]))).said).toEqual(other)
  })

  test('a failure with its name, its message, and what it says of the next attempt', () => {
    expect(working().see(threw(), failure()).said).toEqual([])
    expect(working().see(threw(), failure({}, 'F')).said).toEqual(other)
    expect(working().see(threw(), failure({}, 'E', 'yes')).said).toEqual(other)
    expect(working().see(threw({ retryable: false }), failure()).said).toEqual(other)
    expect(working().see(threw({ retryable: false }), failure({ retryable: false })).said).toEqual([])
    expect(working().see(threw({ retryAfterMs: 5 }), failure({ retryAfterMs: 6 })).said).toEqual(other)
    expect(working().see(threw({ message: 'no more' }), failure({}, 'E', 'no m…')).said).toEqual([])
  })

  test('that its time was over', () => {
    const over = aborted('TimeLimitExceeded: too long')
    expect(working().see(over, failure({}, 'TimeLimitExceeded', 'too long')).said).toEqual([])
    expect(working().see(over, failure()).said).toEqual(other)
    expect(later(working().see(over))).toHaveLength(1)
  })

  test('or that it is handed back, which a goodbye says as well', () => {
    const back = aborted('LeaseLostError: the lease of this attempt is gone (handed_back)')
    expect(later(working().see(back, release))).toEqual([])
    expect(later(working().see(back, says({ type: 'bye' })))).toEqual([])
    expect(working().see(back, failure()).said).toEqual(other)
    expect(working().see(returned, release).said).toEqual(other)
  })

  test('and nothing while it runs', () => {
    const early = ['worker-1 answers for lease 1, and its handler runs']
    expect(working().see(says(complete(1, [1]))).said).toEqual(early)
    expect(working().see(release).said).toEqual(early)
  })
})

describe('[CLIENT-5] a worker says so', () => {
  const silent = ['worker-1 knows what became of task t1 for 10 ms and has not said so']

  test('at once', () => {
    expect(later(working().see(returned))).toEqual(silent)
    expect(later(working().see(returned, says(complete(1, [1]))))).toEqual([])
  })

  test('again after each new connection until it has its answer', () => {
    const back = (stream: Stream) =>
      stream
        .see({ type: 'disconnected', node, connection, side: 'node', code: 1006 })
        .after(5000)
        .told(node, welcomeOf(node, { resumed: true }))
    const said = () => working().see(returned, says(complete(1, [1])))
    expect(later(back(said()))).toEqual(silent)
    expect(later(back(said()).see(says(complete(2, [1]))))).toEqual([])
    expect(later(back(said().told(node, settled(1))))).toEqual([])
  })

  test('unless it has no connection, was slow, or has stopped', () => {
    const lost = { type: 'disconnected', node, connection, side: 'node', code: 1006 } as const
    expect(later(working().see(lost, returned))).toEqual([])
    const pause = { type: 'pause', node, forMs: 10 } as const
    expect(later(working().see({ type: 'faultStarted', fault: pause, number: 1 }, returned))).toEqual([])
    expect(later(working().see(returned, { type: 'nodeStopped', node, how: 'crashed' }))).toEqual([])
  })
})

describe('[CLIENT-5] a worker says nothing of a lease', () => {
  const lost = ['worker-1 answers for lease 1, which it has heard to be lost']
  const say = (stream: Stream) => stream.after(10).see(says(complete(1, [1]))).said

  test('that it has heard to be lost', () => {
    expect(say(working().told(node, revoke(1)))).toEqual(lost)
    expect(
      say(
        working()
          .see(returned)
          .told(node, { type: 'renewed', ref: 5, lost: [1] }),
      ),
    ).toEqual(lost)
    expect(say(working().told(node, welcomeOf(node, { resumed: true, lostLeases: [1] })))).toEqual(lost)
    expect(say(working().told(node, welcomeOf(node)))).toEqual(lost)
  })

  test('unless it is given another of that number', () => {
    expect(say(working().told(node, revoke(1)).told(node, deliver(1, 't2')))).toEqual([])
  })

  test('but what was on its way at that moment', () => {
    expect(
      working()
        .see(returned)
        .told(node, revoke(1))
        .see(says(complete(1, [1]))).said,
    ).toEqual([])
  })
})
