import { createState, engineConfig, evolve } from '@sluice/engine'
import type { BrokerMessage } from '@sluice/protocol'
import { expect, test } from 'vitest'
import { Audience } from '../../src/checkers/audience.ts'
import { accepted, hasEnded, hasResult, Stream, sessionOf, submit, welcomeOf } from './stream.ts'

const told = () => new Stream((sources) => new Audience(sources)).welcome('producer-1').welcome('producer-2')
const progress: BrokerMessage = { type: 'progress', tasks: [{ id: 't1', progress: 1 }] }

test('[RESULT-2] outcomes and progress are told to those who asked for them', () => {
  const submitted = told().toBroker('producer-1', submit(1, ['t1']))
  expect(submitted.toNode('producer-1', hasResult('t1')).toNode('producer-1', progress).said).toEqual([])
  const watched = told().toBroker('producer-2', { type: 'watch', ref: 1, ids: ['t1'] })
  expect(watched.toNode('producer-2', hasEnded('t1', 'dead')).said).toEqual([])
  // What was asked for over one connection is told over the next one of the session.
  const back = { type: 'sentByBroker', node: 'producer-1', connection: 77 } as const
  const again = submitted.see({ ...back, message: welcomeOf('producer-1', { session: sessionOf('producer-1') }) })
  expect(again.see({ ...back, message: hasResult('t1') }).said).toEqual([])
})

test('[RESULT-2] and to nobody else', () => {
  const unwatched = told().toBroker('producer-1', { ...submit(1, ['t1']), watch: false })
  expect(unwatched.toNode('producer-1', hasResult('t1')).said).toEqual([
    'producer-1 was told of task t1 (succeeded), for which it had not asked',
  ])
  const other = told().toBroker('producer-1', submit(1, ['t1']))
  expect(other.toNode('producer-2', progress).toNode('producer-2', hasEnded('t1', 'cancelled')).said).toEqual([
    'producer-2 was told of task t1 (progress), for which it had not asked',
    'producer-2 was told of task t1 (ended), for which it had not asked',
  ])
})

test('[RESULT-2] and no more to who said so before there was an outcome', () => {
  const unwatched = (id: string, hosting = {}) => {
    const stream = new Stream((sources) => new Audience(sources), { hosting }).welcome('producer-1')
    stream.state = createState(engineConfig())
    evolve(stream.state, accepted('t1'))
    return stream.toBroker('producer-1', submit(1, ['t1'])).toBroker('producer-1', { type: 'unwatch', ids: [id] })
  }
  const outcome = (stream: Stream) => stream.toNode('producer-1', hasResult('t1')).said
  expect(outcome(unwatched('t1'))).toEqual([
    'producer-1 was told of task t1 (succeeded), of which it wanted to hear no more',
  ])
  expect(outcome(unwatched('t2'))).toEqual([])
  expect(outcome(unwatched('t1').toBroker('producer-1', { type: 'watch', ref: 2, ids: ['t1'] }))).toEqual([])
  // A crash may have undone it, and what waits to be heard may be heard later.
  expect(outcome(unwatched('t1').recover())).toEqual([])
  expect(outcome(unwatched('t1', { stagedBytesMax: 1000 }))).toEqual([])
})
