import type { Scenario } from '@sluice/world'

/** What a newcomer sees first: slow enough to follow with the eyes, and something goes wrong before long. */
export const welcome: Scenario = {
  name: 'welcome',
  durationMs: 60 * 60_000,
  settleMs: 2 * 60_000,
  engine: { graceMs: 4000 },
  hosting: { heartbeatMs: 2000 },
  journal: { appendMs: { kind: 'constant', value: 60 }, readMs: { kind: 'constant', value: 0 } },
  network: { delayMs: { kind: 'uniform', min: 350, max: 650 } },
  producers: [
    {
      count: 2,
      arrivals: { kind: 'poisson', rate: 0.9 },
      tasks: [
        { queue: 'photos', weight: 3, bodyBytes: { kind: 'constant', value: 200 } },
        {
          queue: 'mail',
          weight: 1,
          options: { priority: 8, retry: { kind: 'exponential', attemptsMax: 5, delayMs: 1500 } },
          bodyBytes: { kind: 'constant', value: 80 },
        },
      ],
    },
  ],
  workers: [
    {
      count: 3,
      queues: ['photos', 'mail'],
      concurrency: 2,
      prefetch: 1,
      service: {
        photos: { ms: { kind: 'uniform', min: 1500, max: 3500 } },
        mail: { ms: { kind: 'uniform', min: 500, max: 1200 }, fails: 0.2 },
      },
    },
  ],
  script: [
    { atMs: 20_000, fault: { type: 'crash', node: 'worker-2', restartAfterMs: 9000 } },
    { atMs: 55_000, fault: { type: 'partition', node: 'worker-1', forMs: 3000 } },
    { atMs: 90_000, fault: { type: 'powerLoss', restartAfterMs: 4000 } },
  ],
}
