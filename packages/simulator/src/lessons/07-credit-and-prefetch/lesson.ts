import type { Scenario } from '@sluice/world'
import { submissionsOf } from '@sluice/world/phenomena'
import { handlerRunsOf } from '../handler-runs.ts'
import type { Lesson } from '../lesson.ts'
import { bodyBytes, exactly, scene } from '../scene.ts'

const TASKS = 40
const UNTIL_MS = 15_000
const SERVICE_MS = 200

/** A heap of tasks, two workers and a slow one. `credit`: how many tasks each may hold at a time. */
function scenario(credit: number): Scenario {
  const worker = {
    queues: ['parcels'],
    concurrency: 1,
    prefetch: credit - 1,
    service: { parcels: { ms: exactly(SERVICE_MS) } },
  }
  return {
    ...scene,
    name: `credit of ${credit}`,
    durationMs: UNTIL_MS,
    network: { delayMs: exactly(100) },
    producers: [
      {
        count: 1,
        arrivals: { kind: 'burst', size: TASKS, everyMs: 500 },
        tasksMax: TASKS,
        tasks: [{ queue: 'parcels', weight: 1, bodyBytes }],
      },
    ],
    workers: [
      { ...worker, count: 2 },
      { ...worker, count: 1, speed: 0.25 },
    ],
  }
}

type Figure = 'allMs' | 'fastMs' | 'bySlow' | 'done'

export const creditAndPrefetch: Lesson<Figure, 2, 1> = {
  number: 7,
  name: 'credit-and-prefetch',
  title: 'Credit: how many tasks in the hand?',
  teaser: 'A worker with one task at a time waits for the post. A worker with twenty keeps them from others.',
  rules: ['LEASE-1', 'LEASE-2'],
  problem: [
    'Forty parcels arrive at once. Two workers pack one in 0.2 seconds. A third one is four times as slow.',
    'A message takes 0.1 seconds each way: the report that a parcel is packed, and then the next parcel.',
    'A worker may ask for more than one task at a time, so that the next one already lies beside it. The number that it asks for is its credit.',
  ],
  runs: [
    { label: 'credit 1', scenario: scenario(1) },
    { label: 'credit 3', scenario: scenario(3) },
  ],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 0.75,
  looksAt: ['submitting', 'accepted', 'outcome', 'handlerStarted', 'handlerEnded'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const fromMs = Math.min(...submissions.map(({ submittedAtMs }) => submittedAtMs))
    const done = submissions.flatMap(({ succeededAtMs }) => (succeededAtMs === undefined ? [] : [succeededAtMs]))
    const runs = handlerRunsOf(seen)
    return {
      allMs: Math.max(...done) - fromMs,
      done: done.length,
      bySlow: runs.filter(({ node }) => node === 'worker-3').length,
      fastMs:
        Math.max(...runs.flatMap(({ node, endedAtMs }) => (node === 'worker-3' ? [] : [endedAtMs ?? 0]))) - fromMs,
    }
  },
  figures: {
    allMs: 'ms until all tasks are done',
    fastMs: 'ms until the fast workers have nothing left',
    bySlow: 'tasks that the slow worker did',
    done: 'tasks done',
  },
  predict: {
    kind: 'number',
    question: 'Each worker has a credit of one: never more than one task. How long until all forty parcels are packed?',
    unit: 'ms',
    min: 0,
    max: 16_000,
    step: 500,
    outcome: ([one]) => one.allMs,
  },
  observe: {
    kind: 'choice',
    question: 'What did a fast worker with a credit of one do between two parcels?',
    options: [
      {
        text: 'It waited for a message to go and another to come.',
        answer: 'Yes. It packed for 0.2 seconds and then waited just as long.',
      },
      { text: 'It packed without a break.', answer: 'Look at its slot: half of the time it is empty.' },
      {
        text: 'It helped the slow worker.',
        answer: 'Workers do not know of one another. Only the broker deals out tasks.',
      },
    ],
    outcome: ([one, three]) => (one.allMs > 1.2 * three.allMs ? 0 : 1),
  },
  explain: [
    'In this queue, workers do not fetch tasks. Each one says how many it will hold at most, and the broker pushes tasks up to that number. This number is the credit.',
    'With a credit of one, each task costs a round trip in which the worker is idle. The longer the way, the more time is lost.',
    'With a little more, the next task is already there when one is done. The extra ones are called prefetched.',
    'Free credit is also a piece of news: it tells the broker who has room. The broker serves the worker with the most free credit first.',
  ],
  change: {
    prompt: ['More was better. So now each worker gets a credit of fourteen, the slow one too.'],
    runs: [{ label: 'credit 14', scenario: scenario(14) }],
    predict: {
      kind: 'number',
      question: 'How long until all forty parcels are packed?',
      unit: 'ms',
      min: 0,
      max: 16_000,
      step: 500,
      outcome: ([many]) => many.allMs,
    },
    explain: [
      'The forty parcels were dealt out in the first moment, about a third to each. The fast workers were soon done and had nothing left. The slow one sat on its heap.',
      'A task in a worker’s hand cannot go to anybody else. So ask for enough to hide the way, and for no more.',
    ],
  },
  transfer: {
    kind: 'choice',
    question: 'In a supermarket, when do people get through fastest?',
    options: [
      {
        text: 'All carts are divided evenly among the tills as soon as they arrive.',
        answer: 'Then one slow till holds up its whole line, while others stand empty.',
      },
      {
        text: 'One line for all tills, with one cart waiting directly at each till.',
        answer: 'Yes. The next cart is there at once, and the rest still go where there is room.',
      },
      {
        text: 'One line, and the next cart leaves it only when the till is empty.',
        answer: 'Nearly. But each time, the till waits while the cart walks over.',
      },
    ],
    outcome: () => 1,
  },
  notModelled: [
    'Tasks that come little by little. Then hardly anything is prefetched, and the credit matters less.',
    'A crash. Tasks in the hand of a dead worker wait for the end of their leases, all of them.',
  ],
  claim: {
    text: 'A credit of one wastes the time of messages. A small credit more is faster. A large one leaves a heap with the slow worker.',
    holds: ([one, three], [many]) =>
      [one, three, many].every(({ done }) => done === TASKS) &&
      one.allMs >= 1.2 * three.allMs &&
      many.allMs >= 1.5 * three.allMs &&
      many.bySlow > three.bySlow,
  },
}
