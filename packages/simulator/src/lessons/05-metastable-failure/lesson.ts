import type { ProducerGroup, Scenario } from '@sluice/world'
import { impatientUsers, submissionsOf, usefulOf } from '@sluice/world/phenomena'
import type { Lesson } from '../lesson.ts'

const TRIGGER_AT_MS = 4000
const PATIENCE_MS = 1000
const UNTIL_MS = 37_000
/** The end of the run, in which it must show whether the system came back. */
const LAST_MS = 10_000

function scenario(name: string, triggerMs: number, backOff: ProducerGroup['impatientBackOff']): Scenario {
  const users = {
    perSecond: 7,
    serviceMs: 90,
    patienceMs: PATIENCE_MS,
    triggerAtMs: TRIGGER_AT_MS,
    triggerMs,
    durationMs: UNTIL_MS,
    settleMs: PATIENCE_MS,
  }
  return impatientUsers(name, users, backOff)
}

type Figure = 'before' | 'atLast' | 'lateResults' | 'lateInTime'

export const metastableFailure: Lesson<Figure, 2, 1> = {
  number: 5,
  name: 'metastable-failure',
  title: 'A failure that does not end by itself',
  teaser: 'The cause is gone, and the system stays down. What keeps it there?',
  rules: ['SUBMIT-1', 'READY-3'],
  problem: [
    'A worker can do eleven tasks a second. Only seven people a second want something. There is plenty of room.',
    'The worker stands still for a moment. In one run it is a third of a second, in the other three seconds. Then it works as well as before.',
    'Each person waits for a second and then clicks again, up to three times.',
  ],
  runs: [
    { label: 'a third of a second', scenario: scenario('a pause of a third of a second', 333, { kind: 'none' }) },
    { label: 'three seconds', scenario: scenario('a pause of three seconds', 3000, { kind: 'none' }) },
  ],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 1,
  looksAt: ['submitting', 'accepted', 'outcome'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const useful = usefulOf(submissions, PATIENCE_MS)
    const served = new Set(useful.map(({ wish }) => wish))
    function servedShare(fromMs: number, untilMs: number): number {
      const people = submissions.filter(
        ({ attempt, submittedAtMs }) => attempt === 1 && submittedAtMs >= fromMs && submittedAtMs < untilMs,
      )
      return people.filter(({ wish }) => served.has(wish)).length / people.length
    }
    const results = submissions.filter(({ succeededAtMs = 0 }) => succeededAtMs >= UNTIL_MS - LAST_MS).length
    const inTime = useful.filter(({ succeededAtMs }) => succeededAtMs >= UNTIL_MS - LAST_MS).length
    return {
      before: servedShare(0, TRIGGER_AT_MS - PATIENCE_MS),
      atLast: servedShare(UNTIL_MS - LAST_MS, UNTIL_MS - PATIENCE_MS),
      lateResults: results,
      lateInTime: inTime,
    }
  },
  figures: {
    before: 'share of people served in time before the pause',
    atLast: '… in the last ten seconds',
    lateResults: 'results in the last ten seconds',
    lateInTime: '… that somebody still waited for',
  },
  predict: {
    kind: 'choice',
    question: 'After the pause of three seconds, when are people served in time again?',
    options: [
      {
        text: 'At once, when the worker is back.',
        answer: 'First there is a line to work off: all that came in three seconds, and all the second clicks.',
      },
      {
        text: 'After a few seconds, when the line is gone.',
        answer: 'That would be so if people clicked only once. But the line brings new clicks.',
      },
      {
        text: 'Not before the end of this run.',
        answer: 'Yes. Half a minute later, it is as bad as in the first moment.',
      },
    ],
    outcome: ([, long]) => (long.atLast < 0.5 ? 2 : 1),
  },
  observe: {
    kind: 'choice',
    question: 'What did the worker do in the last ten seconds, after the long pause?',
    options: [
      { text: 'It stood still.', answer: 'It made results all the time. Look at its slot.' },
      {
        text: 'It worked all the time, and nearly all of it was too late.',
        answer: 'Yes. The busy worker made results that nobody waited for any more.',
      },
      {
        text: 'It worked, and people got their answers.',
        answer: 'Those came too late: the people had clicked again.',
      },
    ],
    outcome: ([, long]) => {
      if (long.lateResults < 50) return 0
      return long.lateInTime < long.lateResults / 2 ? 1 : 2
    },
  },
  explain: [
    'The same load and the same worker have two states. In the good one nobody waits long, so nobody clicks twice. In the bad one everybody waits too long, so everybody clicks four times.',
    'Each state keeps itself alive. This is called metastable: a small push is forgiven, and a large one moves the system over to the bad side. Between a third of a second and three seconds lies a point of no return.',
    'The pause was only the trigger. It is not the cause that lasts. If you look for the fault after ten seconds, you find none: every part works.',
    'In the bad state the worker takes the oldest task first, as a fair queue should. But the oldest task is the one that nobody waits for any more.',
  ],
  change: {
    prompt: [
      'The same long pause, the same load. Only one thing is different: ten first clicks now allow one retry. This is the budget of the lesson before.',
    ],
    runs: [{ label: 'budget', scenario: scenario('a pause, and a budget', 3000, { kind: 'budget', ratio: 0.1 }) }],
    predict: {
      kind: 'number',
      question: 'In the last ten seconds, what share of the people is served in time?',
      unit: '%',
      min: 0,
      max: 100,
      step: 5,
      outcome: ([budget]) => Math.round(budget.atLast * 100),
    },
    explain: [
      'Without the flood of retries, eleven a second is more than comes in. The line gets shorter, and soon it is gone.',
      'So there are two ways out of the bad state: less load for a while, or fewer retries. To wait is not one of them.',
    ],
  },
  transfer: {
    kind: 'choice',
    question:
      'A road jams after a small accident. The cars are moved away, and the jam stays for hours. What helps most?',
    options: [
      { text: 'Look for the second accident.', answer: 'There is none. The jam keeps itself alive.' },
      {
        text: 'Let fewer cars onto the road for a while.',
        answer: 'Yes. Less load moves the road back into its good state. Then it can take the old load again.',
      },
      { text: 'Wait. The cause is gone.', answer: 'The trigger is gone. As long as new cars join the jam, it stays.' },
    ],
    outcome: () => 1,
  },
  notModelled: [
    'People who give up for the day. Real crowds get smaller in the end, often only at night.',
    'Operators who empty the queue by hand. That too would end it.',
  ],
  claim: {
    text: 'A short pause is forgiven. After a long one, retries keep the system down until the end. With a budget it comes back.',
    holds: ([short, long], [budget]) =>
      Math.min(short.before, long.before, budget.before) >= 0.9 &&
      short.atLast >= 0.9 &&
      long.atLast <= 0.3 &&
      long.lateInTime < long.lateResults / 2 &&
      budget.atLast >= 0.9,
  },
}
