import { createState, type EngineConfig, engineConfig, evolve } from '@sluice/engine'
import { describe, expect, test } from 'vitest'
import { AcceptedTasksAreKept } from '../../src/checkers/accepted-tasks-are-kept.ts'
import { Records } from '../../src/checkers/records.ts'
import { ToldWhenDurable } from '../../src/checkers/told-when-durable.ts'
import {
  accepted,
  cancelled,
  complete,
  deliver,
  early,
  fail,
  failed,
  forgotten,
  granted,
  hasEnded,
  hasResult,
  opened,
  Stream,
  settled,
  submit,
  submitted,
  succeeded,
} from './stream.ts'

describe('[HOST-1] accepted tasks are kept', () => {
  const kept = () => new Stream((sources) => new AcceptedTasksAreKept(sources))
  const told = { type: 'accepted', node: 'producer-1', id: 't1' } as const

  test('until they have an outcome and its time is over', () => {
    const stream = kept()
      .append(accepted('t1'))
      .see(told)
      .append(...opened('worker-1'), granted('worker-1', 1, 't1'))
    stream.append(succeeded('t1')).append(forgotten('t1'))
    expect(stream.finish()).toEqual([])
  })

  test('an acceptance that the journal knows nothing of', () => {
    expect(kept().see(told).said).toEqual([
      'producer-1 was told that task t1 is accepted, and the journal does not hold it',
    ])
  })

  test('[HOST-14] a task that a recovery does not find', () => {
    const stream = kept().append(accepted('t1'))
    stream.state = createState(engineConfig())
    expect(stream.recover().said).toEqual(['task t1, which was ready, is gone after a recovery'])
  })

  test('a batch that was on its way when the broker crashed may be gone, and nobody was told', () => {
    const stream = kept().write(accepted('t1'))
    stream.state = createState(engineConfig())
    expect(stream.recover(1).finish()).toEqual([])
  })

  test('what was told is void where the disk did not promise to keep it', () => {
    const stream = kept().append(accepted('t1')).see(told)
    stream.state = createState(engineConfig())
    expect(stream.recover(1).finish()).toEqual([])
  })

  test('[SUBMIT-2] a task that is accepted while it is held', () => {
    expect(kept().append(accepted('t1')).append(accepted('t1')).said).toEqual([
      'task t1 was accepted a second time while it was held',
    ])
  })

  test('[LIFE-1] a task that is forgotten before it has an outcome', () => {
    expect(kept().append(accepted('t1')).append(forgotten('t1')).said).toEqual([
      'task t1 was forgotten while it was ready',
    ])
  })

  test('[LIFE-1] a task that is gone without an outcome', () => {
    expect(kept().append(accepted('t1')).see(told).append(forgotten('t1')).finish()).toContain(
      'task t1 was accepted and is gone without an outcome',
    )
  })

  test('a task that the broker does not hold in the end', () => {
    const held = kept().append(accepted('t1')).see(told)
    held.state = createState(engineConfig())
    evolve(held.state, accepted('t1'))
    expect(held.finish()).toEqual([])
    const gone = kept().append(accepted('t1')).see(told)
    gone.state = createState(engineConfig())
    expect(gone.finish()).toEqual(['task t1, which is ready, is not known in the end'])
  })
})

describe('[HOST-1] nothing is told before it is durable', () => {
  const durable = () => new Stream((sources) => new ToldWhenDurable(sources)).welcome('producer-1').welcome('worker-1')
  const running = () =>
    durable()
      .append(accepted('t1'), ...opened('worker-1'), granted('worker-1', 1, 't1'))
      .told('worker-1', deliver(1, 't1'))
      .toBroker('worker-1', complete(1, [1]))

  test('acceptance, delivery, settlement and outcome after their batches', () => {
    const stream = durable()
      .toBroker('producer-1', submit(1, ['t1']))
      .append(accepted('t1'))
    stream.toNode('producer-1', submitted(1)).append(...opened('worker-1'), granted('worker-1', 1, 't1'))
    stream
      .toNode('worker-1', deliver(1, 't1'))
      .toBroker('worker-1', complete(1, [1]))
      .append(succeeded('t1'))
    stream.toNode('worker-1', settled(1)).toNode('producer-1', hasResult('t1'))
    stream.toNode('producer-1', { type: 'status', ref: 9, tasks: [{ id: 't1', state: 'succeeded' }] })
    expect(stream.said).toEqual([])
  })

  test('an acceptance that is told while its batch is being written', () => {
    const stream = durable()
      .toBroker('producer-1', submit(1, ['t1']))
      .write(accepted('t1'))
    expect(stream.toNode('producer-1', submitted(1)).said).toEqual([
      'producer-1 was told the acceptance of task t1 before that was durable',
    ])
  })

  test('a refused task needs nothing', () => {
    const refused = submitted(1, { code: 'busy', message: 'full', retryAfterMs: 100 })
    expect(
      durable()
        .toBroker('producer-1', submit(1, ['t1']))
        .toNode('producer-1', refused).said,
    ).toEqual([])
  })

  test('[HOST-3] a delivery of a task that is being written', () => {
    expect(durable().write(accepted('t1')).toNode('worker-1', deliver(1, 't1')).said).toEqual([
      'worker-1 was told the delivery of task t1 before that was durable',
    ])
  })

  test('nor over HTTP', () => {
    const task = { id: 't1', state: 'ready' as const, queue: 'q', history: [] }
    const answered = { type: 'answered', node: 'operator', id: 't1', request: 1 } as const
    const gone = { type: 'cancelAnswered', node: 'operator', id: 't1', code: 'cancelled' } as const
    expect(
      durable()
        .append(accepted('t1'))
        .see({ ...answered, task }, { ...answered, task: undefined }).said,
    ).toEqual([])
    expect(
      durable()
        .write(accepted('t1'))
        .see({ ...answered, task }).said,
    ).toEqual(['operator was told the state ready of task t1 before that was durable'])
    const cancelling = () => durable().append(accepted('t1')).write(cancelled('t1'))
    expect(cancelling().see({ ...answered, task: { ...task, state: 'cancelled' } }).said).toHaveLength(1)
    expect(cancelling().see(gone, { ...gone, code: 'busy' }).said).toEqual([
      'operator was told the cancellation of task t1 before that was durable',
    ])
    expect(cancelling().durable().see(gone).said).toEqual([])
  })

  test('a settlement that is confirmed while it is being written', () => {
    expect(running().write(succeeded('t1')).toNode('worker-1', settled(1)).said).toEqual([
      'worker-1 was told the settlement under lease 1 of task t1 before that was durable',
    ])
    const failing = running().toBroker('worker-1', fail(2, 1))
    expect(failing.write(failed('t1', 1)).toNode('worker-1', settled(2)).said).toHaveLength(1)
    expect(running().append(succeeded('t1')).toNode('worker-1', settled(1)).said).toEqual([])
  })

  test('an outcome, a state and a cancellation that are told while they are being written', () => {
    expect(running().write(succeeded('t1')).toNode('producer-1', hasResult('t1')).said).toHaveLength(1)
    const cancelling = durable()
      .append(accepted('t1'))
      .toBroker('producer-1', { type: 'cancel', ref: 3, ids: ['t1'] })
    cancelling.write(cancelled('t1')).toNode('producer-1', { type: 'cancelled', ref: 3, refused: [] })
    cancelling.toNode('producer-1', hasEnded('t1', 'cancelled'))
    cancelling.toNode('producer-1', { type: 'status', ref: 9, tasks: [{ id: 't1', state: 'cancelled' }] })
    cancelling.toNode('producer-1', { type: 'status', ref: 9, tasks: [{ id: 't2', state: 'ready' }] })
    expect(cancelling.said).toHaveLength(4)
  })

  test('[HOST-4] a delivery whose lease is not written for long', () => {
    const told = () => {
      const stream = durable().see({ type: 'nodeStarted', node: 'broker', incarnation: 1 })
      return stream.append(accepted('t1')).toNode('worker-1', deliver(1, 't1'))
    }
    const pong = { type: 'pong', ref: 1 } as const
    expect(told().after(150).toNode('worker-1', pong).said).toEqual([])
    expect(told().after(1101).toNode('worker-1', pong).said).toEqual([
      'lease 1 was told 1101 ms ago and is not in the journal',
    ])
    const written = told().append(...opened('worker-1'), granted('worker-1', 1, 't1'))
    expect(written.after(2000).toNode('worker-1', pong).said).toEqual([])
    const paused = told().see({ type: 'faultStarted', fault: { type: 'pause', node: 'broker', forMs: 5 }, number: 1 })
    expect(paused.after(2000).toNode('worker-1', pong).said).toEqual([])
    const crashed = told().see({ type: 'nodeStopped', node: 'broker', how: 'crashed' })
    const reading = crashed.see({ type: 'nodeStarted', node: 'broker', incarnation: 2 })
    expect(reading.after(2000).toNode('worker-1', pong).said).toEqual([])
  })

  test('[HOST-2] a batch that is handed over before the one before it is written', () => {
    expect(durable().write(accepted('t1')).write(accepted('t2')).said).toEqual([
      'batch 2 was handed over while the one before it was being written',
    ])
    expect(durable().write(accepted('t1')).recover(1).write(accepted('t2')).said).toEqual([])
  })
})

describe('[RESULT-3] records are kept for their time', () => {
  const records = (engine: Partial<EngineConfig> = {}) =>
    new Stream((sources) => new Records(sources), { engine }).see({
      type: 'nodeStarted',
      node: 'broker',
      incarnation: 1,
    })
  const finished = (id: string, atMs = 0) => [accepted(id, { resultTtlMs: 1000 }), cancelledAt(id, atMs)]
  const cancelledAt = (id: string, atMs: number) => ({ ...cancelled(id, atMs), forgetAtMs: atMs + 1000 })

  test('and go when it is over', () => {
    expect(
      records()
        .append(...finished('t1'))
        .after(1000)
        .append(forgotten('t1', 1000))
        .after(60_000)
        .finish(),
    ).toEqual([])
  })

  test('a record that goes too soon', () => {
    expect(
      records()
        .append(...finished('t1'))
        .append(forgotten('t1', 400)).said,
    ).toEqual(['the record of task t1 went 600 ms too soon'])
  })

  test('a record that is to be kept for another time than was asked for', () => {
    expect(records().append(accepted('t1'), cancelledAt('t1', 0)).said).toEqual([
      'the record of task t1 is to be kept 1000 ms and not 3600000',
    ])
  })

  test('a record that never goes', () => {
    const stream = records()
      .append(...finished('t1'))
      .after(60_000)
    expect(stream.see({ type: 'faultEnded', number: 1 }).after(60_000).append().finish()).toEqual([
      'the record of task t1 is still there 120000 ms after its outcome',
    ])
  })

  test('[RESULT-4] records that go early make room, the oldest first', () => {
    const full = () => records({ queueResultsMax: 1 }).append(...finished('t1', 0), ...finished('t2', 5))
    expect(full().append(early('t1')).said).toEqual([])
    expect(full().append(early('t2')).said).toEqual(['the record of task t2 went early, and that of t1 is older'])
    expect(full().append(early('t1')).append(early('t2')).said).toEqual([
      'the record of task t2 went early, and q kept only 1 of 1',
    ])
    // Three bytes each.
    const large = (queueResultBytesMax: number) =>
      records({ queueResultBytesMax }).append(
        ...opened('worker-1'),
        ...['t1', 't2'].flatMap((id, i) => [accepted(id), granted('worker-1', i, id), succeeded(id, i)]),
        early('t1'),
      ).said
    expect([large(3), large(5)]).toEqual([[], []])
    expect(large(6)).toHaveLength(1)
  })

  test('a record that is there and is said not to be', () => {
    const ask = (stream: Stream) =>
      stream
        .toBroker('producer-1', { type: 'watch', ref: 1, ids: ['t1'] })
        .toNode('producer-1', { type: 'watched', ref: 1, unknown: [0] })
    expect(ask(records().append(...finished('t1'))).finish()).toEqual([
      'producer-1 was told that task t1 is not known, which is cancelled',
    ])
    expect(
      ask(records().append(...finished('t1')))
        .append(forgotten('t1', 1000))
        .finish(),
    ).toEqual([])
    expect(ask(records()).append(accepted('t1')).finish()).toEqual([])
  })
})
