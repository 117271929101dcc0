import type { ProducerGroup, Scenario } from '@sluice/world'
import { submissionsOf } from '@sluice/world/phenomena'
import type { Lesson } from '../lesson.ts'
import { bodyBytes, exactly, scene } from '../scene.ts'

const ORDERS = 8
const UNTIL_MS = 12_000
const tasks = [{ queue: 'receipts', weight: 1, bodyBytes }]

function scenario(name: string, producer: Pick<ProducerGroup, 'arrivals' | 'tasksMax'>): Scenario {
  return {
    ...scene,
    name,
    durationMs: UNTIL_MS,
    producers: [{ count: 1, tasks, ...producer }],
    workers: [
      { count: 1, queues: ['receipts'], concurrency: 1, prefetch: 1, service: { receipts: { ms: exactly(800) } } },
    ],
  }
}

type Figure = 'acceptedMs' | 'doneMs' | 'done' | 'waiting'

export const whatAQueueIsFor: Lesson<Figure, 1, 1> = {
  number: 1,
  name: 'what-a-queue-is-for',
  title: 'What a queue is for',
  teaser: 'Eight orders in one moment, and nobody has to wait. When does that work, and when not?',
  rules: ['SUBMIT-1', 'HOST-1', 'READY-3'],
  problem: [
    'A shop makes a receipt for each order. One receipt takes a little less than a second.',
    'At noon, eight people order in the same moment. If each page waits for its own receipt, the last person looks at it for more than six seconds. Some will leave.',
    'So the shop gives the receipts to a queue. Behind it, one worker makes them, one at a time.',
  ],
  runs: [
    {
      label: 'a burst',
      scenario: scenario('eight receipts at once', {
        arrivals: { kind: 'burst', size: ORDERS, everyMs: 1500 },
        tasksMax: ORDERS,
      }),
    },
  ],
  seed: 4,
  untilMs: UNTIL_MS,
  speed: 0.8,
  looksAt: ['submitting', 'accepted', 'outcome'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const firstMs = Math.min(...submissions.map(({ submittedAtMs }) => submittedAtMs))
    const since = (times: readonly (number | undefined)[]): number =>
      Math.max(0, ...times.map((atMs) => (atMs ?? firstMs) - firstMs))
    const done = submissions.filter(({ succeededAtMs }) => succeededAtMs !== undefined).length
    return {
      acceptedMs: since(submissions.map(({ acceptedAtMs }) => acceptedAtMs)),
      doneMs: since(submissions.map(({ succeededAtMs }) => succeededAtMs)),
      done,
      waiting: submissions.length - done,
    }
  },
  figures: {
    acceptedMs: 'ms until the last task is accepted',
    doneMs: 'ms until the last result is there',
    done: 'tasks done',
    waiting: 'tasks without a result at the end',
  },
  predict: {
    kind: 'number',
    question: 'The shop hands over all eight receipts at once. How long until it knows that all eight are safe?',
    unit: 'ms',
    min: 0,
    max: 8000,
    step: 100,
    outcome: ([run]) => run.acceptedMs,
  },
  observe: {
    kind: 'choice',
    question: 'The shop has just heard “accepted” for all eight. What was still to do?',
    options: [
      { text: 'Nothing. All receipts were made.', answer: 'Look again: the worker was still busy for seconds.' },
      {
        text: 'Almost everything. The worker made one receipt after the other.',
        answer: 'Yes. “Accepted” came early, and the work came later.',
      },
      {
        text: 'Half of it. The queue made some of them itself.',
        answer: 'A queue does no work. It only keeps tasks until a worker takes them.',
      },
    ],
    outcome: ([run]) => {
      const share = run.acceptedMs / run.doneMs
      return share > 0.9 ? 0 : share < 0.3 ? 1 : 2
    },
  },
  explain: [
    'Two moments were one before, and the queue takes them apart: the work is accepted, and the work is done. The shop waits only for the first.',
    '“Accepted” is a promise. The broker (the program that runs the queue) says it only when the task is stored on its disk. From then on, the shop may forget the task, or crash.',
    'The queue did not make the work faster. It moved the waiting to a place where no person waits.',
    'That works because a quiet time follows. In it, the worker empties the queue.',
  ],
  change: {
    prompt: [
      'The shop becomes popular. Now orders come all day long, two a second. There is still one worker, and a receipt still takes 0.8 seconds.',
    ],
    runs: [
      { label: 'all day', scenario: scenario('two receipts a second', { arrivals: { kind: 'steady', rate: 2 } }) },
    ],
    predict: {
      kind: 'number',
      question: 'How many receipts are not done after 12 seconds?',
      unit: 'receipts',
      min: 0,
      max: 24,
      step: 1,
      outcome: ([run]) => run.waiting,
    },
    explain: [
      'The queue only grows. Two come each second, and little more than one is done. After an hour, thousands wait.',
      'A queue evens out peaks. It adds no capacity. Against a load that is always too high, only more workers help, or less work.',
    ],
  },
  transfer: {
    kind: 'choice',
    question: 'Which of these is a good job for a queue?',
    options: [
      {
        text: 'To check a password when someone signs in.',
        answer: 'The person needs the answer now, before anything else can happen. Call the service directly.',
      },
      {
        text: 'To make three sizes of a photo that someone has uploaded.',
        answer: 'Yes. The person may go on at once, the work takes a while, and uploads come in bursts.',
      },
      {
        text: 'To publish prices that ten programs read, each from the place where it left off.',
        answer: 'A task goes to one worker and is then done. For many readers who read again and again, use a log.',
      },
      {
        text: 'To store an order and its invoice number, both or neither.',
        answer: 'That is one change of one database. Make it there, in one transaction.',
      },
    ],
    outcome: () => 1,
  },
  notModelled: [
    'The people and the web page. Here the shop is one program that submits tasks.',
    'Receipts that take different times. Lesson 8 is about chance.',
  ],
  claim: {
    text: 'A burst is accepted long before it is done. Under a load that is always too high, the queue only grows.',
    holds: ([burst], [allDay]) =>
      burst.done === ORDERS && burst.acceptedMs * 3 < burst.doneMs && allDay.waiting >= ORDERS,
  },
}
