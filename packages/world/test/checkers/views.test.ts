import type { DeadLetter, QueueStats, WorkerStats } from '@sluice/broker/core'
import { createState, DEFAULT_CONFIG, type Event, engineConfig, evolve } from '@sluice/engine'
import { describe, expect, test } from 'vitest'
import { Views } from '../../src/checkers/views.ts'
import type { ObservationOf } from '../../src/observation.ts'
import { accepted, died, opened, Stream, seqOf, sessionOf, succeeded } from './stream.ts'

describe('[HOST-20] what is seen of the broker as a whole is what it holds', () => {
  const session = sessionOf('worker-1')
  const events: Event[] = [
    ...opened('worker-1', 3),
    accepted('t1', {}, 40),
    accepted('t2', { delayMs: 1000 }),
    accepted('t3'),
    accepted('t4'),
    accepted('t5'),
    { type: 'leasesGranted', session, lease: 1, tasks: [seqOf('t4'), seqOf('t5')], atMs: 0 },
    succeeded('t5', 90),
    died('t3', 'expired', undefined, 95),
  ]

  function holding(...more: Event[]): Stream {
    const stream = new Stream((sources) => new Views(sources))
    stream.state = createState(engineConfig())
    for (const event of [...events, ...more]) evolve(stream.state, event)
    stream.brokerMs = 100
    return stream
      .toBroker('worker-1', { type: 'hello', versions: [1], roles: ['worker'], name: 'jo', labels: { gpu: '' } })
      .welcome('worker-1')
      .append(...events, ...more)
  }

  const queue: QueueStats = {
    name: 'q',
    ready: 1,
    delayed: 1,
    leased: 1,
    succeeded: 1,
    dead: 1,
    cancelled: 0,
    bytes: 6,
    tasksMax: DEFAULT_CONFIG.queueTasksMax,
    bytesMax: DEFAULT_CONFIG.queueBytesMax,
    workers: 1,
    freeCredit: 2,
    drainPerSecond: 2,
    oldestReadyAgeMs: 60,
  }
  const worker: WorkerStats = {
    id: 'worker-1',
    name: 'jo',
    labels: { gpu: '' },
    connected: true,
    credit: 3,
    leased: 1,
    queues: ['q'],
  }
  const view: Omit<ObservationOf<'viewed'>, 'atMs'> = {
    type: 'viewed',
    node: 'operator',
    health: {
      status: 'ready',
      durability: 'strict',
      version: '1',
      tasks: 5,
      connections: 1,
      journal: { batches: 1, bytes: 1 },
    },
    queues: [queue],
    workers: [worker],
  }
  const shown = (what: string) => [expect.stringContaining(`operator was shown ${what} as `)]

  test('as it is', () => {
    expect(holding().see(view).said).toEqual([])
  })

  test('queues with every figure', () => {
    const fields = [
      'ready',
      'delayed',
      'leased',
      'succeeded',
      'dead',
      'cancelled',
      'bytes',
      'tasksMax',
      'bytesMax',
    ] as const
    for (const field of [...fields, 'workers', 'freeCredit'] as const) {
      const queues = [{ ...queue, [field]: queue[field] + 1 }]
      expect(holding().see({ ...view, queues }).said, field).toEqual(shown('the figures of q'))
    }
    const oldest = (oldestReadyAgeMs: number, ...more: Event[]) => {
      const ready = more.length + 1
      const queues = [{ ...queue, ready, delayed: 2 - ready, oldestReadyAgeMs }]
      return holding(...more).see({ ...view, queues }).said
    }
    expect(oldest(61)).toEqual(['operator was told that in q the oldest is ready for 61 ms, and it is 60'])
    // One that was delayed may be older and have been ready for less.
    const readied: Event = { type: 'taskReadied', id: 't2', atMs: 95 }
    expect([oldest(60, readied), oldest(100, readied)]).toEqual([[], []])
    expect(oldest(61, readied)).toHaveLength(1)
    expect(holding().see({ ...view, queues: [] }).said).toEqual(shown('the queues'))
  })

  test('a rate within what was seen', () => {
    const drains = (drainPerSecond: number, batches = 3) => {
      const stream = holding().see({ ...view, queues: [{ ...queue, drainPerSecond }] })
      for (let i = 0; i < batches; i += 1) stream.append()
      return stream.said
    }
    expect(drains(4)).toEqual([])
    expect(drains(4.2)).toEqual(['operator was told that q drains at 4.2 tasks a second, and 4 is the most'])
    // What has ended may be on its way to the journal.
    expect(drains(4.2, 2)).toEqual([])
    // Of a queue that came to be after that, nothing has ended.
    const fresh = new Stream((sources) => new Views(sources)).append(...events)
    fresh.state = createState(engineConfig())
    evolve(fresh.state, accepted('t9', {}, 99))
    fresh.brokerMs = 100
    const anew = { ...queue, ready: 1, drainPerSecond: 0 }
    expect(fresh.see({ ...view, queues: [anew] }).said.join()).not.toContain('does not drain')
    expect(drains(0)).toEqual(['operator was told that q does not drain, 5 ms after the end of a task'])
  })

  test('workers and health', () => {
    const away = { type: 'sessionDisconnected', session, graceEndsAtMs: 900, atMs: 99 } as const
    const gone = {
      queues: [{ ...queue, workers: 0, freeCredit: 0 }],
      workers: [{ ...worker, connected: false, name: '', labels: {} }],
    }
    expect(holding(away).see({ ...view, ...gone, health: { ...view.health, connections: 0 } }).said).toEqual([])
    for (const over of [
      { name: 'al' },
      { labels: {} },
      { connected: false },
      { credit: 2 },
      { leased: 0 },
      { queues: [] },
    ])
      expect(holding().see({ ...view, workers: [{ ...worker, ...over }] }).said).toEqual(shown('the workers'))
    expect(holding().see({ ...view, workers: [] }).said).toEqual(shown('the workers'))
    // Whoever said that it was no worker is none.
    const producer = holding().toBroker('worker-1', { type: 'hello', versions: [1], roles: ['producer'] })
    expect(producer.welcome('worker-1').see({ ...view, workers: [] }).said).toEqual([])
    const health = (over: Partial<typeof view.health>) =>
      holding()
        .toNode('worker-1', { type: 'drain', retryAfterMs: 1 })
        .see({ ...view, health: { ...view.health, status: 'draining', ...over } }).said
    expect(health({})).toEqual([])
    expect(health({ tasks: 4 })).toEqual(shown('the tasks'))
    expect(health({ connections: 0 })).toEqual(shown('the connections'))
    expect(health({ status: 'ready' })).toEqual(['operator was told that the broker is ready, which is leaving'])
  })

  test('dead letters, each of them once', () => {
    const letter: DeadLetter = { id: 't3', queue: 'q', reason: 'expired', attempts: 0, history: [], ageMs: 100 }
    const more = [died('t1', 'expired', undefined, 99)]
    const other = { ...letter, id: 't1', ageMs: 60 }
    const listed = (limit: number, ...pages: DeadLetter[][]) =>
      holding(...more).see({ type: 'listed', node: 'operator', limit, pages }).said
    expect(listed(1, [letter], [other])).toEqual([])
    expect(listed(3, [letter, other])).toEqual([])
    expect(listed(3, [letter], [other])).toEqual([
      'operator was given 1 dead letters on a page of 3, and there were more',
    ])
    const elsewhere = (queue: string, ...page: DeadLetter[]) =>
      holding(...more).see({ type: 'listed', node: 'operator', queue, limit: 3, pages: [page] }).said
    expect([elsewhere('q', letter, other), elsewhere('p')]).toEqual([[], []])
    expect(elsewhere('p', letter, other)).toEqual(shown('the dead letters'))
    expect(listed(3, [letter])).toEqual(shown('the dead letters'))
    expect(listed(3, [letter, other, other])).toEqual(shown('the dead letters'))
    expect(listed(3, [other, letter])).toEqual(['operator was given dead letter t3 behind one that died later'])
    for (const over of [
      { reason: 'lease_expired' },
      { attempts: 1 },
      { ageMs: 0 },
      { error: { message: 'x' } },
    ] as const)
      expect(listed(3, [{ ...letter, ...over }, other])).toEqual(shown('dead letter t3'))
  })

  test('[DEAD-4] how many were made ready', () => {
    const redriving = { type: 'redriving', node: 'operator', ids: ['t3'] } as const
    const redriven = (count: number) => ({ type: 'redriven', node: 'operator', ids: ['t3'], count }) as const
    const ready: Event = { type: 'taskRedriven', id: 't3', atMs: 99 }
    expect(holding().see(redriving).append(ready).see(redriven(1)).said).toEqual([])
    expect(holding().see(redriving).append(ready).see(redriven(2)).said).toEqual([
      'operator was told that 2 dead letters are ready again, and 1 are',
    ])
    const both = holding().see({ ...redriving, ids: ['t9'] }, redriving)
    expect(both.append(ready).see(redriven(0)).said).toEqual([])
  })
})
