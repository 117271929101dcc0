import { createState, type Event, engineConfig, evolve, recordOf, type Task } from '@sluice/engine'
import { describe, expect, test } from 'vitest'
import { EngineInvariants } from '../../src/checkers/engine-invariants.ts'
import { Liveness } from '../../src/checkers/liveness.ts'
import { Replay } from '../../src/checkers/replay.ts'
import { accepted, cancelled, deliver, granted, opened, Stream } from './stream.ts'

const started = (epoch: number, nextLease: number): Event => ({ type: 'brokerStarted', epoch, nextLease, atMs: 0 })
const MANY = Array.from({ length: 60 }, (_, i) => accepted(`t${i + 1}`))

/** A broker that does what its events say, and hands them over at once. */
function live(stream: Stream, ...events: Event[]): Stream {
  stream.state ??= createState(engineConfig())
  for (const event of events) evolve(stream.state, event)
  return stream.append(...events)
}

describe('[REPLAY-1] replay gives the live state', () => {
  const replayed = () => live(new Stream((sources) => new Replay(sources)), started(1, 1), ...MANY)

  test('while the broker runs and when it starts again', () => {
    const stream = live(replayed(), ...opened('worker-1'), granted('worker-1', 1, 't1')).recover()
    expect(
      live(stream, started(2, 10_000_002), ...MANY.map(({ ids: [id] }) => cancelled(id as string))).finish(),
    ).toEqual([])
  })

  test('a change that no event tells of', () => {
    const stream = replayed()
    const task = stream.state?.tasks.get('t1')
    if (task) task.attempts = 3
    expect(live(stream, ...MANY.map(({ ids: [id] }) => cancelled(id as string))).said).toEqual([
      'the live state differs from a replay of the journal: tasks.0.attempts is 3 and should be 0',
    ])
  })

  test('a batch that was read back differently', () => {
    const stream = replayed()
    stream.state = createState(engineConfig())
    for (const event of MANY) evolve(stream.state, { ...event, digests: [2] })
    expect(stream.recover().said[0]).toContain('the live state differs from a replay of the journal')
  })

  test('an event that cannot be replayed', () => {
    expect(new Stream((sources) => new Replay(sources)).append(cancelled('t1')).said).toEqual([
      'batch 1 cannot be replayed: invariant broken: an event names task t1, which is not held',
    ])
  })

  test('[REPLAY-4] compaction that forgets a task', () => {
    const events = [started(1, 1), accepted('t1'), accepted('t2')]
    const compacted = (...restated: string[]) => {
      const stream = live(new Stream((sources) => new Replay(sources)), ...events)
      const tasks = restated.map((id) => stream.state?.tasks.get(id))
      const restatements = tasks.map((task): Event => ({ type: 'taskRestated', task: recordOf(task as Task), atMs: 0 }))
      const checkpoint: Event = { type: 'checkpointed', epoch: 1, nextLease: 1, nextSeq: 3, sessions: [], atMs: 0 }
      live(stream, checkpoint, ...restatements).see({ type: 'discarded', before: 2 })
      stream.state = createState(engineConfig())
      for (const event of [checkpoint, ...restatements]) evolve(stream.state, event)
      stream.see({ type: 'recovered', incarnation: 2, firstBatch: 2, lastBatch: 2 })
      return live(stream, started(2, 10_000_001)).said
    }
    expect(compacted('t1', 't2')).toEqual([])
    expect(compacted('t1')[0]).toContain('what compaction left differs from a replay of the journal')
  })
})

describe('[LIFE-2] the engine agrees with itself', () => {
  const engine = () => live(new Stream(() => new EngineInvariants()), ...MANY)

  test('whenever it is looked at', () => {
    expect(live(engine(), ...opened('worker-1')).finish()).toEqual([])
  })

  test('a count that is wrong', () => {
    const stream = engine()
    const queue = stream.state?.queues.get('q')
    if (queue) queue.bytes += 1
    expect(stream.finish()[0]).toContain('the bytes of q')
    expect(live(stream, ...MANY.map(({ ids: [id] }) => cancelled(id as string)), ...MANY.slice(0, 0)).said.length).toBe(
      1,
    )
  })
})

describe('[WORLD-1] everything comes to an end', () => {
  const submitting = { type: 'submitting', node: 'producer-1', id: 't1', queue: 'q', body: 'b', attempt: 1 } as const
  const left = { type: 'nodeStopped', node: 'worker-1', how: 'left' } as const
  const world = () => new Stream((sources) => new Liveness(sources))
  const ended = { type: 'worldEnded', timers: 0, connections: 0 } as const
  const accepting = { type: 'accepted', node: 'producer-1', id: 't1' } as const

  test('and nothing is left behind', () => {
    const stream = world().see(submitting).append(accepted('t1')).see(accepting)
    expect(stream.append(cancelled('t1')).after(10).see(left, ended).finish()).toEqual([])
  })

  test('a task without an outcome', () => {
    expect(world().append(accepted('t1')).after(10).see(left).finish()).toEqual(['task t1 is ready in the end'])
    expect(world().see(left).append(accepted('t1')).finish()).toEqual([])
  })

  test('a submission without an answer, unless its producer is gone', () => {
    expect(world().see(submitting).finish()).toEqual(['producer-1 never heard what became of its submission of t1'])
    const crashed = { type: 'nodeStopped', node: 'producer-1', how: 'crashed' } as const
    expect(world().see(submitting, crashed).finish()).toEqual([])
  })

  test('[WORLD-2] timers and connections that are left', () => {
    expect(world().see({ ...ended, timers: 1, connections: 2 }).said).toEqual([
      '1 timers are left behind',
      '2 connections are left behind',
    ])
  })

  const calm = { type: 'calmEnded', unfinished: [], waiting: [] } as const

  test('tasks without an outcome after the calm, by name: where they are, and who has them', () => {
    const stream = world()
      .welcome('worker-1')
      .append(accepted('t1'), accepted('t2'))
      .toNode('worker-1', deliver(1, 't1'))
    stream.append(granted('worker-1', 1, 't1'))
    expect(stream.see({ ...calm, unfinished: ['t1', 't2'] }).said).toEqual([
      'task t1 has no outcome after all faults have ended: it is leased from q by worker-1, attempt 1',
      'task t2 has no outcome after all faults have ended: it is ready in q, after 0 attempts',
    ])
    expect(stream.after(10).see(left).finish().length).toBe(2)
    const many = Array.from({ length: 7 }, (_, at) => `t${at}`)
    expect(
      world()
        .see({ ...calm, unfinished: many })
        .said.at(-1),
    ).toBe('2 more tasks have no outcome after all faults have ended')
  })

  test('submissions and requests that somebody still waits for, by name: since when, and what was heard last', () => {
    const stream = world().after(1500).see(submitting).append(accepted('t1')).after(20).see(accepting)
    const waiting = (what: 'submission' | 'cancellation') =>
      ({ ...calm, waiting: [{ node: 'producer-1', id: 't1', what }] }) as const
    expect(stream.see(waiting('submission')).said).toEqual([
      'producer-1 still waits for what becomes of task t1, submitted to q at 1.500 s; it last heard at 1.520 s: accepted; it is ready in q, after 0 attempts',
    ])
    expect(world().see(submitting).see(waiting('cancellation')).said).toEqual([
      'producer-1 still waits for the answer to its cancellation of task t1, submitted to q at 0.000 s; it heard nothing; it was never accepted',
    ])
  })

  test('a request over HTTP that has long been without an answer', () => {
    const request = { ...submitting, node: 'operator' }
    expect(world().see(request).after(10_001).see(calm).said).toEqual([
      'operator submitted task t1 at 0.000 s and has no answer',
    ])
    expect(world().see(request).after(10_000).see(calm).said).toEqual([])
    const gone = { type: 'nodeStopped', node: 'broker', how: 'crashed' } as const
    expect(world().see(request, gone).after(10_001).see(calm).said).toEqual([])
  })
})
