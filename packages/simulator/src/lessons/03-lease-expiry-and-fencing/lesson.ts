import type { Scenario } from '@sluice/world'
import { submissionsOf } from '@sluice/world/phenomena'
import { handlerRunsOf, resultsRefused, runsByTask } from '../handler-runs.ts'
import type { Lesson } from '../lesson.ts'
import { between, bodyBytes, scene } from '../scene.ts'

const UNTIL_MS = 13_000

/** Two workers with a task each. One of them stands still for longer than a short lease lasts, and then goes on. */
function scenario(leaseMs: number): Scenario {
  return {
    ...scene,
    name: `a worker stands still, lease of ${leaseMs} ms`,
    durationMs: UNTIL_MS,
    producers: [
      {
        count: 1,
        arrivals: { kind: 'burst', size: 2, everyMs: 500 },
        tasksMax: 2,
        tasks: [{ queue: 'films', weight: 1, bodyBytes, options: { leaseMs } }],
      },
    ],
    workers: [
      { count: 2, queues: ['films'], concurrency: 1, prefetch: 0, service: { films: { ms: between(2500, 3500) } } },
    ],
    script: [{ atMs: 2000, fault: { type: 'pause', node: 'worker-1', forMs: 7500 } }],
  }
}

type Figure = 'runs' | 'worksDone' | 'refused' | 'outcomes'

export const leaseExpiryAndFencing: Lesson<Figure, 1, 1> = {
  number: 3,
  name: 'lease-expiry-and-fencing',
  title: 'A worker sleeps: duplicates and fencing',
  teaser: 'A worker was not dead, only asleep. Now two have done the same work.',
  rules: ['LEASE-3', 'LEASE-5', 'CLIENT-6', 'RESULT-1'],
  problem: [
    'Two films wait to be cut, and two workers take one each. Their leases last three seconds.',
    'Now one laptop is closed for some seconds. Its worker is not dead. It just stands still: no work, no heartbeat.',
    'When the laptop opens again, the worker goes on as if nothing had happened. It does not know how late it is.',
  ],
  runs: [{ label: 'lease of 3 s', scenario: scenario(3000) }],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 0.7,
  looksAt: ['submitting', 'accepted', 'outcome', 'handlerStarted', 'handlerEnded', 'sentByBroker'],
  measure(seen) {
    const runs = handlerRunsOf(seen)
    const ofSleeper = [...runsByTask(runs).values()].find(([run]) => run?.node === 'worker-1') ?? []
    return {
      runs: ofSleeper.length,
      worksDone: ofSleeper.filter(({ hasReturned }) => hasReturned).length,
      refused: resultsRefused(seen),
      outcomes: submissionsOf(seen).filter(({ succeededAtMs }) => succeededAtMs !== undefined).length,
    }
  },
  figures: {
    runs: 'times that the sleeper’s task was begun',
    worksDone: 'times that it was done to the end',
    refused: 'results that the broker refused',
    outcomes: 'outcomes that the producer was told, for its two tasks',
  },
  predict: {
    kind: 'choice',
    question:
      'The sleeper wakes and hands in its result. Meanwhile another worker has done the task. What does the broker do?',
    options: [
      {
        text: 'It keeps the result that it has, and refuses the late one.',
        answer: 'Yes. The first outcome that is recorded stays.',
      },
      {
        text: 'It replaces the old result with the newer one.',
        answer: 'Then a result that someone has already used could change behind their back.',
      },
      {
        text: 'It keeps both results.',
        answer: 'The sender asked for one result. Which of the two would be right?',
      },
    ],
    outcome: ([run]) => (run.refused > 0 && run.outcomes === 2 ? 0 : 1),
  },
  observe: {
    kind: 'choice',
    question: 'How often was the sleeper’s film cut to the end?',
    options: [
      { text: 'Once.', answer: 'Look at the two workers: each of them finished this film.' },
      { text: 'Twice.', answer: 'Yes: once by each worker. Only one of the results counted.' },
      { text: 'Never. Both gave up.', answer: 'The sender did get a result, so someone finished it.' },
    ],
    outcome: ([run]) => (run.worksDone === 2 ? 1 : run.worksDone === 1 ? 0 : 2),
  },
  explain: [
    'The broker cannot tell a dead worker from one that sleeps. Both are silent. When the lease runs out, it must decide, and it gives the task to another worker.',
    'So the same work can be done twice. No queue can prevent that: the sleeper had begun, and nobody could tell it to stop.',
    'Each lease has a number, larger than all before it: the fencing token. A result counts only with the number of the lease that is valid now.',
    'The sleeper came with an old number. The broker answered `lease_lost`, and the recorded result stayed as it was.',
  ],
  change: {
    prompt: ['The same two workers, the same sleep. Only the lease lasts ten seconds now, longer than the sleep.'],
    runs: [{ label: 'lease of 10 s', scenario: scenario(10_000) }],
    predict: {
      kind: 'number',
      question: 'How often is the sleeper’s film begun?',
      unit: 'times',
      min: 0,
      max: 5,
      step: 1,
      outcome: ([run]) => run.runs,
    },
    explain: [
      'The sleeper woke in time, so its lease was still valid and its result counted.',
      'But had it been dead, its task would have waited much longer. A short lease repairs quickly and doubles more work. A long lease does the opposite. You choose what hurts less.',
    ],
  },
  transfer: {
    kind: 'choice',
    question:
      'A program holds a lock, sleeps past its end, wakes, and writes to a shared file. Another program has the lock now. What keeps the file right?',
    options: [
      {
        text: 'The program looks at the lock once more before it writes.',
        answer: 'It can fall asleep between the look and the write. Then it is as late as before.',
      },
      {
        text: 'The file’s server gets a rising number with each write, and refuses older numbers.',
        answer: 'Yes. That is fencing: the place that is written to decides, not the writer’s clock.',
      },
      {
        text: 'A lock that lasts longer.',
        answer: 'That makes it rarer. A sleep can always be longer still.',
      },
    ],
    outcome: () => 1,
  },
  notModelled: [
    'What a handler does elsewhere. If it writes to another service, that service needs the number too, or work that can safely be done twice (lesson 19).',
    'The lease of ten seconds is shorter than the default of thirty.',
  ],
  claim: {
    text: 'A worker that sleeps past its lease doubles the work, but not the outcome. If it wakes before the end of its lease, nothing is doubled.',
    holds: ([short], [long]) =>
      short.worksDone === 2 &&
      short.refused === 1 &&
      short.outcomes === 2 &&
      long.runs === 1 &&
      long.refused === 0 &&
      long.outcomes === 2,
  },
}
