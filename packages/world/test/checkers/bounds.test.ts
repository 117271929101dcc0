import {
  type AttemptRecord,
  createState,
  DEFAULT_CONFIG,
  type EngineConfig,
  type Event,
  engineConfig,
  evolve,
  type Task,
} from '@sluice/engine'
import { Bodies, DEFAULT_LIMITS, type ErrorCode, type TaskFailure } from '@sluice/protocol'
import { describe, expect, test } from 'vitest'
import { Busy } from '../../src/checkers/busy.ts'
import { ConnectionBounds } from '../../src/checkers/connection-bounds.ts'
import { QueueBounds } from '../../src/checkers/queue-bounds.ts'
import { SubmitCredit } from '../../src/checkers/submit-credit.ts'
import type { ObservationOf } from '../../src/index.ts'
import {
  accepted,
  cancelled,
  deliver,
  died,
  failed,
  granted,
  opened,
  Stream,
  sessionOf,
  submit,
  submitted,
  succeeded,
} from './stream.ts'

describe('[QUEUE-1] queues, records and sessions have bounds', () => {
  const bounded = (engine: Partial<EngineConfig>) => new Stream((sources) => new QueueBounds(sources), { engine })

  test('what goes makes room for what comes', () => {
    const stream = bounded({ queueTasksMax: 1, queueResultsMax: 1, queueBytesMax: 2 })
    expect(stream.append(accepted('t1')).append(cancelled('t1')).append(accepted('t2')).said).toEqual([])
  })

  test('too many tasks, too many bytes', () => {
    expect(bounded({ queueTasksMax: 1 }).append(accepted('t1'), accepted('t2')).said).toEqual([
      'queue q holds 2 unfinished tasks, at most 1 are allowed',
    ])
    expect(bounded({ queueBytesMax: 3 }).append(accepted('t1'), accepted('t2')).said).toEqual([
      'queue q holds 4 bytes, at most 3 are allowed',
    ])
  })

  test('[RESULT-4] [DEAD-3] too many results, too many dead letters', () => {
    const both = [accepted('t1'), accepted('t2')]
    expect(bounded({ queueResultsMax: 1 }).append(...both, cancelled('t1'), cancelled('t2')).said).toEqual([
      'queue q holds 2 results, at most 1 are allowed',
    ])
    expect(bounded({ queueDeadMax: 1 }).append(...both, died('t1', 'expired'), died('t2', 'expired')).said).toEqual([
      'queue q holds 2 dead letters, at most 1 are allowed',
    ])
  })

  test('[SESSION-1] too many sessions', () => {
    expect(bounded({ sessionsMax: 1 }).append(...opened('worker-1'), ...opened('worker-2')).said).toEqual([
      'there are 2 sessions, at most 1 are allowed',
    ])
  })

  test('[HOST-9] a batch that holds more than is to be staged', () => {
    const staging = () => new Stream((sources) => new QueueBounds(sources), { hosting: { stagedBytesMax: 5 } })
    const frame = { type: 'frame', node: 'producer-1', connection: 1, messages: 1, buffered: 0 } as const
    const filled = (stream: Stream, bytes: number) => stream.append(accepted('t1', {}, 0, 'q', bytes)).said
    const wrong = ['a batch holds 16 bytes of new bodies, at most 15 are allowed']
    // One input more, the largest that ever came.
    const heard = () => staging().see({ ...frame, by: 'node', bytes: 10 }, { ...frame, by: 'broker', bytes: 20 })
    expect(filled(heard(), 15)).toEqual([])
    expect(filled(heard(), 16)).toEqual(wrong)
    const request = {
      type: 'submitting',
      node: 'operator',
      id: 't1',
      queue: 'q',
      body: '12345678',
      attempt: 1,
    } as const
    expect(filled(staging().see(request), 15)).toEqual([])
    expect(filled(staging().see(request), 16)).toEqual(wrong)
  })

  test('[SESSION-1] [QUEUE-4] [QUEUE-6] [CREDIT-1] a live state past its bounds', () => {
    const stream = bounded({ queueTasksMax: 1, sessionsMax: 1, queuesMax: 1, tasksMax: 2 })
    stream.state = createState(engineConfig())
    for (const event of [...opened('worker-1', 20_000), ...opened('worker-2')]) evolve(stream.state, event)
    for (const event of [accepted('t1'), accepted('t2'), accepted('t3', {}, 0, 'other')]) evolve(stream.state, event)
    expect(stream.write().said).toEqual([
      'queue q holds 2 unfinished tasks, at most 1 are allowed',
      'the broker holds 3 tasks, at most 2 are allowed',
      'the broker holds 2 sessions, at most 1 are allowed',
      'the broker holds 2 queues, at most 1 are allowed',
      'a session holds 0 leases with a credit of 20000, past 10000',
    ])
  })

  test('[QUEUE-7] a live state that keeps more of failures than fits', () => {
    const stream = bounded({ queueHistoryBytesMax: 99 })
    stream.state = createState(engineConfig())
    for (const event of [...opened('worker-1'), accepted('t1'), granted('worker-1', 1, 't1'), failed('t1', 1)])
      evolve(stream.state, event)
    expect(stream.write().said).toEqual([
      expect.stringMatching(/^queue q keeps \d+ bytes of failures and progress, at most 99 are allowed$/),
    ])
  })

  test('[DEAD-2] what is kept of errors', () => {
    const keeping = (first: TaskFailure, length = 2) => {
      const stream = bounded({})
      stream.state = createState(engineConfig())
      const fail = (attempt: number, error: TaskFailure): Event => ({
        ...failed('t1', attempt),
        attempt: { attempt, endedAtMs: 0, how: 'failed', error },
      })
      const again = [granted('worker-1', 2, 't1'), fail(2, { message: 'x'.repeat(length) })]
      const events = [
        ...opened('worker-1'),
        accepted('t1'),
        granted('worker-1', 1, 't1'),
        fail(1, { message: 'x' }),
        ...again,
      ]
      for (const event of events) evolve(stream.state, event)
      const task = stream.state.tasks.get('t1') as Task
      const [one, other] = task.past.history as [AttemptRecord, AttemptRecord]
      task.past = { ...task.past, history: [{ ...one, error: first }, other] }
      return stream.append(...events).said
    }
    expect(keeping({ message: 'x'.repeat(4096) }, 5000)).toEqual([])
    const wrong = expect.stringContaining('task t1 keeps 4097 units of errors before the newest')
    expect(keeping({ message: 'x'.repeat(4096), name: 'y' })).toContainEqual(wrong)
    expect(keeping({ message: 'x', stack: 'at' })).not.toEqual([])
  })

  test('[RESULT-4] bytes of results', () => {
    const keeping = (queueResultBytesMax: number) => {
      const stream = bounded({ queueResultBytesMax })
      stream.state = createState(engineConfig())
      const events = [...opened('worker-1'), accepted('t1'), granted('worker-1', 1, 't1'), succeeded('t1')]
      for (const event of events) evolve(stream.state, event)
      return stream.write().said
    }
    expect(keeping(3)).toEqual([])
    expect(keeping(2)).toEqual(['queue q keeps 3 bytes of results, at most 2 are allowed'])
  })

  test('[RESULT-2] watchers of an unfinished task', () => {
    const watching = (watchersMax: number, ...more: Event[]) => {
      const stream = bounded({ watchersMax })
      stream.state = createState(engineConfig())
      const watch = (node: string): Event => ({ type: 'taskWatched', id: 't1', session: sessionOf(node), atMs: 0 })
      const open = [...opened('worker-1'), ...opened('worker-2'), accepted('t1')]
      const events = [...open, watch('worker-1'), watch('worker-2'), ...more]
      for (const event of events) evolve(stream.state, event)
      return stream.append(...open, watch('worker-2')).said
    }
    expect(watching(2)).toEqual([])
    expect(watching(1)).toEqual(['task t1 has 2 watchers, at most 1 are allowed'])
    expect(watching(1, cancelled('t1'))).toEqual([])
  })
})

describe('[MSG-17] frames and buffers have bounds', () => {
  const frame = (over: Partial<ObservationOf<'frame'>> = {}) =>
    ({
      type: 'frame',
      node: 'worker-1',
      connection: 101,
      by: 'broker',
      bytes: 10,
      messages: 1,
      buffered: 0,
      ...over,
    }) as const
  const bounded = () =>
    new Stream((sources) => new ConnectionBounds(sources), {
      hosting: {
        sendBufferBytesMax: 100,
        limits: { ...DEFAULT_LIMITS, frameBytesMax: 50, frameMessagesMax: 3, batchItemsMax: 2, bodyBytesMax: 5 },
      },
    })

  test('at the limits', () => {
    expect(
      bounded()
        .see(frame({ bytes: 50, messages: 3, buffered: 100 }))
        .after(1)
        .see(frame()).said,
    ).toEqual([])
  })

  test('a frame past them', () => {
    expect(bounded().see(frame({ bytes: 51 }), frame({ messages: 4, by: 'node' })).said).toEqual([
      'the broker sent worker-1 a frame of 51 bytes, past 50',
      'worker-1 sent the broker a frame of 4 messages, past 3',
    ])
  })

  test('a list and a body past them', () => {
    expect(bounded().toNode('worker-1', { type: 'pong', ref: 1 }).said).toEqual([])
    const long = {
      type: 'sentToBroker',
      node: 'producer-1',
      connection: 1,
      message: submit(1, ['t1', 't2', 't3']),
    } as const
    expect(bounded().see(long).said).toEqual(['a submit of producer-1 has 3 items, past 2'])
    const large = { ...submit(1, ['t1']), bodies: Bodies.ofTexts(['"abcdef"']) }
    expect(bounded().see({ ...long, message: large }).said).toEqual([
      'a submit of producer-1 has a body of 8 bytes, past 5',
    ])
  })

  test('[HOST-11] a full connection that goes on being sent to', () => {
    const full = () => bounded().see(frame({ buffered: 101 }))
    expect(full().see(frame({ buffered: 111 })).said).toEqual([])
    expect(
      full()
        .after(1)
        .see(frame({ buffered: 90 })).said,
    ).toEqual(['the broker went on sending to worker-1, for which more than 100 bytes waited'])
    const closed = full().see({ type: 'disconnected', node: 'worker-1', connection: 101, side: 'broker', code: 4004 })
    expect(closed.after(1).see(frame()).said).toEqual([])
  })

  test('[HOST-10] a full connection that is delivered to', () => {
    const half = () =>
      new Stream((sources) => new ConnectionBounds(sources), { hosting: { sendBufferBytesHigh: 40 } })
        .see(frame({ bytes: 41, buffered: 41 }))
        // More of the same portion.
        .toNode('worker-1', deliver(1, 't1'))
        .see(frame({ buffered: 51 }))
        .toNode('worker-1', deliver(2, 't2'))
        .after(1)
    expect(half().see(frame({ buffered: 61 })).said).toEqual([])
    expect(
      half()
        .see(frame({ buffered: 61 }))
        .toNode('worker-1', deliver(3, 't3')).said,
    ).toEqual(['the broker delivered to worker-1, for which 47 bytes waited'])
    expect(
      half()
        .see(frame({ buffered: 50 }))
        .toNode('worker-1', deliver(3, 't3')).said,
    ).toEqual([])
    // It is still full after the one answer, and has read by the next.
    const answered = () => half().see(frame({ buffered: 61 }))
    expect(
      answered()
        .see(frame({ buffered: 50 }))
        .toNode('worker-1', deliver(3, 't3')).said,
    ).toEqual([])
    // Of a frame its header is unsent, too, which was not there before.
    expect(
      answered()
        .see(frame({ buffered: 54 }))
        .toNode('worker-1', deliver(3, 't3')).said,
    ).toEqual([])
    expect(
      answered()
        .see(frame({ buffered: 55 }))
        .toNode('worker-1', deliver(3, 't3')).said,
    ).toEqual(['the broker delivered to worker-1, for which 41 bytes waited'])
  })
})

describe('[HOST-8] submit credit', () => {
  const credited = () => new Stream((sources) => new SubmitCredit(sources)).welcome('producer-1', { submitCredit: 2 })
  const sent = (ref: number, ...ids: string[]) =>
    ({ type: 'sentToBroker', node: 'producer-1', connection: 1, message: submit(ref, ids) }) as const

  test('is used again when answers have come', () => {
    const stream = credited()
      .see(sent(1, 't1', 't2'))
      .toBroker('producer-1', submit(1, ['t1', 't2']))
    stream
      .told('producer-1', submitted(1))
      .see(sent(2, 't3'))
      .after(1)
      .toBroker('producer-1', submit(2, ['t3']))
    expect(stream.said).toEqual([])
  })

  test('[CLIENT-10] a producer that has more without an answer', () => {
    expect(credited().see(sent(1, 't1', 't2'), sent(2, 't3')).said).toEqual([
      'producer-1 has 3 tasks without an answer and a submit credit of 2',
    ])
  })

  test('a broker that goes on reading', () => {
    const greedy = () => credited().toBroker('producer-1', submit(1, ['t1', 't2', 't3']))
    // What came in the same frame has been read already.
    expect(greedy().toBroker('producer-1', submit(2, ['t4'])).said).toEqual([])
    expect(
      greedy()
        .after(1)
        .toBroker('producer-1', submit(2, ['t4'])).said,
    ).toEqual(['the broker went on reading from producer-1, which has used up its submit credit'])
    expect(
      greedy()
        .toNode('producer-1', submitted(1))
        .after(1)
        .toBroker('producer-1', submit(2, ['t4'])).said,
    ).toEqual([])
  })
})

describe('[QUEUE-2] busy says for how long', () => {
  const busy = (engine: Partial<EngineConfig> = { queueTasksMax: 1 }) =>
    new Stream((sources) => new Busy(sources), { engine })
  const refusal = (retryAfterMs?: number, code: ErrorCode = 'busy', limit = 1) =>
    submitted(1, { code, message: 'queue q is full', limit, ...(retryAfterMs === undefined ? {} : { retryAfterMs }) })
  const full = () => {
    const stream = busy()
    stream.state = createState(engineConfig())
    evolve(stream.state, accepted('t9'))
    return stream.toBroker('producer-1', submit(1, ['t1']))
  }

  test('within its bounds, of a queue that is full', () => {
    expect(full().toNode('producer-1', refusal(1000)).said).toEqual([])
    expect(full().toNode('producer-1', refusal(undefined, 'id_conflict')).said).toEqual([])
  })

  test('[ERROR-1] [HOST-21] no time, a useless time', () => {
    expect(full().toNode('producer-1', refusal()).said).toEqual([
      'producer-1 was told busy without a time after which to try again',
    ])
    expect(full().toNode('producer-1', refusal(1.5)).said).toHaveLength(1)
    expect(full().toNode('producer-1', refusal(49)).said).toEqual([
      'producer-1 was told to try again after 49 ms, outside of 50 to 30000',
    ])
    expect(full().toNode('producer-1', refusal(30_001)).said).toHaveLength(1)
    expect(
      full().toNode('producer-1', { type: 'error', code: 'draining', message: 'x', retryAfterMs: 1001 }).said,
    ).toEqual(['producer-1 was told to come back after 1001 ms, past 1000'])
    const refused = { type: 'refused', node: 'producer-1', id: 't1', error: { code: 'busy', message: 'full' } } as const
    expect(busy().see(refused).said).toHaveLength(1)
  })

  test('[QUEUE-1] the bound that is reached', () => {
    const told = (limit: number) => full().toNode('producer-1', refusal(1000, 'busy', limit)).said
    expect(told(1)).toEqual([])
    // The bytes of so small a body are far below their bound.
    expect(told(DEFAULT_CONFIG.queueBytesMax)).toEqual([
      `producer-1 was told that queue q is at its bound of ${DEFAULT_CONFIG.queueBytesMax}`,
    ])
  })

  test('as long as the queue needs to make room', () => {
    const wait = (retryAfterMs: number, ...ends: number[]) => {
      const stream = full()
      const ids = ends.map((_, i) => `t${20 + i}`)
      stream.append(...ids.map((id) => accepted(id)))
      for (const [i, id] of ids.entries())
        stream.append(granted('worker-1', 1 + i, id), succeeded(id, ends[i] as number))
      stream.brokerMs = (ends.at(-1) ?? 0) + 500
      return stream.toBroker('producer-1', submit(1, ['t1'])).toNode('producer-1', refusal(retryAfterMs)).said
    }
    const outside = (least: number, most: number) => [
      expect.stringContaining(`ms for 1 tasks' room in q, outside of ${least} to ${most}`),
    ]
    // Nobody knows where nothing has ended yet: one second.
    expect(wait(1000)).toEqual([])
    expect(wait(50)).toEqual(outside(1000, 1000))
    expect(wait(30_000)).toEqual(outside(1000, 1000))
    // Two in a second: it may be seen as twice as fast, and as slow as half a second and a window without an end say.
    expect(wait(250, 100, 200)).toEqual([])
    expect(wait(1500, 100, 200)).toEqual([])
    expect(wait(249, 100, 200)).toEqual(outside(250, 1500))
    expect(wait(1501, 100, 200)).toEqual(outside(250, 1500))
    // They ended in different seconds.
    expect(wait(499, 100, 5000)).toEqual(outside(500, 1500))
    // What a restart makes of a journal that was discarded in part is not judged.
    const compacted = full().see({ type: 'recovered', incarnation: 2, firstBatch: 2, lastBatch: 1 })
    expect(compacted.toNode('producer-1', refusal(50)).said).toEqual([])
  })

  test('[CLIENT-10] a client that does not wait', () => {
    const sent = { type: 'sentToBroker', node: 'producer-1', connection: 1, message: submit(1, ['t1']) } as const
    const again = { ...sent, message: submit(2, ['t1']) }
    const told = () => full().see(sent).told('producer-1', refusal(1000))
    expect(told().after(1000).see(again).said).toEqual([])
    expect(told().after(999).see(again).said).toEqual(['producer-1 submitted task t1 again 1 ms before it was to'])
    const anew = { type: 'submitting', node: 'producer-1', id: 't1', queue: 'q', body: 'b', attempt: 1 } as const
    expect(told().see(anew, again).said).toEqual([])
    const restarted = told().see({ type: 'nodeStopped', node: 'producer-1', how: 'crashed' })
    expect(restarted.see(again).said).toEqual([])
    const tab = { ...sent, node: 'tab-1' }
    const ofTab = full().see(tab).told('tab-1', refusal(1000))
    expect(ofTab.see({ ...tab, message: submit(2, ['t1']) }).said).toEqual([])
  })

  test('[QUEUE-1] a queue that cannot have been full', () => {
    const empty = busy()
      .toBroker('producer-1', submit(1, ['t1']))
      .toNode('producer-1', refusal(1000))
    expect(empty.said).toEqual([
      'producer-1 was told that queue q is at its bound of 1',
      'producer-1 was told that queue q is full, which held 1 tasks at most',
    ])
    const together = busy()
      .toBroker('producer-2', submit(7, ['t2']))
      .toBroker('producer-1', submit(1, ['t1']))
    expect(together.toNode('producer-1', refusal(1000)).said).toEqual([])
    const bytes = busy({ queueBytesMax: 5 }).toBroker('producer-1', submit(1, ['t1'], '"abcdef"'))
    expect(bytes.toNode('producer-1', refusal(1000, 'busy', 5)).said).toEqual([])
  })
})
