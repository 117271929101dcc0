import type { ProducerGroup, Scenario } from '@sluice/world'
import { impatientUsers, submissionsOf, usefulOf } from '@sluice/world/phenomena'
import type { Lesson } from '../lesson.ts'

const UNTIL_MS = 25_000
const PATIENCE_MS = 2000

function scenario(name: string, backOff: ProducerGroup['impatientBackOff']): Scenario {
  const users = {
    perSecond: 8,
    serviceMs: 80,
    patienceMs: PATIENCE_MS,
    triggerAtMs: 4000,
    triggerMs: 5000,
    durationMs: UNTIL_MS,
    settleMs: 1000,
  }
  return impatientUsers(name, users, backOff)
}

type Figure = 'people' | 'submissions' | 'amplification' | 'waiting' | 'served'

export const retriesAndBudgets: Lesson<Figure, 2, 1> = {
  number: 4,
  name: 'retries-and-budgets',
  title: 'Retries: the storm and the budget',
  teaser: 'A worker stands still for five seconds. Everybody clicks again.',
  rules: ['RETRY-2', 'CLIENT-11'],
  problem: [
    'A worker can do twelve tasks a second, and eight come. That works.',
    'Then the worker stands still for five seconds. Each person waits for two seconds, and then clicks again, up to three times.',
    'Each click is a new task. The old one is still in the queue, because nobody has cancelled it.',
  ],
  runs: [
    { label: 'at once', scenario: scenario('a storm of retries', { kind: 'none' }) },
    { label: 'budget', scenario: scenario('retries within a budget', { kind: 'budget', ratio: 0.1 }) },
  ],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 1,
  looksAt: ['submitting', 'accepted', 'outcome'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const people = submissions.filter(({ attempt }) => attempt === 1).length
    // Somebody who came just now still waits, and has not lost patience.
    const judged = submissions.filter(({ submittedAtMs }) => submittedAtMs < UNTIL_MS - PATIENCE_MS)
    const served = new Set(usefulOf(judged, PATIENCE_MS).map(({ wish }) => wish)).size
    return {
      people,
      submissions: submissions.length,
      amplification: submissions.length / people,
      waiting: submissions.filter(({ succeededAtMs }) => succeededAtMs === undefined).length,
      served: served / new Set(judged.map(({ wish }) => wish)).size,
    }
  },
  figures: {
    people: 'people who want something',
    submissions: 'tasks that they submitted',
    amplification: 'tasks for each person',
    waiting: 'tasks that wait at the end',
    served: 'share of people with an answer within two seconds of one of their clicks',
  },
  predict: {
    kind: 'number',
    question: 'All retry at once when they lose patience. How many tasks does each person submit, on average?',
    unit: 'tasks',
    min: 1,
    max: 6,
    step: 0.1,
    outcome: ([atOnce]) => atOnce.amplification,
  },
  observe: {
    kind: 'choice',
    question:
      'The worker is back after five seconds, as fast as before. What happened then to the people who click at once?',
    options: [
      {
        text: 'The line was soon gone, and all were served again.',
        answer: 'That is the other run. Look at the tasks that wait at the end.',
      },
      {
        text: 'The line went on growing, although the worker worked.',
        answer: 'Yes. The extra clicks were more than the worker could do besides.',
      },
      { text: 'The worker stopped again.', answer: 'It worked without a break, on clicks that were too old.' },
    ],
    outcome: ([atOnce, budget]) => (atOnce.waiting > 2 * budget.waiting ? 1 : 0),
  },
  explain: [
    'A retry helps the one who retries, and costs all the others. If everybody retries, a small delay becomes several times the load.',
    'Worse: the worker first does the old clicks, whose people have already clicked again. It works hard, and nobody gets anything from it.',
    'A retry budget puts a limit on that: here one retry for ten first tries. A single failure is still repeated. A failure for everybody is not multiplied.',
    'The clients of this queue do the same. When a full queue refuses a task, they try again later, at random moments, and within a budget.',
  ],
  change: {
    prompt: [
      'There is another well-known medicine. Each person waits before the next click, at random, up to one second, then two, then four. This is back-off with jitter. There is no budget now.',
    ],
    runs: [
      {
        label: 'back-off',
        scenario: scenario('retries with back-off', { kind: 'exponential', baseMs: 1000, capMs: 8000 }),
      },
    ],
    predict: {
      kind: 'number',
      question: 'How many tasks does each person submit now, on average?',
      unit: 'tasks',
      min: 1,
      max: 6,
      step: 0.1,
      outcome: ([backOff]) => backOff.amplification,
    },
    explain: [
      'Back-off spreads the clicks over time and makes fewer of them at first. But each person still has three retries, and uses them as long as the trouble lasts.',
      'Back-off says when to retry. A budget says whether to retry at all. In a long trouble only the budget keeps the load low, so use both.',
    ],
  },
  transfer: {
    kind: 'choice',
    question: 'The phone line of a doctor is busy. Which rule keeps it usable on a bad morning?',
    options: [
      { text: 'Call again at once until you get through.', answer: 'If all do that, the line is busy for all.' },
      {
        text: 'Call again after some random minutes, as often as you like.',
        answer: 'Better: the calls spread out. But there are still as many of them in the end.',
      },
      {
        text: 'Of ten people who do not get through, only one may call again today.',
        answer: 'Yes. That is a budget: the calls cannot become much more than the people.',
      },
    ],
    outcome: () => 2,
  },
  notModelled: [
    'The budget here belongs to the people in the scene. The queue itself has none for tasks: how often a task is tried is an option of the task.',
    'People who cancel their old click. That would help a lot, and hardly any page does it.',
  ],
  claim: {
    text: 'Retries at once multiply the load. Back-off makes that smaller, and a budget keeps it close to one.',
    holds: ([atOnce, budget], [backOff]) =>
      atOnce.amplification >= 1.8 &&
      budget.amplification <= 1.2 &&
      backOff.amplification > budget.amplification + 0.2 &&
      backOff.amplification < atOnce.amplification &&
      atOnce.waiting > 2 * budget.waiting,
  },
}
