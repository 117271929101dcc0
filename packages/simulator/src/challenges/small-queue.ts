import { latenciesOf, quantile, submissionsOf } from '@sluice/world/phenomena'
import { bodyBytes, exactly, scene } from '../lessons/scene.ts'
import type { Challenge } from './challenge.ts'

const P95_MS = 2200

export const smallQueue: Challenge<'p95Ms' | 'refused'> = {
  name: 'small-queue',
  title: 'Small queue, happy users',
  text: [
    'One worker can do four tasks a second. On average fewer come, but they come in crowds of five, from two places.',
    'A long queue makes people wait, and a short one sends too many away. How much room do you give it?',
  ],
  scenario: {
    ...scene,
    name: 'crowds',
    durationMs: 60_000,
    settleMs: 20_000,
    engine: { queueTasksMax: 50 },
    producers: [
      {
        count: 2,
        arrivals: { kind: 'burst', size: 5, everyMs: 2900 },
        tasks: [{ queue: 'orders', weight: 1, bodyBytes }],
        onBusy: 'giveUp',
      },
      {
        count: 1,
        arrivals: { kind: 'poisson', rate: 0.8 },
        tasks: [{ queue: 'orders', weight: 1, bodyBytes }],
        onBusy: 'giveUp',
      },
    ],
    workers: [{ count: 1, queues: ['orders'], concurrency: 1, prefetch: 1, service: { orders: { ms: exactly(250) } } }],
  },
  knobs: [
    {
      label: 'room in the queue',
      unit: 'tasks',
      min: 1,
      max: 50,
      step: 1,
      cost: 0,
      free: 0,
      read: ({ engine }) => engine?.queueTasksMax ?? 50,
      write: (scenario, queueTasksMax) => ({ ...scenario, engine: { ...scenario.engine, queueTasksMax } }),
    },
  ],
  budget: 0,
  seeds: [1, 2, 3, 4, 5],
  looksAt: ['submitting', 'accepted', 'refused', 'outcome'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const refused = seen.filter(({ type }) => type === 'refused').length
    return { p95Ms: quantile(latenciesOf(submissions), 0.95), refused: refused / submissions.length }
  },
  figures: {
    p95Ms: 'time in ms within which 95 of 100 accepted tasks are done',
    refused: 'share of tasks that were refused',
  },
  goals: [
    { text: '95 of 100 accepted tasks are done within 2.2 seconds.', holds: ({ p95Ms }) => p95Ms <= P95_MS },
    { text: 'At most three in ten tasks are refused.', holds: ({ refused }) => refused <= 0.3 },
  ],
  solution: [7],
}
