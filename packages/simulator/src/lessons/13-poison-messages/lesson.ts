import type { Scenario } from '@sluice/world'
import { submissionsOf } from '@sluice/world/phenomena'
import type { Lesson } from '../lesson.ts'
import { bodyBytes, exactly, scene } from '../scene.ts'

const UNTIL_MS = 30_000

/** One task among many crashes the worker that runs it. A new worker starts a second later. */
function scenario(attemptsMax: number): Scenario {
  const options = { retry: { kind: 'fixed', attemptsMax, delayMs: 0 } } as const
  return {
    ...scene,
    name: `a poison message, ${attemptsMax} attempts`,
    durationMs: UNTIL_MS,
    engine: { graceMs: 300 },
    producers: [
      {
        count: 1,
        arrivals: { kind: 'steady', rate: 1.5 },
        tasks: [{ queue: 'photos', weight: 1, bodyBytes, options }],
      },
      {
        count: 1,
        arrivals: { kind: 'steady', rate: 0.5 },
        tasks: [{ queue: 'broken', weight: 1, bodyBytes, options }],
        tasksMax: 1,
      },
    ],
    workers: [
      {
        count: 3,
        queues: ['photos', 'broken'],
        concurrency: 1,
        prefetch: 0,
        service: { photos: { ms: exactly(600) }, broken: { ms: exactly(400), crashes: 1 } },
      },
    ],
  }
}

type Figure = 'crashes' | 'dead' | 'healthyDone'

export const poisonMessages: Lesson<Figure, 1, 1> = {
  number: 13,
  name: 'poison-messages',
  title: 'Poison messages and dead letters',
  teaser: 'One photo kills every worker that opens it. The queue hands it to the next one.',
  rules: ['LEASE-7', 'LEASE-8', 'RETRY-1', 'RETRY-4', 'DEAD-1', 'DEAD-4'],
  problem: [
    'Three workers make thumbnails. One photo is broken in such a way that the program crashes when it opens it.',
    'A queue is faithful. If a worker dies, the next one gets its task. We were glad of that in lesson 2.',
    'But this task kills the next one, too.',
  ],
  runs: [{ label: '3 attempts', scenario: scenario(3) }],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 1,
  looksAt: ['submitting', 'accepted', 'outcome', 'handlerStarted', 'nodeStopped'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const healthy = submissions.filter(
      // What has come just now may still be worked on.
      ({ queue, submittedAtMs }) => queue === 'photos' && submittedAtMs < UNTIL_MS - 3000,
    )
    return {
      crashes: seen.filter((one) => one.type === 'nodeStopped' && one.how === 'crashed').length,
      dead: submissions.filter(({ deadAtMs }) => deadAtMs !== undefined).length,
      healthyDone: healthy.filter(({ succeededAtMs }) => succeededAtMs !== undefined).length / healthy.length,
    }
  },
  figures: {
    crashes: 'workers that crashed',
    dead: 'dead letters',
    healthyDone: 'share of healthy photos done',
  },
  predict: {
    kind: 'number',
    question: 'Each task may be tried three times. How many times does a worker crash?',
    unit: 'crashes',
    min: 0,
    max: 30,
    step: 1,
    outcome: ([run]) => run.crashes,
  },
  observe: {
    kind: 'choice',
    question: 'What happened to the healthy photos meanwhile?',
    options: [
      { text: 'Some were lost with the workers that crashed.', answer: 'None was. Count those that are done.' },
      { text: 'All were done.', answer: 'Yes. The other workers went on, and the crashed ones came back.' },
      { text: 'They waited until the broken one was out of the way.', answer: 'They passed it, on other workers.' },
    ],
    outcome: ([run]) => (run.healthyDone === 1 ? 1 : 0),
  },
  explain: [
    'A task that kills its workers is called a poison message. The answer is to count: each task has a number of attempts, and a lost worker uses one up if the task had begun.',
    'After the last attempt, the task becomes a dead letter. It is set aside with its reason and its history, and nobody gets it any more.',
    'The queue is careful with a suspect. After two losses in a row it is handed out alone: its worker runs nothing else beside it. So it takes no other task down with it.',
    'A dead letter is not thrown away. Somebody reads the reason, mends the program, and then hands the task out again with fresh attempts. This is a redrive.',
  ],
  change: {
    prompt: [
      'Somebody wants to be sure that no photo is ever given up, and allows a thousand attempts. Everything else is the same.',
    ],
    runs: [{ label: '1,000 attempts', scenario: scenario(1000) }],
    predict: {
      kind: 'number',
      question: 'How many crashes are there in these thirty seconds?',
      unit: 'crashes',
      min: 0,
      max: 60,
      step: 1,
      outcome: ([run]) => run.crashes,
    },
    explain: [
      'Perhaps fewer than you thought. After each loss in a row, the queue waits twice as long before the next try: one second, two, four, up to a minute.',
      'But it never ends. The photo comes back for hours, a worker dies each time, and nobody is told. A bound on attempts turns an endless fault into one letter that a person can read.',
    ],
  },
  transfer: {
    kind: 'choice',
    question: 'A parcel has no readable address. What should a post office do with it?',
    options: [
      {
        text: 'Give it to another driver every day until one finds the house.',
        answer: 'That is the endless retry. Each day costs a driver some time, and the sender hears nothing.',
      },
      {
        text: 'Throw it away after the first try.',
        answer: 'Perhaps the first driver was only ill. And the sender would like to know.',
      },
      {
        text: 'Try a few times, then keep it in a special room with a note.',
        answer: 'Yes: a bound, and a dead letter with a reason. Post offices invented the name.',
      },
    ],
    outcome: () => 2,
  },
  notModelled: [
    'The time that a session without a connection is kept: 0.3 seconds here, ten by default. With ten, each loss would take longer to notice.',
    'A task that crashes the broker itself. No counter in the broker can bound that.',
  ],
  claim: {
    text: 'With three attempts, a poison message costs three workers and ends as a dead letter. Without a small bound it goes on. Healthy tasks are done in both cases.',
    holds: ([three], [many]) =>
      three.crashes === 3 &&
      three.dead === 1 &&
      three.healthyDone === 1 &&
      many.crashes > 3 &&
      many.crashes < 12 &&
      many.dead === 0 &&
      many.healthyDone === 1,
  },
}
