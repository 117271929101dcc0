import type { ClientMessage } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { Callers } from '../../src/checkers/callers.ts'
import type { ProducerGroup } from '../../src/index.ts'
import { connectionOf, Stream, submit, submitted } from './stream.ts'

const node = 'producer-1'
const connection = connectionOf(node)
const about = { node, id: 't1' }
const busy = { code: 'busy', message: 'full', retryAfterMs: 5 } as const
const says = (message: ClientMessage) => ({ type: 'sentToBroker', node, connection, message }) as const
const submitting = { ...about, type: 'submitting', queue: 'q', body: '', attempt: 1 } as const
const accepted = { ...about, type: 'accepted' } as const
const refused = (error: typeof busy | { code: 'closed'; message: string } = busy) =>
  ({ ...about, type: 'refused', error }) as const

const calling = (over: Partial<ProducerGroup> = {}) =>
  new Stream((sources) => new Callers(sources), {
    producers: [{ count: 1, arrivals: { kind: 'steady', rate: 1 }, tasks: [], ...over }],
  }).welcome(node)
const submits = (over: Partial<ProducerGroup> = {}) => calling(over).see(submitting, says(submit(1, ['t1'])))
const later = (stream: Stream, ms = 10) =>
  stream.after(ms).see({ type: 'nodeStarted', node: 'worker-9', incarnation: 1 }).said

describe('[CLIENT-12] a program that wants to know when there is no room', () => {
  const unheard = ['producer-1 wants to know when there is no room, and was not told so of task t1']
  const full = () => submits({ onBusy: 'giveUp' }).told(node, submitted(1, busy))

  test('is told', () => {
    expect(later(full().see(refused()))).toEqual([])
    expect(later(full())).toEqual(unheard)
  })

  test('if it waits for an answer, and has not stopped', () => {
    expect(later(submits({ onBusy: 'giveUp' }).see(accepted).told(node, submitted(1, busy)))).toEqual([])
    expect(later(full().see({ ...about, type: 'outcomeUnknown', code: 'gaveUp' }))).toEqual([])
    expect(later(full().see({ type: 'nodeStopped', node, how: 'crashed' }))).toEqual([])
    expect(later(submits({ onBusy: 'giveUp' }).told(node, submitted(1)))).toEqual([])
  })

  test('and no other is', () => {
    expect(later(submits().told(node, submitted(1, busy)))).toEqual([])
    expect(submits().see(refused()).said).toEqual([
      'producer-1 was to wait for room for task t1 and was told that there is none',
    ])
    // One that it submits again by hand is not waited for.
    expect(submits({ resubmits: 0.5 }).see(refused()).said).toEqual([])
  })
})

describe('[CLIENT-12] a client that is to close', () => {
  const restart = { type: 'faultStarted', fault: { type: 'restart', node, restartAfterMs: 1 }, number: 1 } as const
  const closed = refused({ code: 'closed', message: '' })

  test('waits 5 s for answers', () => {
    expect(submits().see(restart).after(4000).see(closed).said).toEqual([
      'producer-1 left task t1 without an answer 4000 ms after it was to close',
    ])
    expect(submits().see(restart).after(5000).see(closed).said).toEqual([])
  })

  test('if it was asked to in this life', () => {
    expect(submits().see(closed).said).toEqual([])
    expect(submits().see(restart, { type: 'nodeStarted', node, incarnation: 2 }, closed).said).toEqual([])
  })
})

test('[CLIENT-12] a program hears of a cancellation what its client has heard', () => {
  const cancelled = (code: string) => ({ ...about, type: 'cancelAnswered', code }) as const
  const error = { code: 'task_finished' as const, message: '' }
  const cancels = () => calling().see(says({ type: 'cancel', ref: 2, ids: ['t1'] }))
  const done = () => cancels().told(node, { type: 'cancelled', ref: 2, refused: [] })
  const tooLate = () => cancels().told(node, { type: 'cancelled', ref: 2, refused: [{ index: 0, error }] })
  expect(done().see(cancelled('cancelled')).said).toEqual([])
  expect(tooLate().see(cancelled('task_finished')).said).toEqual([])
  expect(tooLate().see(cancelled('cancelled')).said).toEqual([
    'producer-1 was told cancelled of its cancellation of task t1, and its client was not',
  ])
  expect(cancels().see(cancelled('cancelled')).said).toHaveLength(1)
  // An operator has no client.
  expect(calling().see({ ...cancelled('cancelled'), node: 'operator' }).said).toEqual([])
})

test('[CLIENT-12] a program hears of what a task failed of what its client has heard', () => {
  const dead = (message?: string) =>
    ({
      ...about,
      type: 'outcome',
      status: 'dead',
      reason: 'not_retryable',
      ...(message === undefined ? {} : { failure: { message } }),
    }) as const
  const told = (message?: string) =>
    calling().told(node, {
      type: 'ended',
      tasks: [
        {
          id: 't1',
          status: 'dead',
          attempts: 1,
          reason: 'not_retryable',
          ...(message === undefined ? {} : { error: { message } }),
        },
      ],
    })
  expect(told('no').see(dead('no')).said).toEqual([])
  expect(told().see(dead()).said).toEqual([])
  expect(told('no').see(dead()).said).toEqual([
    'producer-1 was told that task t1 failed of nothing, and its client was not',
  ])
})
