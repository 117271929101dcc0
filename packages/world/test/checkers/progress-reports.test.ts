import type { ClientMessage } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { ProgressReports } from '../../src/checkers/progress-reports.ts'
import { complete, connectionOf, deliver, fail, revoke, SCENARIO, Stream, settled, welcomeOf } from './stream.ts'

const node = 'worker-1'
const connection = connectionOf(node)
const workers = [{ ...SCENARIO.workers[0]!, service: { q: { ms: SCENARIO.journal.appendMs, progressEveryMs: 50 } } }]
const says = (message: ClientMessage) => ({ type: 'sentToBroker', node, connection, message }) as const
const report = (step: number, run = 1, lease = 1) =>
  says({ type: 'reportProgress', updates: [{ lease, progress: { run, step } }] })
const begun = (run: number) =>
  ({ type: 'handlerStarted', node, id: `t${run}`, queue: 'q', attempt: 1, body: '', run }) as const
const ended = { type: 'handlerEnded', node, id: 't1', run: 1, how: 'threw' } as const

/** A handler that reports every 50 ms. */
const working = () =>
  new Stream((sources) => new ProgressReports(sources), { workers })
    .welcome(node)
    .told(node, deliver(1, 't1'))
    .see(begun(1))
const later = (stream: Stream, ms: number) =>
  stream.after(ms).see({ type: 'nodeStarted', node: 'worker-9', incarnation: 1 }).said

describe('[CLIENT-7] a worker passes on progress', () => {
  test('soon', () => {
    expect(later(working(), 153)).toEqual([])
    expect(later(working(), 154)).toEqual(['worker-1 has passed on no progress of task t1 for 154 ms'])
    expect(later(working().see(report(1)).after(100).see(report(3)), 150)).toEqual([])
    expect(later(working().see(ended), 5000)).toEqual([])
  })

  test('as soon as it is back where it was away', () => {
    const lost = { type: 'disconnected', node, connection, side: 'node', code: 1006 } as const
    const away = () => working().see(lost).after(5000)
    expect(away().see(begun(2)).said).toEqual([])
    expect(later(away().told(node, welcomeOf(node, { resumed: true })), 154)).toHaveLength(1)
  })

  test('the newest', () => {
    expect(working().see(report(1)).after(120).see(report(3)).said).toEqual([])
    expect(working().see(report(1)).after(120).see(report(2)).said).toEqual([
      'worker-1 reports step 2 of task t1, which is at step 3',
    ])
  })

  test('of the handler that has the lease', () => {
    expect(working().see(report(1, 2)).said).toEqual(['worker-1 reports progress of run 2 under the lease of run 1'])
  })

  test('ten times a second at most, but for last words', () => {
    expect(working().see(report(1)).after(60).see(report(2)).said).toEqual([
      'worker-1 reports progress again after 60 ms',
    ])
    expect(working().see(report(1)).after(100).see(report(3)).said).toEqual([])
    expect(working().see(report(1)).after(60).see(ended, report(2)).said).toEqual([])
    const two = working().told(node, deliver(2, 't2')).see(begun(2))
    expect(two.see(report(1), report(1, 2, 2)).said).toEqual([])
  })

  test('but one that is slow or has stopped is not judged', () => {
    const pause = { type: 'pause', node, forMs: 10 } as const
    expect(later(working().see({ type: 'faultStarted', fault: pause, number: 1 }), 5000)).toEqual([])
    expect(later(working().see({ type: 'nodeStopped', node, how: 'crashed' }), 5000)).toEqual([])
  })
})

describe('[CLIENT-7] a worker passes on none', () => {
  const over = ['worker-1 reports progress under lease 1, which it has answered or lost']
  const more = (stream: Stream) => stream.after(10).see(ended, report(1)).said

  test('of what it has answered, be it confirmed or not', () => {
    expect(more(working().see(says(complete(1, [1]))))).toEqual(over)
    expect(more(working().see(says(fail(1, 1))))).toEqual(over)
    expect(more(working().see(says({ type: 'release', ref: 1, leases: [1] })))).toEqual(over)
    expect(
      more(
        working()
          .see(says(complete(1, [1])))
          .told(node, settled(1)),
      ),
    ).toEqual(over)
    expect(working().see(ended, says(complete(1, [1])), report(1)).said).toEqual(over)
    expect(working().see(ended, report(1), says(complete(1, [1]))).said).toEqual([])
  })

  test('until it is given another of that number', () => {
    expect(more(working().told(node, revoke(1)).told(node, deliver(1, 't2')))).toEqual([])
  })

  test('of what it has heard to be lost', () => {
    expect(more(working().told(node, revoke(1)))).toEqual(over)
    expect(more(working().told(node, { type: 'renewed', ref: 1, lost: [1] }))).toEqual(over)
    expect(more(working().told(node, welcomeOf(node, { lostLeases: [1] })))).toEqual(over)
  })
})
