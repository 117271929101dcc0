import { describe, expect, test } from 'vitest'
import { Departures } from '../../src/checkers/departures.ts'
import type { Scenario } from '../../src/index.ts'
import { connectionOf, SCENARIO, Stream } from './stream.ts'

const [first] = SCENARIO.workers
const producers: Scenario['producers'] = [
  { count: 1, arrivals: { kind: 'steady', rate: 1 }, tasks: [], asksLater: 0.5 },
]
const up = (node: string, over: Partial<Scenario> = {}) =>
  new Stream((sources) => new Departures(sources), over).see({ type: 'nodeStarted', node, incarnation: 1 })
const asked = (node: string, over: Partial<Scenario> = {}) =>
  up(node, over).see({ type: 'faultStarted', fault: { type: 'restart', node, restartAfterMs: 10 }, number: 1 })
const later = (stream: Stream, ms: number) =>
  stream.after(ms).see({ type: 'nodeStarted', node: 'worker-9', incarnation: 1 }).said
const late = (node: string) => [`${node} was asked to leave, and is still there`]

describe('[CLIENT-9] a client that is asked to leave has left in time', () => {
  test('a worker after the time that its handlers have, and some for answers', () => {
    expect(later(asked('worker-1'), 35_000)).toEqual([])
    expect(later(asked('worker-1'), 35_101)).toEqual(late('worker-1'))
    const hasty = { workers: [{ ...first!, drainGraceMs: 100 }] }
    expect(later(asked('worker-1', hasty), 5201)).toEqual(late('worker-1'))
  })

  test('a producer after 5 s', () => {
    expect(later(asked('producer-1', { producers }), 5000)).toEqual([])
    expect(later(asked('producer-1', { producers }), 5101)).toEqual(late('producer-1'))
  })

  test('also where it is asked at the end', () => {
    const calm = { type: 'calmEnded', unfinished: [], waiting: [] } as const
    expect(later(up('worker-1').see(calm), 35_101)).toEqual(late('worker-1'))
  })

  test('unless it is gone, was not there, or was slow', () => {
    expect(later(asked('worker-1').see({ type: 'nodeStopped', node: 'worker-1', how: 'left' }), 40_000)).toEqual([])
    const pause = { type: 'pause', node: 'worker-1', forMs: 10 } as const
    expect(later(asked('worker-1').see({ type: 'faultStarted', fault: pause, number: 2 }), 40_000)).toEqual([])
    const restart = { type: 'restart', node: 'worker-2', restartAfterMs: 10 } as const
    expect(later(up('worker-1').see({ type: 'faultStarted', fault: restart, number: 1 }), 40_000)).toEqual([])
  })
})

describe('[CLIENT-9] a client that leaves', () => {
  const node = 'worker-1'
  const connection = connectionOf(node)
  const bye = { type: 'sentToBroker', node, connection, message: { type: 'bye' } } as const
  const closed = (code: number) => ({ type: 'disconnected', node, connection, side: 'node', code }) as const

  test('says goodbye', () => {
    expect(up(node).welcome(node).see(closed(1000)).said).toEqual(['worker-1 has left without a goodbye'])
    expect(up(node).welcome(node).see(bye, closed(1000)).said).toEqual([])
  })

  test('if it is honest', () => {
    const liar = { node: 'worker-3', connection: connectionOf('worker-3') }
    expect(
      up(liar.node)
        .welcome(liar.node)
        .see({ ...closed(1000), ...liar }).said,
    ).toEqual([])
  })

  test('where it has a session, and does leave', () => {
    expect(up(node).see(closed(1000)).said).toEqual([])
    expect(up(node).welcome(node).see(closed(1001)).said).toEqual([])
    expect(
      up(node)
        .welcome(node)
        .see({ ...closed(1000), side: 'broker' }).said,
    ).toEqual([])
  })
})

describe('[CLIENT-9] a worker that leaves stops its handlers', () => {
  const about = { node: 'worker-1', id: 't1', run: 1 }
  const begun = { ...about, type: 'handlerStarted', queue: 'q', attempt: 1, body: '' } as const
  const left = { type: 'nodeStopped', node: 'worker-1', how: 'left' } as const
  const goesOn = ['worker-1 is leaving and has not stopped its handler of task t1']

  test('when the time that they have is over', () => {
    expect(later(asked('worker-1').see(begun), 30_000)).toEqual([])
    expect(later(asked('worker-1').see(begun), 30_006)).toEqual(goesOn)
    expect(later(asked('worker-1').see(begun, { ...about, type: 'handlerEnded', how: 'threw' }), 30_101)).toEqual([])
  })

  test('and when it goes', () => {
    expect(asked('worker-1').see(begun, left).said).toEqual(goesOn)
    expect(asked('worker-1').see(begun, { ...about, type: 'handlerAborted', reason: '' }, left).said).toEqual([])
    expect(asked('worker-1').see(begun, { ...left, how: 'crashed' }).said).toEqual([])
    const pause = { type: 'pause', node: 'worker-1', forMs: 10 } as const
    expect(asked('worker-1').see({ type: 'faultStarted', fault: pause, number: 2 }, begun, left).said).toEqual([])
  })
})
