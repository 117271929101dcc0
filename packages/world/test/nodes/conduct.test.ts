import { describe, expect, test } from 'vitest'
import { type Observation, type ProducerGroup, runWorld, type Scenario, type WorkerGroup } from '../../src/index.ts'
import { calm } from '../../src/phenomena/calm.ts'

const producer: ProducerGroup = {
  count: 1,
  arrivals: { kind: 'steady', rate: 10 },
  tasks: [{ queue: 'q', weight: 1, bodyBytes: { kind: 'constant', value: 20 } }],
}
const worker: WorkerGroup = {
  count: 1,
  queues: ['q'],
  concurrency: 4,
  service: { '*': { ms: { kind: 'constant', value: 100 } } },
}

async function seenIn(scenario: Partial<Scenario>): Promise<Observation[]> {
  const seen: Observation[] = []
  const whole = { ...calm, name: 'conduct', durationMs: 10_000, producers: [producer], workers: [worker], ...scenario }
  const { violations } = await runWorld(whole, 1, { onObservation: (one) => seen.push(one) })
  expect(violations).toEqual([])
  return seen
}

function of<T extends Observation['type']>(seen: readonly Observation[], type: T): Extract<Observation, { type: T }>[] {
  return seen.filter((one): one is Extract<Observation, { type: T }> => one.type === type)
}

describe('a scenario says of a producer', () => {
  test('that it deals its kinds of tasks in turn', async () => {
    const tasks = ['a', 'b', 'c'].map((queue) => ({
      queue,
      weight: 1,
      bodyBytes: { kind: 'constant', value: 9 } as const,
    }))
    const workers = [{ ...worker, queues: ['a', 'b', 'c'] }]
    const seen = await seenIn({ producers: [{ ...producer, tasks, dealing: 'inTurn', tasksMax: 9 }], workers })
    expect(of(seen, 'submitting').map(({ queue }) => queue)).toEqual([...'abcabcabc'])
  })

  test('that it draws like all the others: they come back at the same moments', async () => {
    const cameBack = async (drawsAlike: boolean): Promise<number> => {
      const script = [{ atMs: 5000, fault: { type: 'reset', node: 'broker' } }] as const
      const seen = await seenIn({ producers: [{ ...producer, count: 6, drawsAlike }], workers: [worker], script })
      const attempts = of(seen, 'connecting').filter(({ node, atMs }) => node.startsWith('producer') && atMs > 5000)
      expect(attempts).toHaveLength(6)
      return new Set(attempts.map(({ atMs }) => atMs)).size
    }
    expect(await cameBack(true)).toBe(1)
    expect(await cameBack(false)).toBeGreaterThan(4)
  })

  test('that it has no patience, and tries again at once, or as often as its budget allows', async () => {
    const retries = async (group: Partial<ProducerGroup>) => {
      const service = { '*': { ms: { kind: 'constant', value: 3000 } } } as const
      const producers = [{ ...producer, patienceMs: 500, impatientRetriesMax: 1, ...group }]
      const seen = await seenIn({ producers, workers: [{ ...worker, concurrency: 100, prefetch: 0, service }] })
      const attempts = of(seen, 'submitting').map(({ attempt }) => attempt)
      return { wishes: attempts.filter((n) => n === 1).length, retries: attempts.filter((n) => n > 1).length }
    }
    const atOnce = await retries({})
    expect(atOnce.retries).toBe(atOnce.wishes)
    const budgeted = await retries({ impatientBackOff: { kind: 'budget', ratio: 0.2 } })
    expect(Math.abs(budgeted.retries - budgeted.wishes / 5)).toBeLessThanOrEqual(1)
    const never = await retries({ impatientRetriesMax: 0 })
    expect(never.retries).toBe(0)
  })

  test('that it takes back what was not accepted in time', async () => {
    const seen = await seenIn({
      engine: { queueTasksMax: 1 },
      producers: [{ ...producer, patienceMs: 300 }],
      workers: [
        { ...worker, concurrency: 1, prefetch: 0, service: { '*': { ms: { kind: 'constant', value: 2000 } } } },
      ],
    })
    const gaveUp = of(seen, 'outcomeUnknown').filter(({ code }) => code === 'gaveUp')
    expect(gaveUp.length).toBeGreaterThan(20)
    const accepted = new Set(of(seen, 'accepted').map(({ id }) => id))
    expect(gaveUp.filter(({ id }) => accepted.has(id))).toEqual([])
  })
})

describe('a scenario says of a worker', () => {
  test('how fast it is', async () => {
    const seen = await seenIn({ workers: [{ ...worker, speed: 4 }] })
    const began = new Map(of(seen, 'handlerStarted').map(({ run, atMs }) => [run, atMs]))
    const took = of(seen, 'handlerEnded').map(({ run, atMs }) => atMs - (began.get(run) as number))
    expect(took.length).toBeGreaterThan(50)
    expect(new Set(took)).toEqual(new Set([25]))
  })
})

test('failures name no file of this machine, whether or not a handler heeds its signal', async () => {
  const tasks = [
    { queue: 'q', weight: 1, options: { timeLimitMs: 50 }, bodyBytes: { kind: 'constant', value: 9 } as const },
  ]
  for (const deafMs of [0, 300]) {
    const service = {
      '*': { ms: { kind: 'constant', value: 100 }, deafMs: { kind: 'constant', value: deafMs } },
    } as const
    const seen = await seenIn({ producers: [{ ...producer, tasks }], workers: [{ ...worker, service }] })
    const failures = of(seen, 'sentToBroker').flatMap(({ message }) =>
      message.type === 'fail' ? message.failures : [],
    )
    expect(failures.length).toBeGreaterThan(20)
    expect(failures.filter(({ error }) => error.stack !== undefined)).toEqual([])
  }
})

test('what stopped a process does not stop the next one on the same machine', async () => {
  const script = [
    { atMs: 2000, fault: { type: 'pause', node: 'worker-1', forMs: 6000 } },
    { atMs: 3000, fault: { type: 'crash', node: 'worker-1', restartAfterMs: 1000 } },
  ] as const
  const seen = await seenIn({ script })
  const began = of(seen, 'handlerStarted').map(({ atMs }) => atMs)
  expect(began.filter((atMs) => atMs > 2000 && atMs < 4000)).toEqual([])
  expect(began.filter((atMs) => atMs > 4000 && atMs < 8000).length).toBeGreaterThan(10)
})
