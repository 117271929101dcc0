import type { BrokerMessage } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { Replies } from '../../src/checkers/replies.ts'
import { complete, fail, Stream, settled, submit, submitted } from './stream.ts'

const replies = () => new Stream(() => new Replies())
const pong: BrokerMessage = { type: 'pong', ref: 1 }

test('[MSG-4] an answer is to a question', () => {
  const stream = replies()
    .toBroker('producer-1', submit(1, ['t1']))
    .toBroker('producer-1', { type: 'ping', ref: 1 })
    .toBroker('producer-1', fail(2, 1))
    .toBroker('producer-1', { type: 'query', ref: 3, ids: ['t1'] })
  for (const answer of [submitted(1), pong, settled(2)]) stream.toNode('producer-1', answer)
  for (const more of [{ more: true }, {}]) stream.toNode('producer-1', { type: 'status', ref: 3, tasks: [], ...more })
  expect(stream.toNode('producer-1', { type: 'ping', ref: 9 }).said).toEqual([])
})

test('[MSG-4] of its kind and number, over its connection, once', () => {
  const asked = () => replies().toBroker('worker-1', complete(1, [7]))
  const unasked = (what: string) => [`worker-1 was sent ${what}, for which it had not asked`]
  expect(asked().toNode('worker-1', pong).said).toEqual(unasked('pong 1'))
  expect(asked().toNode('worker-1', settled(2)).said).toEqual(unasked('settled 2'))
  expect(asked().toNode('worker-2', settled(1)).said).toHaveLength(1)
  expect(asked().toNode('worker-1', settled(1)).toNode('worker-1', settled(1)).said).toEqual(unasked('settled 1'))
  // Who asks twice is answered twice.
  const twice = asked().toBroker('worker-1', complete(1, [7]))
  expect(twice.toNode('worker-1', settled(1)).toNode('worker-1', settled(1)).said).toEqual([])
  const closed = { type: 'disconnected', node: 'worker-1', connection: 101, side: 'broker', code: 1006 } as const
  expect(asked().see(closed).toNode('worker-1', settled(1)).said).toHaveLength(1)
})
