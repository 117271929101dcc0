import { describe, expect, test } from 'vitest'
import { TimeLimits } from '../../src/checkers/time-limits.ts'
import { accepted, forgotten, Stream } from './stream.ts'

describe('[CLIENT-6] a handler keeps within its time limit', () => {
  const handler = { node: 'worker-1', id: 't1', run: 1 } as const
  const started = { ...handler, type: 'handlerStarted', queue: 'q', attempt: 1, body: '' } as const
  const returned = { ...handler, type: 'handlerEnded', how: 'returned', result: 'r' } as const
  const aborted = (reason: string) => ({ ...handler, type: 'handlerAborted', reason }) as const
  const limited = (timeLimitMs = 500) =>
    new Stream((sources) => new TimeLimits(sources)).append(accepted('t1', { timeLimitMs }))
  const outOfTime = aborted('TimeLimitExceeded: too long')
  const tick = { type: 'connected', node: 'worker-1', connection: 1 } as const

  test('and is stopped when that is over', () => {
    expect(limited().see(started).after(500).see(outOfTime).after(9).see(tick).said).toEqual([])
    expect(limited().see(started).after(400).see(returned).after(900).see(tick).said).toEqual([])
    expect(limited().see(started).after(503).see(tick).said).toEqual([
      'worker-1 runs task t1 for more than 500 ms, which is its time limit',
    ])
    expect(limited(0).see(started).after(9000).see(tick).said).toEqual([])
  })

  test('unless its worker stood still, or has ended', () => {
    const pause = { type: 'faultStarted', fault: { type: 'pause', node: 'worker-1', forMs: 9 }, number: 1 } as const
    expect(limited().see(started, pause).after(503).see(tick).said).toEqual([])
    const crashed = { type: 'nodeStopped', node: 'worker-1', how: 'crashed' } as const
    expect(limited().see(started, crashed).after(503).see(tick).said).toEqual([])
    const over = limited().see(pause, { type: 'faultEnded', number: 1 })
    over.see({ type: 'nodeStarted', node: 'worker-1', incarnation: 2 })
    expect(over.see(started).after(503).see(tick).said.length).toBe(1)
  })

  test('and is not stopped for it before', () => {
    expect(limited().see(started).after(400).see(outOfTime).said).toEqual([
      'worker-1 stopped task t1 for its time limit after 400 ms of 500',
    ])
    expect(limited().see(started).after(400).see(aborted('LeaseLostError: lost')).said).toEqual([])
    expect(limited(0).see(started, outOfTime).said).toEqual([
      'worker-1 stopped task t1 for its time limit and has none',
    ])
    expect(limited(0).append(forgotten('t1')).see(started, outOfTime).said).toEqual([])
  })
})
