import type { Scenario } from '@sluice/world'
import { submissionsOf } from '@sluice/world/phenomena'
import { handlerRunsOf, runsByTask } from '../handler-runs.ts'
import type { Lesson } from '../lesson.ts'
import { between, bodyBytes, exactly, scene } from '../scene.ts'

const ORDERS = 24
const UNTIL_MS = 30_000

/** Two workers charge cards. Twice, one of them has no network just when it has done its work. */
function scenario(name: string, attemptsMax: number): Scenario {
  return {
    ...scene,
    name,
    durationMs: UNTIL_MS,
    network: { delayMs: exactly(10) },
    producers: [
      {
        count: 1,
        arrivals: { kind: 'steady', rate: 1.5 },
        tasks: [
          {
            queue: 'payments',
            weight: 1,
            bodyBytes,
            options: {
              leaseMs: 2000,
              retry: attemptsMax === 1 ? { kind: 'none' } : { kind: 'fixed', attemptsMax, delayMs: 0 },
            },
          },
        ],
        tasksMax: ORDERS,
      },
    ],
    workers: [
      {
        count: 2,
        queues: ['payments'],
        concurrency: 2,
        prefetch: 0,
        service: { payments: { ms: between(900, 1700) } },
      },
    ],
    script: [
      { atMs: 5000, fault: { type: 'partition', node: 'worker-1', forMs: 6000 } },
      { atMs: 14_000, fault: { type: 'partition', node: 'worker-2', forMs: 6000 } },
    ],
  }
}

type Figure = 'orders' | 'charges' | 'ordersCharged' | 'told' | 'dead' | 'deadButCharged'

export const exactlyOnce: Lesson<Figure, 1, 1> = {
  number: 19,
  name: 'exactly-once',
  title: 'Exactly once? At least once, made safe',
  teaser: 'The card was charged, and the message about it was lost. Charge again, or not?',
  rules: ['LEASE-3', 'LEASE-5', 'LEASE-9', 'RETRY-1', 'RESULT-1', 'DEAD-1'],
  problem: [
    'Two workers charge cards. Each order must be paid once: not twice, and not never.',
    'A worker charges a card and is about to report it. In this moment its network fails, for six seconds. Its lease lasts two.',
    'The broker has heard nothing. Has the card been charged, or not? It cannot know.',
  ],
  runs: [{ label: 'try again', scenario: scenario('payments that are tried again', 5) }],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 1,
  looksAt: ['submitting', 'accepted', 'outcome', 'handlerStarted', 'handlerEnded'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const charged = runsByTask(handlerRunsOf(seen).filter(({ hasReturned }) => hasReturned))
    const charges = [...charged.values()].reduce((sum, runs) => sum + runs.length, 0)
    const dead = submissions.filter(({ deadAtMs }) => deadAtMs !== undefined)
    return {
      orders: submissions.length,
      charges,
      ordersCharged: charged.size,
      told: submissions.filter(({ succeededAtMs }) => succeededAtMs !== undefined).length,
      dead: dead.length,
      deadButCharged: dead.filter(({ id }) => charged.has(id)).length,
    }
  },
  figures: {
    orders: 'orders',
    charges: 'times that a card was charged',
    ordersCharged: 'orders whose card was charged at least once',
    told: 'orders that the shop was told are paid',
    dead: 'orders that ended as dead letters',
    deadButCharged: '… although their card was charged',
  },
  predict: {
    kind: 'number',
    question: 'There are 24 orders. How many times is a card charged?',
    unit: 'times',
    min: 0,
    max: 48,
    step: 1,
    outcome: ([run]) => run.charges,
  },
  observe: {
    kind: 'choice',
    question: 'How many outcomes did the shop hear for each order?',
    options: [
      {
        text: 'One, for each of them.',
        answer: 'Yes. Although some cards were charged twice, the queue told one outcome.',
      },
      {
        text: 'Two, for those that were charged twice.',
        answer: 'The second result was refused. The shop never saw it.',
      },
      { text: 'None, for some.', answer: 'All orders have an outcome in the end.' },
    ],
    outcome: ([run]) => (run.told === ORDERS ? 0 : 2),
  },
  explain: [
    'If the broker hears nothing, it has two choices. It can try again and risk to do it twice. Or it can leave it and risk that it was never done. It cannot ask which is right, because its questions do not arrive either.',
    'This queue tries again: at least once. Its own books stay right all the same, with one outcome for each task. What it cannot undo is the charge at the bank.',
    'So the handler makes a second try harmless. It sends the id of the task along to the bank: “charge for order 7, if you have not done it yet”. Such a handler is called idempotent.',
    'At least once, plus an idempotent handler: the effect happens exactly once. Compare the charges with the orders charged. The bank would have turned away the difference.',
  ],
  change: {
    prompt: [
      'Somebody is afraid of double charges, and allows one attempt only. A task whose attempt is lost is then not tried again.',
    ],
    runs: [{ label: 'one attempt', scenario: scenario('payments that are tried once', 1) }],
    predict: {
      kind: 'choice',
      question: 'How do the orders end that were hit by the lost network?',
      options: [
        { text: 'As paid.', answer: 'The broker never heard of the payment in time. It cannot call that paid.' },
        {
          text: 'As failed, although the card was charged.',
          answer:
            'Yes. In return, hardly any card is charged twice. But some people paid for an order that counts as failed.',
        },
        {
          text: 'As failed, and no card was charged.',
          answer: 'The worker had charged it. Only the report was missing.',
        },
      ],
      outcome: ([run]) => {
        if (run.dead === 0) return 0
        return run.deadButCharged > 0 ? 1 : 2
      },
    },
    explain: [
      'At most once is no solution, but another error. It is right where a second try is worse than none, and where a person looks at the failures.',
      'The dead letters say so: their reason is that the last allowed attempt was lost with its worker. It does not say that nothing happened.',
      'One gap remains even so. If the network fails before the broker hears that the work has begun, the attempt does not count, and the task is tried again.',
    ],
  },
  transfer: {
    kind: 'choice',
    question:
      'You told a friend by text to feed your cat, and no answer came. Which request may you safely send again?',
    options: [
      {
        text: '“Please give the cat one more portion.”',
        answer: 'Sent twice, it means two portions. The cat is pleased.',
      },
      {
        text: '“Please see to it that the bowl is full this evening.”',
        answer: 'Yes. It names a state. However often it is done, the bowl is full once.',
      },
      { text: '“Please double what is in the bowl.”', answer: 'Twice doubled is four times as much.' },
    ],
    outcome: () => 1,
  },
  notModelled: [
    'The bank. We count each handler that ran to its end as a charge, and each order once for a bank that knows the ids.',
    'A worker that dies halfway through the charge. Then even the worker does not know.',
  ],
  claim: {
    text: 'Tried again, each order is paid, and some are charged twice. Tried once, hardly any is charged twice, and some count as failed although they are charged.',
    holds: ([again], [once]) =>
      again.ordersCharged === ORDERS &&
      again.told === ORDERS &&
      again.charges > ORDERS &&
      // The gap that the text names: the broker has not heard that the work began.
      once.charges <= once.ordersCharged + 1 &&
      once.dead > 0 &&
      once.deadButCharged > 0,
  },
}
