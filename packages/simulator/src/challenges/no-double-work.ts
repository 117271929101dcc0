import type { Scenario } from '@sluice/world'
import { latenciesOf, submissionsOf } from '@sluice/world/phenomena'
import { handlerRunsOf, runsByTask } from '../lessons/handler-runs.ts'
import { bodyBytes, exactly, scene } from '../lessons/scene.ts'
import type { Challenge, Knob } from './challenge.ts'

const SLOWEST_MS = 9000

const lease: Knob = {
  label: 'length of the lease',
  unit: 'ms',
  min: 1000,
  max: 20_000,
  step: 500,
  cost: 0,
  free: 0,
  read: ({ producers }) => producers[0]?.tasks[0]?.options?.leaseMs ?? 0,
  write: (scenario: Scenario, leaseMs: number): Scenario => ({
    ...scenario,
    producers: scenario.producers.map((group) => ({
      ...group,
      tasks: group.tasks.map((task) => ({ ...task, options: { ...task.options, leaseMs } })),
    })),
  }),
}

export const noDoubleWork: Challenge<'twice' | 'slowestMs' | 'done'> = {
  name: 'no-double-work',
  title: 'No double work',
  text: [
    'Three workers send letters. Now and then one of them sleeps for three seconds and wakes again. Later, one crashes and does not come back.',
    'A letter that is sent twice is embarrassing, and so is one that is late. There is only one thing to turn: the length of the lease.',
  ],
  scenario: {
    ...scene,
    name: 'sleepers and a crash',
    durationMs: 40_000,
    settleMs: 30_000,
    engine: { graceMs: 20_000 },
    producers: [
      {
        count: 1,
        arrivals: { kind: 'steady', rate: 1.5 },
        tasks: [{ queue: 'letters', weight: 1, bodyBytes, options: { leaseMs: 1500 } }],
      },
    ],
    workers: [
      { count: 3, queues: ['letters'], concurrency: 1, prefetch: 0, service: { letters: { ms: exactly(1200) } } },
    ],
    script: [
      { atMs: 5000, fault: { type: 'pause', node: 'worker-1', forMs: 3000 } },
      { atMs: 11_000, fault: { type: 'pause', node: 'worker-2', forMs: 3000 } },
      { atMs: 17_000, fault: { type: 'pause', node: 'worker-3', forMs: 3000 } },
      { atMs: 25_000, fault: { type: 'crash', node: 'worker-1', restartAfterMs: 14_000 } },
      { atMs: 25_200, fault: { type: 'crash', node: 'worker-2', restartAfterMs: 1000 } },
    ],
  },
  knobs: [lease],
  budget: 0,
  seeds: [1, 2, 3, 4, 5, 6],
  looksAt: ['submitting', 'accepted', 'outcome', 'handlerStarted', 'handlerEnded'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const latencies = latenciesOf(submissions)
    const sent = runsByTask(handlerRunsOf(seen).filter(({ hasReturned }) => hasReturned))
    return {
      twice: [...sent.values()].filter((runs) => runs.length > 1).length,
      slowestMs: Math.max(...latencies),
      done: latencies.length / submissions.length,
    }
  },
  figures: {
    twice: 'letters that were sent twice',
    slowestMs: 'time in ms of the slowest letter',
    done: 'share of letters done',
  },
  goals: [
    { text: 'No letter is sent twice.', holds: ({ twice }) => twice === 0 },
    { text: 'The slowest letter takes at most nine seconds.', holds: ({ slowestMs }) => slowestMs <= SLOWEST_MS },
    { text: 'Every letter is sent.', holds: ({ done }) => done === 1 },
  ],
  solution: [5000],
}
