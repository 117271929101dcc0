import { createState, engineConfig, evolve } from '@sluice/engine'
import { describe, expect, test } from 'vitest'
import { Waits } from '../../src/checkers/waits.ts'
import { accepted, cancelled, died, Stream } from './stream.ts'

describe('[HTTP-2] whoever waits for an outcome is answered when there is one, or when the time is over', () => {
  const waiting = { type: 'waiting', node: 'operator', id: 't1', request: 1, ms: 1000 } as const
  const waited = { type: 'waited', node: 'operator', id: 't1', request: 1 } as const

  function begun(): Stream {
    const stream = new Stream((sources) => new Waits(sources))
    stream.state = createState(engineConfig())
    evolve(stream.state, accepted('t1'))
    return stream.see({ type: 'nodeStarted', node: 'broker', incarnation: 1 }).append(accepted('t1')).see(waiting)
  }

  test('not before', () => {
    expect(begun().after(1000).see(waited).said).toEqual([])
    expect(begun().after(10).append(cancelled('t1')).see(waited).said).toEqual([])
    expect(begun().after(10).see(waited).said).toEqual(['operator waited 10 of 1000 ms for task t1, which is ready'])
    expect(begun().see({ ...waited, code: 'busy' }).said).toEqual([])
  })

  test('at once where there is an outcome, or no such task', () => {
    const stream = new Stream((sources) => new Waits(sources))
    stream.see({ type: 'nodeStarted', node: 'broker', incarnation: 1 }, waiting)
    expect(stream.after(300).write().said).toEqual([])
    expect(stream.after(1).write().said).toHaveLength(1)
  })

  test('[HOST-12] and counted for no longer', () => {
    const counting = (waiters: number) => {
      const stream = begun().after(1000)
      stream.held = { connections: 0, pendingConnections: 0, waiters, cachedBytes: 0 }
      return stream.see(waited).said
    }
    expect(counting(0)).toEqual([])
    expect(counting(1)).toEqual(['the broker counts 1 who wait for an outcome, and there are 0'])
  })

  test('unless the broker leaves', () => {
    const restart = { type: 'restart', node: 'broker', restartAfterMs: 1 } as const
    expect(begun().see({ type: 'faultStarted', fault: restart, number: 1 }, waited).said).toEqual([])
    expect(begun().toNode('producer-1', { type: 'drain', retryAfterMs: 1 }).see(waited).said).toEqual([])
    expect(begun().see({ type: 'calmEnded', unfinished: [], waiting: [] }, waited).said).toEqual([])
  })

  test('and not much later', () => {
    expect(begun().after(1300).write().said).toEqual([])
    expect(begun().after(1301).write().said).toEqual([
      'operator still waits for task t1, 301 ms after it was to be answered',
    ])
    const ended = () => begun().append(cancelled('t1', 1))
    expect(ended().after(300).write().said).toEqual([])
    expect(ended().after(301).write().said).toHaveLength(1)
    // Nobody waits for a broker that is gone, and one that was kept from its work has time.
    expect(ended().see({ type: 'nodeStopped', node: 'broker', how: 'crashed' }).after(301).write().said).toEqual([])
    // It ended before the wait began, was redriven, and only now is that durable.
    const redriven = () => begun().append(died('t1', 'expired'), { type: 'taskRedriven', id: 't1', atMs: 0 })
    expect(redriven().see(waited).said).toEqual([])
    expect(redriven().after(1300).write().said).toEqual([])
    expect(redriven().after(1301).write().said).toHaveLength(1)
    const paused = { type: 'faultStarted', fault: { type: 'pause', node: 'broker', forMs: 9 }, number: 1 } as const
    expect(ended().see(paused).after(301).write().said).toEqual([])
  })
})
