import type { ClientMessage } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { DeafHandlers } from '../../src/checkers/deaf-handlers.ts'
import { connectionOf, Stream } from './stream.ts'

const node = 'worker-1'
const connection = connectionOf(node)
const about = { node, id: 't1', run: 1 }
const aborted = { ...about, type: 'handlerAborted', reason: 'over' } as const
const ended = { ...about, type: 'handlerEnded', how: 'threw' } as const
const says = (message: ClientMessage) => ({ type: 'sentToBroker', node, connection, message }) as const
const credit = (many: number) => says({ type: 'credit', credit: many, queues: ['q'] })
const restart = { type: 'faultStarted', fault: { type: 'restart', node, restartAfterMs: 1 }, number: 1 } as const

/** A worker with one place, which asks for tasks. */
const working = () =>
  new Stream((sources) => new DeafHandlers(sources))
    .see({ type: 'nodeStarted', node, incarnation: 1 })
    .welcome(node)
    .see(credit(2))
const later = (stream: Stream, ms: number) =>
  stream.after(ms).see({ type: 'nodeStarted', node: 'worker-9', incarnation: 1 }).said

describe('[CLIENT-8] a worker all of whose places are kept by handlers that do not stop', () => {
  test('asks for nothing after 2 s', () => {
    expect(later(working().see(aborted), 2050)).toEqual([])
    expect(later(working().see(aborted), 2051)).toEqual([
      'worker-1 has handlers in all of its 1 places that do not stop, and asks for 2 tasks',
    ])
    expect(later(working().see(aborted).after(2000).see(credit(0)), 5000)).toEqual([])
  })

  test('is one where none of them has returned', () => {
    expect(later(working().see(aborted).after(1000).see(ended), 5000)).toEqual([])
    expect(later(working(), 5000)).toEqual([])
  })

  test('asks for tasks again as soon as one does', () => {
    const freed = () => working().see(aborted).after(2000).see(credit(0)).after(1000).see(ended)
    expect(later(freed(), 51)).toEqual(['worker-1 has a free place, and asks for no tasks'])
    expect(later(freed().see(credit(2)), 5000)).toEqual([])
  })

  test('is not to be judged without a connection, when it leaves, is slow, or has stopped', () => {
    const lost = { type: 'disconnected', node, connection, side: 'node', code: 1006 } as const
    expect(later(working().see(aborted, lost), 5000)).toEqual([])
    expect(later(working().see(restart, credit(0)), 5000)).toEqual([])
    const pause = { type: 'pause', node, forMs: 10 } as const
    expect(later(working().see({ type: 'faultStarted', fault: pause, number: 1 }, aborted), 5000)).toEqual([])
    expect(later(working().see(aborted, { type: 'nodeStopped', node, how: 'crashed' }), 5000)).toEqual([])
    const end = { type: 'calmEnded', unfinished: [], waiting: [] } as const
    expect(later(working().see(end, credit(0)), 5000)).toEqual([])
  })
})
