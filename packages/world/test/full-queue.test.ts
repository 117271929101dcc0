import { expect, test } from 'vitest'
import type { Observation } from '../src/observation.ts'
import { calm } from '../src/phenomena/calm.ts'
import type { Scenario } from '../src/scenario.ts'
import { runWorld } from '../src/world.ts'

/** Far more at once than the queue holds, for workers that do 30 tasks a second. */
const scenario: Scenario = {
  ...calm,
  name: 'a full queue and a crowd before it',
  durationMs: 2000,
  settleMs: 600_000,
  engine: { queueTasksMax: 20 },
  producers: [
    {
      count: 2,
      arrivals: { kind: 'burst', size: 150, everyMs: 1000 },
      tasks: [{ queue: 'orders', weight: 1, bodyBytes: { kind: 'constant', value: 40 } }],
      tasksMax: 150,
    },
  ],
  workers: [
    {
      count: 3,
      queues: ['orders'],
      concurrency: 3,
      prefetch: 0,
      service: { '*': { ms: { kind: 'constant', value: 300 } } },
    },
  ],
}

test('[QUEUE-2] a crowd that waits before a full queue is not told to wait until the queue idles most of the time', async () => {
  for (let seed = 1; seed <= 10; seed += 1) {
    let lastMs = 0
    const onObservation = ({ type, atMs }: Observation): void => {
      if (type === 'outcome') lastMs = atMs
    }
    const report = await runWorld(scenario, seed, { only: new Set(['outcome']), onObservation })
    expect(report.tasks.succeeded).toBe(300)
    // Ten seconds of work, and what waiting by chance adds.
    expect(lastMs).toBeLessThan(40_000)
  }
})
