import { createState, engineConfig, evolve } from '@sluice/engine'
import type { ClientMessage } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { BodiesArrive } from '../../src/checkers/bodies-arrive.ts'
import { Cancellation } from '../../src/checkers/cancellation.ts'
import { FencedLeases } from '../../src/checkers/fenced-leases.ts'
import { LeaseNumbers } from '../../src/checkers/lease-numbers.ts'
import { OneOutcome } from '../../src/checkers/one-outcome.ts'
import { ProgressOrder } from '../../src/checkers/progress.ts'
import {
  accepted,
  cancelled,
  complete,
  deliver,
  died,
  fail,
  failed,
  forgotten,
  granted,
  hasEnded,
  hasResult,
  opened,
  released,
  revoke,
  Stream,
  settled,
  submit,
  submitted,
  succeeded,
  welcomeOf,
} from './stream.ts'

const ended = (result: string) =>
  ({ type: 'handlerEnded', node: 'worker-1', id: 't1', run: 1, how: 'returned', result }) as const
const started = (attempt = 1, run = 1, body = 'b') =>
  ({ type: 'handlerStarted', node: 'worker-1', id: 't1', queue: 'q', attempt, body, run }) as const

describe('[RESULT-1] one outcome, the same for everybody', () => {
  const running = () =>
    new Stream((sources) => new OneOutcome(sources))
      .welcome('worker-1')
      .append(accepted('t1'), ...opened('worker-1'), granted('worker-1', 1, 't1'))
  const done = () =>
    running()
      .see(ended('r'))
      .toBroker('worker-1', complete(1, [1]))
      .append(succeeded('t1'))
  const seen = (result: string) =>
    ({ type: 'outcome', node: 'producer-1', id: 't1', status: 'succeeded', result }) as const

  test('the result that the handler returned', () => {
    expect(done().toNode('producer-1', hasResult('t1')).see(seen('r'), seen('r')).said).toEqual([])
  })

  test('two outcomes of one task', () => {
    expect(done().append(cancelled('t1')).said).toEqual([
      'task t1 was succeeded and got another outcome, taskCancelled',
    ])
    const redriven = running().append(died('t1', 'not_retryable'), { type: 'taskRedriven', id: 't1', atMs: 0 })
    expect(redriven.append(granted('worker-1', 2, 't1'), succeeded('t1')).said).toEqual([])
  })

  test('[RESULT-2] an outcome that was not recorded', () => {
    expect(done().toNode('producer-1', hasEnded('t1', 'cancelled')).said).toEqual([
      'producer-1 was told that task t1 is cancelled, which is not what was recorded',
    ])
    expect(running().see(seen('r')).said).toHaveLength(1)
  })

  test('[RESULT-2] another reason than was recorded', () => {
    const dead = { type: 'outcome', node: 'producer-1', id: 't1', status: 'dead', reason: 'expired' } as const
    expect(running().append(died('t1', 'lease_expired')).see(dead).said).toEqual([
      'producer-1 was told that task t1 is dead (expired), which is not what was recorded',
    ])
  })

  test('[HOST-12] another result than the one that completed the task', () => {
    expect(done().see(seen('s')).said).toEqual([
      'producer-1 was told another result of task t1 than the one that completed it',
    ])
    expect(done().toNode('producer-1', hasResult('t1', '"s"')).said).toHaveLength(1)
  })

  test('[CLIENT-5] a result that no handler has returned', () => {
    const invented = running()
      .toBroker('worker-1', complete(1, [1]))
      .append(succeeded('t1'))
    expect(invented.see(seen('r')).said).toEqual([
      'producer-1 was told a result of task t1 that no handler has returned',
    ])
  })
})

describe('[CREDIT-2] bodies arrive as they were submitted', () => {
  const submitting = { type: 'submitting', node: 'producer-1', id: 't1', queue: 'q', body: 'b', attempt: 1 } as const
  const bodies = () => new Stream((sources) => new BodiesArrive(sources)).see(submitting)

  test('to the letter', () => {
    expect(bodies().see(started()).said).toEqual([])
  })

  test('[SUBMIT-3] another content under an id that is held', () => {
    const first = () =>
      bodies()
        .toBroker('producer-1', submit(1, ['t1']))
        .append(accepted('t1'))
        .toNode('producer-1', submitted(1))
    const again = (stream: Stream, body: string) =>
      stream.toBroker('producer-1', submit(2, ['t1'], body)).toNode('producer-1', submitted(2)).said
    expect(again(first(), '"x"')).toEqual([])
    expect(again(first(), '"y"')).toEqual([
      'producer-1 was told that task t1 is accepted, which is held with another content',
    ])
    expect(again(first().append(cancelled('t1'), forgotten('t1')), '"y"')).toEqual([])
  })

  test('another body, another queue', () => {
    expect(bodies().see(started(1, 1, 'c')).said).toEqual([
      'worker-1 was given another body of task t1 than was submitted',
    ])
    expect(bodies().see({ ...started(), queue: 'other' }).said).toEqual([
      'worker-1 was given task t1 of q as one of other',
    ])
  })
})

describe('[LEASE-3] a fenced lease settles nothing', () => {
  const held = () =>
    new Stream((sources) => new FencedLeases(sources))
      .welcome('worker-1')
      .welcome('worker-2')
      .append(accepted('t1', { retry: { attemptsMax: 9 } }), ...opened('worker-1'), ...opened('worker-2'))
      .append(granted('worker-1', 1, 't1'))
      .told('worker-1', deliver(1, 't1'))

  test('the holder settles once, and is refused the second time', () => {
    const stream = held()
      .toBroker('worker-1', complete(1, [1]))
      .append(succeeded('t1'))
      .toNode('worker-1', settled(1))
    stream.toBroker('worker-1', complete(2, [1])).toNode('worker-1', settled(2, [0]))
    expect(stream.append().append().append().append().said).toEqual([])
    const failing = held().toBroker('worker-1', fail(1, 1)).append(failed('t1', 1)).toNode('worker-1', settled(1))
    expect(failing.said).toEqual([])
    const releasing = held().toBroker('worker-1', { type: 'release', ref: 1, leases: [1] })
    expect(releasing.toNode('worker-1', settled(1)).append(released('t1')).said).toEqual([])
  })

  test('a lease that has expired, and one that was replaced', () => {
    const late = held()
      .append(failed('t1', 1, 0, 'lease_expired'))
      .toBroker('worker-1', complete(1, [1]))
    expect(late.toNode('worker-1', settled(1)).said).toEqual([
      'worker-1 settled lease 1 of task t1 after lease_expired had ended it',
    ])
    const replaced = held().append(failed('t1', 1, 0, 'lease_expired'), granted('worker-2', 2, 't1'))
    replaced.append(succeeded('t1')).toBroker('worker-1', complete(1, [1]))
    expect(replaced.toNode('worker-1', settled(1)).said).toHaveLength(1)
    const cancelling = held().append(cancelled('t1')).toBroker('worker-1', fail(1, 1))
    expect(cancelling.toNode('worker-1', settled(1)).said).toEqual([
      'worker-1 settled lease 1 of task t1 after taskCancelled had ended it',
    ])
  })

  test('a lease of somebody else, and one that nobody was given', () => {
    const stolen = held()
      .toBroker('worker-2', complete(1, [1]))
      .append(succeeded('t1'))
      .toNode('worker-2', settled(1))
    expect(stolen.said).toEqual(['worker-2 settled lease 1 of task t1, which another session holds'])
    const invented = held()
      .toBroker('worker-2', complete(1, [77]))
      .toNode('worker-2', settled(1))
    expect(invented.said).toEqual(['worker-2 settled lease 77, which nobody was ever given'])
  })

  test('a lease that is settled twice', () => {
    const twice = held()
      .toBroker('worker-1', complete(1, [1]))
      .append(succeeded('t1'))
      .toNode('worker-1', settled(1))
    expect(twice.toNode('worker-1', settled(1)).said).toEqual(['lease 1 of worker-1 was settled twice'])
  })

  test('but not a lease that is handed back again, where a crash undid that it was', () => {
    const handsBack: ClientMessage = { type: 'release', ref: 1, leases: [1] }
    const back = held().toBroker('worker-1', handsBack).toNode('worker-1', settled(1))
    expect(back.toNode('worker-1', settled(1)).said).toEqual(['lease 1 of worker-1 was settled twice'])
    const again = held().toBroker('worker-1', handsBack).toNode('worker-1', settled(1)).recover()
    expect(again.toBroker('worker-1', handsBack).toNode('worker-1', settled(1)).said).toEqual([])
  })

  test('[CLIENT-5] a worker that says it twice on a connection', () => {
    const said = (node: string, connection: number) =>
      ({ type: 'sentToBroker', node, connection, message: complete(1, [1]) }) as const
    expect(held().see(said('worker-1', 101), said('worker-1', 101)).said).toEqual([
      'worker-1 settled lease 1 twice on one connection',
    ])
    expect(held().see(said('worker-1', 101), said('worker-1', 102)).said).toEqual([])
    expect(held().see(said('worker-3', 103), said('worker-3', 103)).said).toEqual([])
  })

  test('[CLIENT-5] a worker that says it again after it had its answer', () => {
    const said = (connection: number) =>
      ({ type: 'sentToBroker', node: 'worker-1', connection, message: complete(1, [1]) }) as const
    const anew = held().see(said(101)).told('worker-1', settled(1)).recover(1)
    expect(anew.see(said(102)).said).toEqual([])
    expect(held().see(said(101)).told('worker-1', settled(1)).see(said(102)).said).toEqual([
      'worker-1 settled lease 1 again after it had its answer',
    ])
  })

  test('a live lease whose settlement is refused', () => {
    const refused = () =>
      held()
        .toBroker('worker-1', complete(1, [1]))
        .toNode('worker-1', settled(1, [0]))
    expect(refused().append().append().append().said).toEqual([
      'worker-1 holds lease 1 of task t1 and was refused its settlement',
    ])
    // It had been handed back; that is written late.
    expect(refused().append().append(released('t1')).append().append().said).toEqual([])
    expect(refused().recover().append().append().append().said).toEqual([])
  })
})

describe('[LEASE-3] one live lease, and numbers that grow', () => {
  const leases = () =>
    new Stream((sources) => new LeaseNumbers(sources)).append(accepted('t1'), accepted('t2'), ...opened('worker-1'))

  test('one after the other', () => {
    const stream = leases()
      .append(granted('worker-1', 1, 't1'))
      .toNode('worker-1', deliver(1, 't1'))
    stream
      .append(failed('t1', 1))
      .append(granted('worker-1', 2, 't1'))
      .toNode('worker-1', deliver(2, 't1'))
    expect(stream.recover().toNode('worker-1', deliver(10_000_003, 't1')).said).toEqual([])
  })

  test('two live leases on a task', () => {
    const twice = leases().append(granted('worker-1', 1, 't1'))
    expect(twice.append(granted('worker-1', 2, 't1')).said).toEqual(['task t1 was granted lease 2 while lease 1 lived'])
  })

  test('[LIFE-1] a lease on a task that is not ready', () => {
    const stream = leases()
      .append(accepted('t3', { delayMs: 100 }))
      .append(granted('worker-1', 1, 't3'))
    expect(stream.said).toEqual(['task t3 was granted lease 1 while it was delayed'])
  })

  test('a number that does not grow', () => {
    expect(
      leases()
        .append(granted('worker-1', 2, 't1'))
        .append(granted('worker-1', 1, 't2')).said,
    ).toEqual(['lease 1 was granted after lease 2'])
    const told = leases().toNode('worker-1', deliver(2, 't1'))
    expect(told.toNode('worker-2', deliver(1, 't1')).said).toEqual([
      'task t1 was delivered under lease 1 after lease 2',
    ])
    const connection = leases().toNode('worker-1', deliver(2, 't1')).toNode('worker-1', deliver(1, 't2'))
    expect(connection.said).toEqual(['worker-1 was told lease 1 after lease 2'])
  })

  test('a number that is told twice, though the journal lost it in between', () => {
    const lost = leases()
      .write(granted('worker-1', 1, 't1'))
      .toNode('worker-1', deliver(1, 't1'))
      .recover(1)
    lost.append(granted('worker-2', 1, 't2'))
    expect(lost.toNode('worker-2', deliver(1, 't2')).said).toEqual([
      'lease 1 was told a second time, to worker-2 for task t2',
      'worker-2 was told lease 1, not past 1 of before the restart',
    ])
  })
})

describe('[CANCEL-1] whoever works on a cancelled task is told', () => {
  const running = () =>
    new Stream((sources) => new Cancellation(sources))
      .welcome('worker-1')
      .append(accepted('t1'), ...opened('worker-1'), granted('worker-1', 1, 't1'))
      .told('worker-1', deliver(1, 't1'))
      .see(started())
  const aborted = { type: 'handlerAborted', node: 'worker-1', id: 't1', run: 1, reason: 'lost' } as const

  test('and its handler is aborted', () => {
    expect(
      running().append(cancelled('t1')).told('worker-1', revoke(1)).see(aborted).after(10).append().finish(),
    ).toEqual([])
  })

  test('nobody is told', () => {
    expect(running().append(cancelled('t1')).finish()).toEqual([
      'task t1 was cancelled, and worker-1 was not told to stop work under lease 1',
    ])
    const gone = running().append(cancelled('t1'))
    gone.see({ type: 'disconnected', node: 'worker-1', connection: 101, side: 'broker', code: 1006 })
    expect(gone.finish()).toEqual([])
  })

  test('[CLIENT-6] the handler is not aborted', () => {
    expect(running().append(cancelled('t1')).told('worker-1', revoke(1)).after(10).append().said).toEqual([
      'worker-1 heard that it has lost task t1, and run 1 went on unaware of it',
    ])
    const returned = running().see(ended('r')).append(cancelled('t1')).told('worker-1', revoke(1)).after(10).append()
    expect(returned.said).toEqual([])
    const renewed = running()
      .told('worker-1', { type: 'renewed', ref: 1, lost: [1] })
      .after(10)
      .append()
    expect(renewed.said).toHaveLength(1)
    const resumed = running().told('worker-1', welcomeOf('worker-1', { resumed: true, lostLeases: [1] }))
    expect(resumed.after(10).append().said).toHaveLength(1)
    const crashed = running().told('worker-1', revoke(1)).see({ type: 'nodeStopped', node: 'worker-1', how: 'crashed' })
    expect(crashed.after(10).append().said).toEqual([])
  })
})

describe('[LEASE-4] whoever beats for a lost lease is told', () => {
  const beating = () => {
    const stream = new Stream((sources) => new Cancellation(sources)).welcome('worker-1')
    stream.state = createState(engineConfig())
    for (const event of [accepted('t1'), ...opened('worker-1'), granted('worker-1', 1, 't1')])
      evolve(stream.state, event)
    return stream.toBroker('worker-1', { type: 'heartbeat', ref: 1, leases: [1, 2] })
  }

  test('or is not', () => {
    expect(beating().toNode('worker-1', { type: 'renewed', ref: 1, lost: [2] }).said).toEqual([])
    expect(beating().toNode('worker-1', { type: 'renewed', ref: 1, lost: [] }).said).toEqual([
      'worker-1 named lease 2 in a heartbeat, does not hold it and was not told so',
    ])
  })
})

describe('[RESULT-5] progress does not go back', () => {
  const seen = (run: number, step: number, id = 't1') =>
    ({ type: 'progressSeen', node: 'producer-1', id, progress: { run, step } }) as const
  const progress = () => new Stream(() => new ProgressOrder()).see(started(1, 1), started(2, 2))

  test('within an attempt and from one to the next', () => {
    expect(progress().see(seen(1, 1), seen(1, 3), seen(1, 3), seen(2, 1)).said).toEqual([])
  })

  test('an older step, an older attempt', () => {
    expect(progress().see(seen(1, 3), seen(1, 2)).said).toEqual([
      'producer-1 was told step 2 of run 1 of task t1 after step 3 of run 1',
    ])
    expect(progress().see(seen(2, 1), seen(1, 4)).said).toHaveLength(1)
  })

  test('progress of another task', () => {
    expect(progress().see(seen(1, 1, 't2')).said).toEqual([
      'producer-1 was told progress of task t2 that no handler of it has reported',
    ])
  })
})
