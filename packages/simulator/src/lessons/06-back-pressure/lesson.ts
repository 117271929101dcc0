import type { ProducerGroup, Scenario } from '@sluice/world'
import { submissionsOf, usefulOf } from '@sluice/world/phenomena'
import type { Lesson } from '../lesson.ts'
import { bodyBytes, exactly, scene } from '../scene.ts'

const USEFUL_MS = 1500
const SERVICE_MS = 250
const UNTIL_MS = 30_000
const HALF_MS = UNTIL_MS / 2

/** Half as much again arrives as the one worker can do. */
function scenario(name: string, queueTasksMax: number, onBusy: ProducerGroup['onBusy']): Scenario {
  return {
    ...scene,
    name,
    durationMs: UNTIL_MS,
    engine: { queueTasksMax },
    producers: [
      { count: 1, arrivals: { kind: 'poisson', rate: 6 }, tasks: [{ queue: 'orders', weight: 1, bodyBytes }], onBusy },
    ],
    workers: [
      { count: 1, queues: ['orders'], concurrency: 1, prefetch: 1, service: { orders: { ms: exactly(SERVICE_MS) } } },
    ],
  }
}

type Figure = 'useful' | 'made' | 'refused' | 'waiting'

export const backPressure: Lesson<Figure, 2, 1> = {
  number: 6,
  name: 'back-pressure',
  title: 'Back pressure: a queue that says no',
  teaser: 'More comes than can be done. Is a longer queue kinder than a short one?',
  rules: ['QUEUE-1', 'QUEUE-2', 'CLIENT-10', 'CLIENT-12'],
  problem: [
    'A kitchen can cook four dishes a second, and six are ordered, all evening long.',
    'Guests wait for a second and a half. After that they leave, and the dish is thrown away.',
    'One kitchen takes every order. The other one has a board with room for four orders, and says “we are full” to the rest.',
  ],
  runs: [
    { label: 'takes all', scenario: scenario('a queue without a bound', 1_000_000, 'giveUp') },
    { label: 'room for 4', scenario: scenario('a queue with room for four', 4, 'giveUp') },
  ],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 1,
  looksAt: ['submitting', 'accepted', 'refused', 'outcome'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const refused = new Set(seen.flatMap((one) => (one.type === 'refused' ? [one.id] : [])))
    const late = ({ succeededAtMs = 0 }: { succeededAtMs?: number | undefined }): boolean => succeededAtMs >= HALF_MS
    const capacity = (UNTIL_MS - HALF_MS) / SERVICE_MS
    return {
      useful: usefulOf(submissions, USEFUL_MS).filter(late).length / capacity,
      made: submissions.filter(late).length / capacity,
      refused: refused.size / submissions.length,
      waiting: submissions.filter(({ id, succeededAtMs }) => succeededAtMs === undefined && !refused.has(id)).length,
    }
  },
  figures: {
    useful: 'useful results in the second half, as a share of what the worker can do',
    made: 'all results in the second half, as the same share',
    refused: 'share of orders that were refused',
    waiting: 'orders that wait at the end',
  },
  predict: {
    kind: 'number',
    question:
      'The first kitchen takes every order. In the second half of the evening, what share of its dishes reaches a guest in time?',
    unit: '%',
    min: 0,
    max: 100,
    step: 5,
    outcome: ([all]) => Math.round(all.useful * 100),
  },
  observe: {
    kind: 'choice',
    question: 'Which kitchen fed more guests in the second half?',
    options: [
      { text: 'The one that took every order.', answer: 'It cooked as much, but the guests had left.' },
      {
        text: 'The one that said no to some.',
        answer: 'Yes. It refused some guests at the door, and nearly all the others ate in time.',
      },
      { text: 'Both about the same.', answer: 'They cooked the same. Look at how many dishes came in time.' },
    ],
    outcome: ([all, bounded]) => {
      const more = bounded.useful - all.useful
      return more > 0.2 ? 1 : more < -0.2 ? 0 : 2
    },
  },
  explain: [
    'If more comes than can be done, somebody gets nothing. No queue can change that. It can only choose who, and when they learn it.',
    'A queue without a bound says yes to everybody and serves everybody too late. The wait grows as long as the evening lasts.',
    'A short queue says `busy` to the excess, at once, with a time after which it is worth trying again. The others wait a known time at most: the room in the queue times the time for one task.',
    'So the bound is a choice about waiting. Ask how long a result is useful, and leave room for no more than that.',
  ],
  change: {
    prompt: [
      'Room for four again. But now guests do not leave when the kitchen is full. They stand at the door, and each tries again when there may be room. Orders come as before.',
    ],
    runs: [{ label: 'waits outside', scenario: scenario('guests who wait outside', 4, 'wait') }],
    predict: {
      kind: 'choice',
      question: 'Guests count their wait from the moment they came. How many are fed in time in the second half?',
      options: [
        {
          text: 'As many as before: the queue is still short.',
          answer: 'The queue is short, but the line at the door is not.',
        },
        {
          text: 'Far fewer.',
          answer: 'Yes. The line has only moved: from the kitchen to the street.',
        },
        { text: 'More: nobody is refused any more.', answer: 'The kitchen can cook no more than before.' },
      ],
      outcome: ([waits]) => (waits.useful < 0.6 ? 1 : waits.useful > 1 ? 2 : 0),
    },
    explain: [
      '“Busy” protects the broker: its memory stays small, whatever comes. But the wait does not go away. It moves to the place where the tasks come from.',
      'This is back pressure, and it helps only if it arrives at somebody who can slow down, give up, or go elsewhere. Pass it on as far as that person.',
    ],
  },
  transfer: {
    kind: 'choice',
    question: 'A help desk gets twice the mails that it can answer. Which step helps the people who write?',
    options: [
      { text: 'A larger inbox.', answer: 'The inbox was never the problem. The answers only get older.' },
      {
        text: 'An honest note on the page: “Today we cannot answer more. Please call, or come back tomorrow.”',
        answer: 'Yes. A quick no is worth more than a late yes: people can still do something else.',
      },
      {
        text: 'An automatic reply: “We have received your mail.”',
        answer: 'It accepts more of what cannot be done. People wait for nothing, politely.',
      },
    ],
    outcome: () => 1,
  },
  notModelled: [
    'Guests who tell others that the kitchen is full.',
    'The default bound of a queue, which is a million tasks. It protects the broker’s memory, and not your guests: choose your own.',
  ],
  claim: {
    text: 'Under lasting overload, a short queue that refuses feeds most in time, and an endless one nobody. If refused producers wait, the line moves to them.',
    holds: ([all, bounded], [waits]) =>
      all.made >= 0.9 && all.useful <= 0.1 && bounded.useful >= 0.8 && waits.useful <= bounded.useful - 0.2,
  },
}
