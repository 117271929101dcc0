import { latenciesOf, quantile, submissionsOf } from '@sluice/world/phenomena'
import { between, bodyBytes, scene } from '../lessons/scene.ts'
import type { Challenge } from './challenge.ts'
import { workersKnob } from './knobs.ts'

const P95_MS = 1600

const worker = {
  queues: ['orders'],
  concurrency: 1,
  prefetch: 0,
  service: { orders: { ms: between(300, 700) } },
}

export const surviveMonday: Challenge<'p95Ms' | 'done'> = {
  name: 'survive-monday',
  title: 'Survive Monday',
  text: [
    'Monday begins quietly, and then the orders become more and more: from one to six a second within a minute.',
    'You may hire fast workers, and rent old machines that are half as fast. A fast worker costs 3, an old machine 2. You have 11.',
  ],
  scenario: {
    ...scene,
    name: 'a Monday',
    durationMs: 60_000,
    settleMs: 60_000,
    producers: [
      { count: 2, arrivals: { kind: 'ramp', from: 0.5, to: 3 }, tasks: [{ queue: 'orders', weight: 1, bodyBytes }] },
    ],
    workers: [
      { ...worker, count: 1 },
      { ...worker, count: 1, speed: 0.5 },
    ],
  },
  knobs: [
    workersKnob(0, 'count', { label: 'fast workers', unit: 'workers', min: 0, max: 6, cost: 3, free: 0 }),
    workersKnob(1, 'count', { label: 'old machines', unit: 'workers', min: 0, max: 6, cost: 2, free: 0 }),
  ],
  budget: 11,
  seeds: [1, 2, 3, 4, 5],
  looksAt: ['submitting', 'accepted', 'outcome'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const latencies = latenciesOf(submissions)
    return { p95Ms: quantile(latencies, 0.95), done: latencies.length / submissions.length }
  },
  figures: { p95Ms: 'time in ms within which 95 of 100 orders are done', done: 'share of orders done' },
  goals: [
    { text: '95 of 100 orders are done within 1.6 seconds.', holds: ({ p95Ms }) => p95Ms <= P95_MS },
    { text: 'Every order is done in the end.', holds: ({ done }) => done === 1 },
  ],
  solution: [3, 1],
}
