import type { Observation, Scenario } from '@sluice/world'
import { calm, FactReader, latenciesOf, mean, submissionsOf } from '@sluice/world/phenomena'
import type { Lesson } from '../lesson.ts'
import { between, bodyBytes } from '../scene.ts'

const UNTIL_MS = 300_000
/** The queue is empty at first, which is not part of the law. */
const FROM_MS = 20_000
/** Tasks that come at the very end have no result yet. */
const LAST_MS = 20_000
const TO_MS = UNTIL_MS - LAST_MS

function scenario(name: string, perSecond: number): Scenario {
  return {
    ...calm,
    name,
    durationMs: UNTIL_MS,
    producers: [
      {
        count: 2,
        arrivals: { kind: 'poisson', rate: perSecond / 2 },
        tasks: [{ queue: 'orders', weight: 1, bodyBytes }],
      },
    ],
    workers: [
      { count: 2, queues: ['orders'], concurrency: 1, prefetch: 0, service: { orders: { ms: between(100, 1000) } } },
    ],
  }
}

/** How many tasks the broker held on average, from what its journal was given. */
function heldOnAverage(seen: readonly Observation[]): number {
  const facts = new FactReader()
  let held = 0
  let sum = 0
  let lastMs = FROM_MS
  const until = (atMs: number): void => {
    const nowMs = Math.min(Math.max(atMs, FROM_MS), TO_MS)
    sum += held * (nowMs - lastMs)
    lastMs = nowMs
  }
  for (const observation of seen) {
    if (observation.type !== 'appending') continue
    for (const { type } of facts.read(observation.events)) {
      if (type !== 'taskAccepted' && type !== 'taskSucceeded') continue
      until(observation.atMs)
      held += type === 'taskAccepted' ? 1 : -1
    }
  }
  until(TO_MS)
  return sum / (TO_MS - FROM_MS)
}

/** Held tasks as the law gives them: the rate of arrivals times the mean stay. */
function byLaw({ perSecond, stayMs }: Readonly<{ perSecond: number; stayMs: number }>): number {
  return (perSecond * stayMs) / 1000
}

type Figure = 'held' | 'perSecond' | 'stayMs'

export const littlesLaw: Lesson<Figure, 1, 1> = {
  number: 9,
  name: 'littles-law',
  title: 'Little’s law: three numbers, two are enough',
  teaser: 'Count the people in a shop and the door tells you how long they stay.',
  rules: ['SUBMIT-1', 'RESULT-1'],
  problem: [
    'A broker holds some tasks at each moment: some wait, some are worked on. You would like to know how many, on average.',
    'You know two other things. Two tasks come each second, at random. From arrival to result, a task stays for about 0.7 seconds.',
    'Nobody has counted what is inside. Can you still tell?',
  ],
  runs: [{ label: '2 a second', scenario: scenario('two tasks a second', 2) }],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 10,
  looksAt: ['submitting', 'accepted', 'outcome', 'appending'],
  measure(seen) {
    const submissions = submissionsOf(seen).filter(
      ({ submittedAtMs }) => submittedAtMs >= FROM_MS && submittedAtMs < TO_MS,
    )
    return {
      held: heldOnAverage(seen),
      perSecond: (submissions.length * 1000) / (TO_MS - FROM_MS),
      stayMs: mean(latenciesOf(submissions)),
    }
  },
  figures: {
    held: 'L: tasks that the broker holds, on average',
    perSecond: 'λ: tasks that come each second',
    stayMs: 'W: mean time in ms from arrival to result',
  },
  predict: {
    kind: 'number',
    question: 'How many tasks does the broker hold, on average over the run?',
    unit: 'tasks',
    min: 0,
    max: 10,
    step: 0.1,
    outcome: ([run]) => run.held,
  },
  observe: {
    kind: 'choice',
    question: 'Multiply the tasks that came each second by the seconds that a task stayed. What do you get?',
    options: [
      { text: 'About half of the tasks held.', answer: 'Try again with the stay in seconds, not in milliseconds.' },
      {
        text: 'The tasks held, nearly exactly.',
        answer: 'Yes. The three numbers were measured in three different places, and they fit.',
      },
      { text: 'About twice the tasks held.', answer: 'Try again with both producers together, not with each one.' },
    ],
    outcome: ([run]) => {
      const ratio = byLaw(run) / run.held
      return ratio < 0.8 ? 0 : ratio > 1.25 ? 2 : 1
    },
  },
  explain: [
    'Each task stays for a while and is counted all that time. If two come each second and each stays for half a second, one is there on average.',
    'That is Little’s law: L = λ × W. The number inside is the rate of arrivals times the mean stay.',
    'It needs no assumption about chance, order, or the number of workers. It only needs a system that neither loses tasks nor fills up without end.',
    'So measure the two numbers that are easy, and calculate the third. If it does not fit, one of your measurements is wrong.',
  ],
  change: {
    prompt: [
      'Now three tasks a second come: half as many again. The two workers are the same.',
      'Think before you multiply. Does the stay remain what it was?',
    ],
    runs: [{ label: '3 a second', scenario: scenario('three tasks a second', 3) }],
    predict: {
      kind: 'number',
      question: 'How many tasks does the broker hold now, on average?',
      unit: 'tasks',
      min: 0,
      max: 15,
      step: 0.1,
      outcome: ([run]) => run.held,
    },
    explain: [
      'The law still holds: three times the new stay. But the stay itself has become longer, because busier workers mean longer waits (lesson 8).',
      'So the number inside grew by more than half. The law ties three numbers together. It does not say which of them stays the same.',
    ],
  },
  transfer: {
    kind: 'choice',
    question:
      'Six guests an hour enter a café, and about nine sit inside at any time. How long does a guest stay, on average?',
    options: [
      { text: 'About 40 minutes.', answer: 'That is six divided by nine. Turn it around: W = L ÷ λ.' },
      { text: 'About an hour and a half.', answer: 'Yes: nine guests ÷ six an hour = one and a half hours.' },
      { text: 'One cannot know without a watch.', answer: 'One can. That is the beauty of it.' },
    ],
    outcome: () => 1,
  },
  notModelled: [
    'A system that only fills up. If more comes than goes, there is no average to speak of.',
    'The start is left out: the queue begins empty, and needs a while until it is as full as it will be.',
  ],
  claim: {
    text: 'The tasks held are the arrivals times the stay. With half as many arrivals again, the number grows by more than half.',
    holds: ([two], [three]) => {
      const fits = [two, three].every((run) => Math.abs(byLaw(run) / run.held - 1) <= 0.05)
      return fits && three.held > 1.5 * two.held
    },
  },
}
