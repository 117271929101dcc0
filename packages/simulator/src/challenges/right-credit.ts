import { type Fact, FactReader, submissionsOf } from '@sluice/world/phenomena'
import { bodyBytes, exactly, scene } from '../lessons/scene.ts'
import type { Challenge } from './challenge.ts'
import { workersKnob } from './knobs.ts'

const TASKS = 60
const worker = { queues: ['parcels'], concurrency: 1, service: { parcels: { ms: exactly(200) } } }

export const rightCredit: Challenge<'allMs' | 'again' | 'done'> = {
  name: 'right-credit',
  title: 'The right credit',
  text: [
    'Sixty parcels at once. Three fast workers, and one that is five times as slow. A message takes 0.15 seconds each way.',
    'After two seconds one of the fast ones crashes with all that it holds, and is back a second later. How many tasks may each worker hold besides the one that it works on?',
  ],
  scenario: {
    ...scene,
    name: 'sixty parcels',
    durationMs: 20_000,
    settleMs: 40_000,
    engine: { graceMs: 1000 },
    network: { delayMs: exactly(150) },
    producers: [
      {
        count: 1,
        arrivals: { kind: 'burst', size: TASKS, everyMs: 500 },
        tasksMax: TASKS,
        tasks: [{ queue: 'parcels', weight: 1, bodyBytes }],
      },
    ],
    workers: [
      { ...worker, count: 3, prefetch: 15 },
      { ...worker, count: 1, prefetch: 15, speed: 0.2 },
    ],
    script: [{ atMs: 2000, fault: { type: 'crash', node: 'worker-1', restartAfterMs: 1000 } }],
  },
  knobs: [
    workersKnob(0, 'prefetch', {
      label: 'prefetch of the fast workers',
      unit: 'tasks',
      min: 0,
      max: 20,
      cost: 0,
      free: 0,
    }),
    workersKnob(1, 'prefetch', {
      label: 'prefetch of the slow worker',
      unit: 'tasks',
      min: 0,
      max: 20,
      cost: 0,
      free: 0,
    }),
  ],
  budget: 0,
  seeds: [1, 2, 3, 4, 5],
  looksAt: ['submitting', 'accepted', 'outcome', 'appending'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const done = submissions.flatMap(({ succeededAtMs }) => (succeededAtMs === undefined ? [] : [succeededAtMs]))
    const reader = new FactReader()
    const facts = seen.flatMap((one): Fact[] => (one.type === 'appending' ? reader.read(one.events) : []))
    const delivered = facts.flatMap((fact) => (fact.type === 'leaseGranted' ? [fact.id] : []))
    return {
      allMs: Math.max(...done) - Math.min(...submissions.map(({ submittedAtMs }) => submittedAtMs)),
      again: delivered.length - new Set(delivered).size,
      done: done.length,
    }
  },
  figures: {
    allMs: 'ms until all parcels are packed',
    again: 'parcels that were delivered again after the crash',
    done: 'parcels packed',
  },
  goals: [
    { text: 'All is packed within 6.5 seconds.', holds: ({ allMs, done }) => done === TASKS && allMs <= 6500 },
    { text: 'At most five parcels are delivered again.', holds: ({ again }) => again <= 5 },
  ],
  solution: [3, 0],
}
