import type { Scenario } from '@sluice/world'
import { welcome } from './welcome.ts'

/** Pages that save what they submit on their device first. Each device has two tabs, of which one sends. */
export const phones: Scenario = {
  ...welcome,
  name: 'phones',
  producers: [],
  browsers: [
    {
      count: 2,
      tabs: 2,
      arrivals: { kind: 'poisson', rate: 0.5 },
      tasks: [{ queue: 'photos', weight: 1, bodyBytes: { kind: 'constant', value: 200 } }],
      storeMs: { kind: 'uniform', min: 5, max: 25 },
    },
  ],
  script: [
    { atMs: 15_000, fault: { type: 'partition', node: 'tab-1', forMs: 8000 } },
    { atMs: 40_000, fault: { type: 'hide', node: 'tab-3', forMs: 6000 } },
    { atMs: 60_000, fault: { type: 'deviceCrash', node: 'browser-2', forMs: 5000 } },
  ],
}
