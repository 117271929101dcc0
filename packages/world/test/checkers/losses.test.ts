import type { Event } from '@sluice/engine'
import { describe, expect, test } from 'vitest'
import { Beginnings } from '../../src/checkers/beginnings.ts'
import { ChargedLosses } from '../../src/checkers/charged-losses.ts'
import { DurableGrants } from '../../src/checkers/durable-grants.ts'
import { Suspects } from '../../src/checkers/suspects.ts'
import type { ObservationBody } from '../../src/observation.ts'
import {
  accepted,
  connectionOf,
  deliver,
  died,
  failed,
  forgotten,
  granted,
  type Options,
  opened,
  readied,
  released,
  Stream,
  sessionOf,
} from './stream.ts'

const session = sessionOf('worker-1')
const unbegun = (id: string, atMs = 0) => ({ ...released(id), lost: 'lease_expired' as const, atMs, retryAtMs: atMs })
const lost = (id: string, attempt = 1, atMs = 0) => failed(id, attempt, 0, 'lease_expired', atMs)

describe('[LEASE-7] a lost lease', () => {
  const opening: Event = { type: 'sessionOpened', session, roles: ['worker'], begins: true, atMs: 0 }
  const worker = (over: Parameters<typeof stream>[0] = {}) => stream(over)
  function stream(over: { opening?: Event; engine?: object; hosting?: object } = {}) {
    const { opening: first = opening, ...scenario } = over
    return new Stream((sources) => new ChargedLosses(sources), scenario)
      .welcome('worker-1')
      .append(accepted('t1'), first, granted('worker-1', 1, 't1'))
  }
  const begins = (stream: Stream, atMs: number) => {
    stream.brokerMs = atMs
    return stream.toBroker('worker-1', { type: 'begin', lease: 1 })
  }
  const charged = 'task t1 was charged for lease 1, which nobody had said was begun'
  const free = 'task t1 was not charged for lease 1, which had been begun'

  test('is charged where it was begun, and else not', () => {
    expect(worker().append(lost('t1', 1, 100)).said).toEqual([charged])
    expect(worker().append(unbegun('t1', 100)).said).toEqual([])
    expect(begins(worker(), 50).append(lost('t1', 1, 100)).said).toEqual([])
    expect(begins(worker(), 50).append(unbegun('t1', 100)).said).toEqual([free])
    const end = { attempt: 1, endedAtMs: 100, how: 'session_lost' } as const
    expect(worker().append(died('t1', 'lease_expired', end, 100)).said).toEqual([charged])
  })

  test('is either where the word comes in that millisecond, or may have had to wait', () => {
    for (const event of [lost('t1', 1, 100), unbegun('t1', 100)])
      expect(begins(worker(), 100).append(event).said).toEqual([])
    expect(begins(worker({ hosting: { stagedBytesMax: 1 } }), 50).append(unbegun('t1', 100)).said).toEqual([])
  })

  test('is charged always where its worker says nothing of that, or it was lost too often', () => {
    const mute = { type: 'sessionOpened' as const, session, roles: ['worker' as const], atMs: 0 }
    expect(worker({ opening: mute }).append(unbegun('t1', 100)).said).toEqual([free])
    expect(
      worker({ engine: { releasesMax: 1 } })
        .append(unbegun('t1', 9), granted('worker-1', 2, 't1'))
        .append(lost('t1', 1, 100)).said,
    ).toEqual([])
  })

  test('is taken for begun after a start, until its session is resumed and says better', () => {
    const started: Event = { type: 'brokerStarted', epoch: 2, nextLease: 9, atMs: 50 }
    const resumed: Event = { type: 'sessionResumed', session, begins: true, begun: 0, atMs: 60 }
    expect(worker().append(started, unbegun('t1', 100)).said).toEqual([free])
    expect(worker().append(started, resumed, unbegun('t1', 100)).said).toEqual([])
    expect(begins(worker(), 10).append(resumed, lost('t1', 1, 100)).said).toEqual([charged])
  })
})

describe('[LEASE-8] a task is delivered', () => {
  const task = (options: Options, ...events: Event[]) =>
    new Stream((sources) => new Suspects(sources))
      .welcome('worker-1')
      .append(accepted('t1', options), ...opened('worker-1'), ...events, granted('worker-1', 9, 't1'))
  const told = (stream: Stream, start?: 'announced' | 'alone') =>
    stream.toNode('worker-1', { ...deliver(9, 't1'), ...(start === undefined ? {} : { start }) }).said
  const grant = (lease: number) => granted('worker-1', lease, 't1')

  test('as any where nothing speaks against it', () => {
    expect(told(task({}))).toEqual([])
    expect(told(task({}, grant(1), failed('t1', 1)))).toEqual([])
    expect(told(task({}), 'alone')).toEqual(['task t1 was delivered to be started alone, not as any'])
  })

  test('to be announced where it is the last time, was lost, or came back unbegun', () => {
    const wrong = ['task t1 was delivered to be started as any, not announced']
    for (const events of [
      [grant(1), lost('t1')],
      [grant(1), unbegun('t1')],
      [grant(1), released('t1')],
    ]) {
      expect(told(task({}, ...events))).toEqual(wrong)
      expect(told(task({}, ...events), 'announced')).toEqual([])
    }
    expect(told(task({ retry: { kind: 'none' } }))).toEqual(wrong)
  })

  test('to be run alone where it was lost twice, or once and this is the last time', () => {
    const wrong = ['task t1 was delivered to be started announced, not alone']
    const twice = [grant(1), lost('t1'), grant(2), lost('t1', 2)]
    expect(told(task({}, ...twice), 'announced')).toEqual(wrong)
    expect(told(task({}, ...twice), 'alone')).toEqual([])
    expect(told(task({ retry: { attemptsMax: 2 } }, grant(1), lost('t1')), 'announced')).toEqual(wrong)
    expect(told(task({}, ...twice, grant(3), failed('t1', 3)))).toEqual([])
  })
})

const run = (id: string, number: number, attempt = 1): ObservationBody => ({
  type: 'handlerStarted',
  node: 'worker-1',
  id,
  queue: 'q',
  attempt,
  body: '',
  run: number,
})

describe('[BEGIN-6] what is to run alone', () => {
  const worker = () =>
    new Stream((sources) => new Beginnings(sources))
      .welcome('worker-1')
      .told('worker-1', deliver(1, 't1'))
      .told('worker-1', { ...deliver(2, 't2'), start: 'alone' })
      .told('worker-1', deliver(3, 't3'))
      .see({
        type: 'sentToBroker',
        node: 'worker-1',
        connection: connectionOf('worker-1'),
        message: { type: 'begin', lease: 2 },
      })
  const ended = { type: 'handlerEnded', node: 'worker-1', id: 't1', run: 1, how: 'returned' } as const
  const aborted = { type: 'handlerAborted', node: 'worker-1', id: 't1', run: 1, reason: '' } as const

  test('is not started beside others', () => {
    expect(worker().see(run('t1', 1), run('t2', 2)).said).toEqual([
      'worker-1 starts task t2 while task t1 runs, and t2 is to run alone',
    ])
    expect(worker().see(run('t1', 1), ended, run('t2', 2)).said).toEqual([])
    expect(worker().see(run('t1', 1), aborted).after(2000).see(run('t2', 2)).said).toEqual([])
    expect(worker().see(run('t1', 1), aborted).after(1999).see(run('t2', 2)).said).toHaveLength(1)
  })

  test('nor others beside it', () => {
    expect(worker().see(run('t2', 2), run('t3', 3)).said).toEqual([
      'worker-1 starts task t3 while task t2 runs, and t2 is to run alone',
    ])
    expect(worker().see(run('t1', 1), run('t3', 3)).said).toEqual([])
  })

  test('[BEGIN-4] nor anything to be announced without a word of it in this session', () => {
    const said = ['worker-1 starts task t2, which is to be announced, without a word of it']
    const unsaid = () =>
      new Stream((sources) => new Beginnings(sources))
        .welcome('worker-1')
        .told('worker-1', { ...deliver(2, 't2'), start: 'announced' })
    expect(unsaid().see(run('t2', 2)).finish()).toEqual(said)
    expect(unsaid().see(run('t2', 2)).after(1).see(run('t3', 3)).said).toEqual(said)
    expect(worker().welcome('worker-1').see(run('t2', 2)).finish()).toEqual(said)
    // A process that was paused hears only then that its connection is gone.
    const gone = {
      type: 'disconnected',
      node: 'worker-1',
      connection: connectionOf('worker-1'),
      side: 'node',
      code: 1006,
    } as const
    expect(unsaid().see(run('t2', 2), gone).finish()).toEqual([])
    expect(unsaid().see(run('t2', 2)).after(1).see(gone).finish()).toEqual(said)
  })
})

describe('[LEASE-9] the last allowed attempt', () => {
  const worker = (options: Options = { retry: { kind: 'none' } }) =>
    new Stream((sources) => new DurableGrants(sources))
      .welcome('worker-1')
      .append(accepted('t1', options), ...opened('worker-1'))
  const grant = (lease: number) => granted('worker-1', lease, 't1')

  test('and deliveries of a task with a time-to-live leave when their grant is durable', () => {
    const said = ['attempt 1 of task t1 was delivered to worker-1, and a crash would forget its grant']
    for (const options of [{ retry: { kind: 'none' as const } }, { ttlMs: 100 }]) {
      expect(worker(options).toNode('worker-1', deliver(1, 't1')).said).toEqual(said)
      expect(worker(options).append(grant(1)).toNode('worker-1', deliver(1, 't1')).said).toEqual([])
    }
    expect(worker({}).toNode('worker-1', deliver(1, 't1')).said).toEqual([])
  })

  test('is made once, unless it was not counted', () => {
    const made = () => worker().append(grant(1)).told('worker-1', deliver(1, 't1')).see(run('t1', 1))
    const again = (stream: Stream) => stream.append(grant(2)).told('worker-1', deliver(2, 't1')).see(run('t1', 2)).said
    expect(again(made())).toEqual(['worker-1 starts attempt 1 of task t1, its last, which was made under lease 1'])
    expect(again(made().append(unbegun('t1')))).toEqual([])
    expect(again(made().append(died('t1', 'not_retryable'), { type: 'taskRedriven', id: 't1', atMs: 0 }))).toEqual([])
    expect(again(worker({ delayMs: 1 }).append(readied('t1')))).toEqual([])
    // Its first delivery arrives only after the redrive.
    const late = worker().append(grant(1)).toNode('worker-1', deliver(1, 't1'))
    late.append(died('t1', 'lease_expired'), { type: 'taskRedriven', id: 't1', atMs: 0 })
    expect(again(late.told('worker-1', deliver(1, 't1')).see(run('t1', 1)))).toEqual([])
    // The task is forgotten and its id is used again, before the worker begins what it was delivered first.
    const old = worker().append(grant(1)).told('worker-1', deliver(1, 't1'))
    old.append(died('t1', 'lease_expired'), forgotten('t1'), accepted('t1', { retry: { kind: 'none' } }))
    old.append(granted('worker-2', 2, 't1')).told('worker-2', deliver(2, 't1'))
    old.see({ ...run('t1', 2), node: 'worker-2' } as ObservationBody)
    expect(old.see(run('t1', 1)).said).toEqual([])
    expect(old.append(grant(3)).told('worker-1', deliver(3, 't1')).see(run('t1', 3)).said).toEqual([
      'worker-1 starts attempt 1 of task t1, its last, which was made under lease 2',
    ])
  })
})
