import type { Scenario } from '@sluice/world'
import { welcome } from './welcome.ts'

/** More comes than can be done, and a queue holds only a few: the broker says “busy”, and producers wait. */
export const rush: Scenario = {
  ...welcome,
  name: 'rush',
  engine: { ...welcome.engine, queueTasksMax: 12, retryAfterMsMin: 1000 },
  producers: [
    {
      count: 3,
      arrivals: { kind: 'poisson', rate: 1.2 },
      tasks: [{ queue: 'orders', weight: 1, bodyBytes: { kind: 'constant', value: 120 } }],
    },
  ],
  workers: [
    {
      count: 2,
      queues: ['orders'],
      concurrency: 2,
      prefetch: 1,
      service: { orders: { ms: { kind: 'uniform', min: 1200, max: 2400 } } },
    },
  ],
  script: [{ atMs: 30_000, fault: { type: 'pause', node: 'worker-1', forMs: 5000 } }],
}
