import { expect, test } from 'vitest'
import { defaultScenario, type Observation, runWorld, type Scenario } from '../src/index.ts'

const bodyBytes = { kind: 'constant', value: 50 } as const
const producer = (queue: string, rate: number): Scenario['producers'][0] => ({
  count: 1,
  arrivals: { kind: 'steady', rate },
  tasks: [{ queue, weight: 1, bodyBytes }],
})

/** One worker that does five tasks a second, names the crowded queue first, and gets eight a second for it alone. */
const crowded: Scenario = {
  ...defaultScenario,
  durationMs: 30_000,
  producers: [producer('crowded', 8), producer('quiet', 1)],
  workers: [
    {
      count: 1,
      queues: ['crowded', 'quiet'],
      concurrency: 1,
      prefetch: 0,
      service: { '*': { ms: { kind: 'constant', value: 200 } } },
    },
  ],
}

test('[READY-7] a crowded queue keeps no other queue of its workers waiting', async () => {
  const waits: number[] = []
  const submittedAtMs = new Map<string, number>()
  await runWorld(crowded, 1, {
    only: new Set(['submitting', 'handlerStarted']),
    onObservation: (seen: Observation) => {
      if (seen.type === 'submitting') submittedAtMs.set(seen.id, seen.atMs)
      if (seen.type === 'handlerStarted' && seen.queue === 'quiet' && seen.atMs < crowded.durationMs)
        waits.push(seen.atMs - (submittedAtMs.get(seen.id) ?? 0))
    },
  })
  expect(waits.length).toBeGreaterThanOrEqual(28)
  // At most the task that is running, and one of the crowded queue that had its turn.
  expect(Math.max(...waits)).toBeLessThan(700)
})
