import type { Scenario } from '../scenario.ts'

/** A small shop on an ordinary day: nothing goes wrong except in handlers. */
export const defaultScenario: Scenario = {
  name: 'default',
  durationMs: 10 * 60_000,
  settleMs: 2 * 60_000,
  journal: { appendMs: { kind: 'constant', value: 2 }, readMs: { kind: 'constant', value: 0 } },
  network: { delayMs: { kind: 'pareto', min: 1, shape: 2.5, max: 200 }, bytesPerSecond: 10_000_000 },
  producers: [
    {
      count: 2,
      arrivals: { kind: 'poisson', rate: 1 },
      tasks: [
        { queue: 'thumbnails', weight: 3, bodyBytes: { kind: 'uniform', min: 50, max: 400 } },
        {
          queue: 'mail',
          weight: 1,
          options: { priority: 7, retry: { kind: 'exponential', attemptsMax: 5, delayMs: 500 } },
          bodyBytes: { kind: 'constant', value: 120 },
        },
      ],
    },
  ],
  workers: [
    {
      count: 4,
      queues: ['thumbnails', 'mail'],
      concurrency: 2,
      service: {
        thumbnails: { ms: { kind: 'exponential', mean: 800 } },
        mail: { ms: { kind: 'uniform', min: 50, max: 300 }, fails: 0.05 },
      },
    },
  ],
}
