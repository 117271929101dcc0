import { createState, type Event, engineConfig, evolve } from '@sluice/engine'
import type { ErrorCode, TaskStatus } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { Answers } from '../../src/checkers/answers.ts'
import type { ObservationOf } from '../../src/observation.ts'
import { accepted, cancelled, died, opened, Stream, seqOf, sessionOf } from './stream.ts'

describe('[HOST-20] whoever asks for a task is told what the broker holds', () => {
  const error = { message: 'no' }
  const attempt = { attempt: 1, endedAtMs: 5, how: 'failed', error } as const
  const ready: Event[] = [accepted('t1')]
  const delayed: Event[] = [accepted('t1', { delayMs: 1000 })]
  const leased: Event[] = [
    ...opened('worker-1'),
    ...ready,
    { type: 'leasesGranted', session: sessionOf('worker-1'), lease: 1, tasks: [seqOf('t1')], atMs: 0 },
    { type: 'progressReported', id: 't1', progress: 7, atMs: 0 },
  ]
  const dead: Event[] = [...leased, { ...died('t1', 'not_retryable', attempt), error }]

  function holding(...events: Event[]): Stream {
    const stream = new Stream(() => new Answers())
    stream.state = createState(engineConfig())
    for (const event of events) evolve(stream.state, event)
    stream.brokerMs = 100
    return stream
  }

  /** Asked at 100 ms, answered at 300. */
  function asked(events: Event[], told: TaskStatus, meanwhile: Event[] = []): string[] {
    const stream = holding(...events).toBroker('producer-1', { type: 'query', ref: 1, ids: ['t1'] })
    for (const event of meanwhile) evolve(stream.state as NonNullable<Stream['state']>, event)
    stream.brokerMs = 300
    return stream.toNode('producer-1', { type: 'status', ref: 1, tasks: [told] }).said
  }

  const status: TaskStatus = { id: 't1', state: 'ready', queue: 'q', attempts: 0, ageMs: 200 }
  const wrong = (what: string) => [expect.stringContaining(`producer-1 was told ${what}`)]

  test('as it is', () => {
    expect(asked(ready, status)).toEqual([])
    expect(asked(delayed, { ...status, state: 'delayed', readyInMs: 800 })).toEqual([])
    expect(asked(leased, { ...status, state: 'leased', attempts: 1, progress: 7 })).toEqual([])
    const letter = { ...status, state: 'dead', attempts: 1, progress: 7, reason: 'not_retryable', error } as const
    expect(asked(dead, letter)).toEqual([])
    expect(asked(dead, { ...letter, reason: 'expired' })).toEqual(wrong('the reason "expired" of task t1, and it is'))
    expect(asked(dead, { ...letter, error: { message: 'yes' } })).toEqual(wrong('the failure "yes"'))
  })

  test('every field of it', () => {
    expect(asked(ready, { ...status, state: 'leased' })).toEqual(wrong('the state "leased"'))
    expect(asked(ready, { ...status, queue: 'p' })).toEqual(wrong('the queue "p"'))
    expect(asked(ready, { ...status, attempts: 1 })).toEqual(wrong('the attempts 1'))
    expect(asked(ready, { ...status, readyInMs: 0 })).toEqual(wrong('the wait 0'))
    expect(asked(leased, { ...status, state: 'leased', attempts: 1 })).toEqual(wrong('the progress undefined'))
    expect(asked(ready, { ...status, ageMs: 98 })).toEqual(
      wrong('the age 98 of task t1, which is not within 99 to 301'),
    )
    expect(asked(ready, { ...status, ageMs: 302 })).toEqual(wrong('the age 302'))
    const soon = { ...status, state: 'delayed', readyInMs: 698 } as const
    expect(asked(delayed, soon)).toEqual(wrong('the wait 698 of task t1, which is not within 699 to 901'))
  })

  test('what has changed meanwhile, or was not held, is not judged', () => {
    expect(asked(ready, { ...status, attempts: 9 }, leased.slice(0, 2).concat(leased.slice(3)))).toEqual([])
    expect(asked([], { id: 't1', state: 'unknown' })).toEqual([])
  })

  test('by parts', () => {
    const stream = holding(...ready).toBroker('producer-1', { type: 'query', ref: 1, ids: ['t1'] })
    const part = (attempts: number, more: boolean) =>
      stream.toNode('producer-1', {
        type: 'status',
        ref: 1,
        tasks: [{ ...status, ageMs: 100, attempts }],
        ...(more ? { more } : {}),
      }).said
    expect(part(0, true)).toEqual([])
    expect(part(9, false)).toHaveLength(1)
    // The question has been answered.
    expect(part(9, false)).toHaveLength(1)
  })

  test('by HTTP, with its history', () => {
    const asking = { type: 'asking', node: 'operator', id: 't1', request: 1 } as const
    const answered = (task: ObservationOf<'answered'>['task']) =>
      holding(...dead).see(asking, { type: 'answered', node: 'operator', id: 't1', request: 1, task }).said
    const letter = {
      ...status,
      ageMs: 100,
      state: 'dead',
      attempts: 1,
      progress: 7,
      reason: 'not_retryable',
      error,
    } as const
    expect(answered({ ...letter, history: [attempt] })).toEqual([])
    expect(answered({ ...letter, history: [] })).toEqual([
      'operator was told the attempts [] of task t1, which are [[1,"failed","no"]]',
    ])
    const traced = { ...letter, history: [attempt], error: { ...error, stack: 'at' } }
    expect(answered(traced)).toEqual(['operator was told another stack of task t1 than it failed with'])
    expect(answered(undefined)[0]).toBe('operator was told the state "unknown" of task t1, and it is "dead"')
    const restarted = holding(...dead).see(asking, { type: 'nodeStopped', node: 'broker', how: 'crashed' })
    expect(restarted.see({ type: 'answered', node: 'operator', id: 't1', request: 1, task: undefined }).said).toEqual(
      [],
    )
  })

  test('[CANCEL-2] whether it can be cancelled', () => {
    const cancel = (events: Event[], code?: ErrorCode, ids = ['t1', 't1']) =>
      holding(...events)
        .toBroker('producer-1', { type: 'cancel', ref: 1, ids })
        .toNode('producer-1', {
          type: 'cancelled',
          ref: 1,
          refused: code === undefined ? [] : ids.map((_, index) => ({ index, error: { code, message: 'x' } })),
        }).said
    const is = (told: string, right: string) => [
      `producer-1 asked to cancel task t1, was told ${told}, and it is ${right}`,
    ]
    expect(cancel([], 'unknown_task')).toEqual([])
    expect(cancel([], 'task_finished')).toEqual(is('task_finished', 'unknown_task'))
    expect(cancel([])).toEqual(is('cancelled', 'unknown_task'))
    expect(cancel(dead, 'task_finished')).toEqual([])
    expect(cancel(dead)).toEqual(is('cancelled', 'task_finished'))
    const gone = [...ready, cancelled('t1')]
    expect(cancel(gone)).toEqual([])
    expect(cancel(gone, 'task_finished')).toEqual(is('task_finished', 'cancelled'))
    const byHttp = (code: string) =>
      holding().see(
        { type: 'cancelling', node: 'operator', id: 't1', request: 1 },
        { type: 'cancelAnswered', node: 'operator', id: 't1', request: 1, code },
      ).said
    expect([byHttp('unknown_task'), byHttp('draining')]).toEqual([[], []])
    expect(byHttp('cancelled')).toHaveLength(1)
  })

  test('whether it could be cancelled, each time that it is asked for over HTTP', () => {
    const twice = holding(...ready).see({ type: 'cancelling', node: 'operator', id: 't1', request: 1 })
    for (const event of [cancelled('t1'), { type: 'taskForgotten', id: 't1', atMs: 0 } as const])
      evolve(twice.state as NonNullable<Stream['state']>, event)
    twice.see(
      { type: 'cancelling', node: 'operator', id: 't1', request: 2 },
      { type: 'cancelAnswered', node: 'operator', id: 't1', request: 1, code: 'cancelled' },
      { type: 'cancelAnswered', node: 'operator', id: 't1', request: 2, code: 'unknown_task' },
    )
    expect(twice.said).toEqual([])
  })

  test('whether it can be watched', () => {
    const watch = (events: Event[], unknown: number[]) =>
      holding(...events)
        .toBroker('producer-1', { type: 'watch', ref: 1, ids: ['t1'] })
        .toNode('producer-1', { type: 'watched', ref: 1, unknown }).said
    expect([watch([], [0]), watch(ready, [])]).toEqual([[], []])
    expect(watch([], [])).toEqual(['producer-1 was told to watch task t1, which is not held'])
  })
})
