import type { BrokerMessage } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { Errors } from '../../src/checkers/errors.ts'
import { Stream } from './stream.ts'

test('[CLOSE-1] a connection is closed for the reason that was told', () => {
  const closed = (code: number, error: BrokerMessage, welcomed = false) => {
    const stream = new Stream((sources) => new Errors(sources))
    if (welcomed) stream.welcome('worker-1')
    stream.toNode('worker-1', error)
    return stream.see({ type: 'disconnected', node: 'worker-1', connection: 101, side: 'node', code }).said
  }
  const late: BrokerMessage = { type: 'error', code: 'hello_timeout', message: 'x' }
  const busy: BrokerMessage = { type: 'error', code: 'busy', message: 'x', retryAfterMs: 100 }
  expect([closed(4003, late), closed(1006, late), closed(4008, busy)]).toEqual([[], [], []])
  expect(closed(4009, late)).toEqual(['worker-1 was told hello_timeout and disconnected with 4009, not 4003'])
  expect(closed(4006, busy)).toHaveLength(1)
  // Of a credit that is refused a connection hears and goes on.
  expect(closed(4006, busy, true)).toEqual([])
})
