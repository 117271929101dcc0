import type { ProducerGroup, Scenario, WorkerGroup } from '@sluice/world'
import { calm, latenciesOf, quantile, submissionsOf } from '@sluice/world/phenomena'
import type { Lesson } from '../lesson.ts'
import { bodyBytes, exactly } from '../scene.ts'

const UNTIL_MS = 64_000
const service = { '*': { ms: exactly(400) } }
const worker = { count: 1, concurrency: 1, prefetch: 0, service }
const ONE_SLOW = [1, 1, 1, 0.2]
const ALL_ALIKE = [1, 1, 1, 1]

function scenario(
  name: string,
  producer: Pick<ProducerGroup, 'tasks' | 'dealing'>,
  workers: readonly WorkerGroup[],
): Scenario {
  return {
    ...calm,
    name,
    durationMs: UNTIL_MS,
    producers: [{ count: 1, arrivals: { kind: 'poisson', rate: 3 }, ...producer }],
    workers,
  }
}

/** Each worker has a queue of its own, and tasks go to the queues in turn. */
function inTurn(speeds: readonly number[]): Scenario {
  const queue = (at: number): string => `turn-${at + 1}`
  return scenario(
    'round robin',
    { tasks: speeds.map((_, at) => ({ queue: queue(at), weight: 1, bodyBytes })), dealing: 'inTurn' },
    speeds.map((speed, at) => ({ ...worker, queues: [queue(at)], speed })),
  )
}

/** All workers take from one queue, each as it has room. */
function byCredit(speeds: readonly number[]): Scenario {
  return scenario(
    'credit',
    { tasks: [{ queue: 'all', weight: 1, bodyBytes }] },
    speeds.map((speed) => ({ ...worker, queues: ['all'], speed })),
  )
}

type Figure = 'p50Ms' | 'p95Ms' | 'waiting'

export const creditOrRoundRobin: Lesson<Figure, 2, 2> = {
  number: 17,
  name: 'credit-or-round-robin',
  title: 'In turn, or where there is room?',
  teaser: 'Four workers, one of them slow. Dealing out fairly is not fair.',
  rules: ['LEASE-1', 'LEASE-2'],
  problem: [
    'Four workers make thumbnails. Three need 0.4 seconds for one. The fourth is an old machine and needs two seconds.',
    'Three tasks come each second. Together, the four could do more than twice as many.',
    'One dispatcher deals them out in turn, like cards: one for you, one for you. The other waits until a worker says that it has room.',
  ],
  runs: [
    { label: 'in turn', scenario: inTurn(ONE_SLOW) },
    { label: 'by credit', scenario: byCredit(ONE_SLOW) },
  ],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 2,
  looksAt: ['submitting', 'accepted', 'outcome'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const latencies = latenciesOf(submissions)
    return {
      p95Ms: quantile(latencies, 0.95),
      p50Ms: quantile(latencies, 0.5),
      waiting: submissions.length - latencies.length,
    }
  },
  figures: {
    p50Ms: 'time in ms within which half of the tasks are done',
    p95Ms: '… within which 95 of 100 are done',
    waiting: 'tasks without a result at the end',
  },
  predict: {
    kind: 'number',
    question: 'In turn: within how many ms are 95 of 100 tasks done?',
    unit: 'ms',
    min: 0,
    max: 40_000,
    step: 500,
    outcome: ([turn]) => turn.p95Ms,
  },
  observe: {
    kind: 'choice',
    question: 'Which tasks took so long when they were dealt out in turn?',
    options: [
      { text: 'All of them, a little.', answer: 'Half of the tasks were done as quickly as in the other run.' },
      {
        text: 'Those that were dealt to the slow worker.',
        answer: 'Yes: every fourth task, however short the other lines were.',
      },
      { text: 'Those that came when all workers were busy.', answer: 'Three workers were idle more often than busy.' },
    ],
    outcome: ([turn, credit]) => {
      return turn.p50Ms < 2 * credit.p50Ms && turn.p95Ms > 2 * credit.p95Ms ? 1 : 0
    },
  },
  explain: [
    'In turn, each worker gets a quarter of the tasks. The slow one can do half a task a second and gets more than that. Its line grows, while others stand idle.',
    'By credit, the broker pushes a task only to a worker that has announced room for it. A worker that is slow announces room less often. Nobody has to know how fast it is.',
    'An average hides this. Half of the tasks are as quick in both runs. Look at the slowest five in a hundred: there are the people who complain.',
  ],
  change: {
    prompt: ['Now the old machine is replaced. All four workers need 0.4 seconds. Both dispatchers work as before.'],
    runs: [
      { label: 'in turn', scenario: inTurn(ALL_ALIKE) },
      { label: 'by credit', scenario: byCredit(ALL_ALIKE) },
    ],
    predict: {
      kind: 'choice',
      question: 'How do the two compare now?',
      options: [
        { text: 'In turn is still many times worse.', answer: 'With equal workers and equal tasks, it is not bad.' },
        {
          text: 'In turn is nearly as good.',
          answer: 'Yes. If all workers and all tasks are alike, dealing out in turn is a fair guess.',
        },
        { text: 'In turn is clearly better.', answer: 'It cannot be better than to go where there is room.' },
      ],
      outcome: ([turn, credit]) => {
        const ratio = turn.p95Ms / credit.p95Ms
        return ratio > 3 ? 0 : ratio < 0.9 ? 2 : 1
      },
    },
    explain: [
      'To deal out in turn is to guess that all are alike. It works as long as the guess is right, and then comes one old machine, one long task, one worker that is just restarting.',
      'By credit, there is no guess. The workers say themselves how much they can take.',
    ],
  },
  transfer: {
    kind: 'choice',
    question: 'An airport has six desks for passports. Which line is best?',
    options: [
      {
        text: 'Each passenger is sent to a desk in turn, and waits there.',
        answer: 'One difficult passport, and all who wait at that desk are stuck.',
      },
      {
        text: 'One line for all. The next passenger goes to the desk that is free.',
        answer: 'Yes. A slow desk serves fewer people, and nobody is stuck behind it.',
      },
      {
        text: 'Each passenger picks the shortest line.',
        answer: 'Better than in turn. But the shortest line may stand before the slowest desk.',
      },
    ],
    outcome: () => 1,
  },
  notModelled: [
    'A dispatcher that deals in turn. This queue has none, so the first run gives each worker a queue of its own and submits to them in turn.',
    'The cost of announcing room: with a long way between broker and worker, a little prefetch is needed (lesson 7).',
  ],
  claim: {
    text: 'With one slow worker, dealing in turn makes the slowest tasks many times as slow as credit does. With equal workers it is nearly as good.',
    holds: ([turn, credit], [turnAlike, creditAlike]) =>
      turn.p95Ms >= 3 * credit.p95Ms &&
      turn.p50Ms < 2 * credit.p50Ms &&
      turnAlike.p95Ms <= 3 * creditAlike.p95Ms &&
      turnAlike.p95Ms >= 0.9 * creditAlike.p95Ms,
  },
}
