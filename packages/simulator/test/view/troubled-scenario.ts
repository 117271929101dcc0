import { defaultScenario, type ProducerGroup, type Scenario } from '@sluice/world'

const group = defaultScenario.producers[0] as ProducerGroup

/** Short leases, a loss of power, a crash and a pause of workers, and more tasks than the queue holds for a while. */
export const troubledScenario: Scenario = {
  ...defaultScenario,
  name: 'troubled',
  durationMs: 60_000,
  engine: { queueTasksMax: 20 },
  producers: [
    {
      ...group,
      arrivals: { kind: 'poisson', rate: 5 },
      tasks: group.tasks.map((mix) => ({ ...mix, options: { ...mix.options, leaseMs: 3000 } })),
      cancels: 0.02,
    },
  ],
  script: [
    { atMs: 10_000, fault: { type: 'powerLoss', restartAfterMs: 3000 } },
    { atMs: 25_000, fault: { type: 'crash', node: 'worker-1', restartAfterMs: 1000 } },
    { atMs: 34_000, fault: { type: 'pause', node: 'worker-2', forMs: 8000 } },
  ],
}
