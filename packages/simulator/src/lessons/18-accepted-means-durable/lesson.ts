import type { JournalProfile, Scenario, TimedFault } from '@sluice/world'
import { submissionsOf } from '@sluice/world/phenomena'
import type { Lesson } from '../lesson.ts'
import { bodyBytes, exactly, scene } from '../scene.ts'

const UNTIL_MS = 36_000
const POWER_FAILS_AT_MS = [4000, 9000, 14_000, 19_000, 24_000, 29_000]

function scenario(
  name: string,
  durability: JournalProfile['durability'],
  fault: (restartAfterMs: number) => TimedFault['fault'],
): Scenario {
  return {
    ...scene,
    name,
    durationMs: UNTIL_MS,
    settleMs: 10_000,
    hosting: { heartbeatMs: 500 },
    journal: { appendMs: exactly(20), readMs: exactly(0), ...(durability === undefined ? {} : { durability }) },
    producers: [
      {
        count: 3,
        arrivals: { kind: 'steady', rate: 1.4 },
        tasks: [{ queue: 'orders', weight: 1, bodyBytes }],
      },
    ],
    workers: [
      { count: 1, queues: ['orders'], concurrency: 1, prefetch: 0, service: { orders: { ms: exactly(2000) } } },
    ],
    script: POWER_FAILS_AT_MS.map((atMs) => ({ atMs, fault: fault(500) })),
  }
}

const powerLoss = (restartAfterMs: number): TimedFault['fault'] => ({ type: 'powerLoss', restartAfterMs })
const crash = (restartAfterMs: number): TimedFault['fault'] => ({ type: 'crash', node: 'broker', restartAfterMs })

type Figure = 'accepted' | 'done' | 'lost'

export const acceptedMeansDurable: Lesson<Figure, 2, 1> = {
  number: 18,
  name: 'accepted-means-durable',
  title: 'Accepted means durable',
  teaser: 'The broker said “accepted”. Then the power failed.',
  rules: ['HOST-1', 'HOST-3', 'JOURNAL-4', 'SUBMIT-2'],
  problem: [
    'Three shops hand over four orders a second, all together. For each one, the broker says “accepted”, and the shop relies on it. They are packed later, one by one.',
    'Six times, the power of the broker’s machine fails for half a second.',
    'Both brokers write each order to their disk before they say “accepted”. One of them also waits until the disk says that it is really there.',
  ],
  runs: [
    { label: 'waits', scenario: scenario('power fails, with fsync', 'strict', powerLoss) },
    { label: 'does not wait', scenario: scenario('power fails, without fsync', 'relaxed', powerLoss) },
  ],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 1,
  looksAt: ['submitting', 'accepted', 'outcome', 'outcomeUnknown'],
  measure(seen) {
    const submissions = submissionsOf(seen)
    const accepted = submissions.filter(({ acceptedAtMs }) => acceptedAtMs !== undefined)
    // The broker says so when the client asks for them.
    const unknown = seen.filter((one) => one.type === 'outcomeUnknown' && one.code === 'unknown_task')
    return {
      accepted: accepted.length,
      done: submissions.filter(({ succeededAtMs }) => succeededAtMs !== undefined).length,
      lost: unknown.length,
    }
  },
  figures: {
    accepted: 'orders that the broker accepted',
    done: 'orders done by the end',
    lost: 'accepted orders that the broker does not know any more',
  },
  predict: {
    kind: 'choice',
    question: 'The power fails six times. Which broker loses orders that it had accepted?',
    options: [
      { text: 'Both.', answer: 'One of them keeps its word through every loss of power.' },
      {
        text: 'Only the one that does not wait.',
        answer: 'Yes. It said “accepted” while the order was still in the memory of the machine.',
      },
      {
        text: 'Neither: both have written to the disk.',
        answer: 'Written is not stored. Between the two lies memory.',
      },
    ],
    outcome: ([strict, relaxed]) => {
      if (strict.lost > 0) return 0
      return relaxed.lost > 0 ? 1 : 2
    },
  },
  observe: {
    kind: 'choice',
    question: 'What did the strict broker do with orders that it was just about to accept when the power failed?',
    options: [
      {
        text: 'It had not said “accepted”, so the shops sent them again.',
        answer: 'Right. No answer means: not yet. The client asks again by itself, with the same id.',
      },
      { text: 'It lost them.', answer: 'Look at the orders that it lost: there are none.' },
      { text: 'It made two tasks of each.', answer: 'The same id with the same content stays one task.' },
    ],
    outcome: ([strict]) => (strict.lost === 0 ? 0 : 1),
  },
  explain: [
    'When a program writes to a file, the system first keeps the data in memory and writes it later. It is quicker, and nobody notices, as long as the power is on.',
    'A program can ask the system to wait until the data is on the disk. This is called fsync. The broker does that once for all that came in one turn, and only then says “accepted”.',
    'So “accepted” is a statement about the past: it is stored. A broker that answers earlier makes a guess about the future.',
    'Later, the shops asked for their lost orders. The broker answered `unknown_task`: it had never heard of them.',
    'The price is time. A disk needs some milliseconds for an fsync, so each “accepted” comes that much later.',
  ],
  change: {
    prompt: [
      'The broker that does not wait, once more. But now the power stays on. It is only the program that crashes, six times at the same moments.',
    ],
    runs: [{ label: 'program crashes', scenario: scenario('the program crashes, without fsync', 'relaxed', crash) }],
    predict: {
      kind: 'number',
      question: 'How many accepted orders are lost?',
      unit: 'orders',
      min: 0,
      max: 40,
      step: 1,
      outcome: ([run]) => run.lost,
    },
    explain: [
      'None. The program was gone, and the system was not. It still wrote to the disk all that it held in memory.',
      'So the two kinds of crash are very different. A test that kills the program says nothing about the power.',
    ],
  },
  transfer: {
    kind: 'choice',
    question: 'You dictate an important number to a friend on the phone. When do you hang up?',
    options: [
      { text: 'When you have said it.', answer: 'Perhaps the line was bad. You do not know whether it was heard.' },
      {
        text: 'When your friend says “yes, got it” from memory.',
        answer: 'One knock at the door, and it is forgotten.',
      },
      {
        text: 'When your friend has written it down and reads it back.',
        answer: 'Yes. The answer comes after it is stored, and so it is worth something.',
      },
    ],
    outcome: () => 2,
  },
  notModelled: [
    'The speed that is gained. In this scene, writing takes the same time in both runs, so that nothing else differs.',
    'A disk that breaks, or lies about fsync. Against the loss of a disk, only a second copy helps.',
  ],
  claim: {
    text: 'With fsync, no accepted order is lost when the power fails. Without it, some are. A crash of the program alone loses none in either case.',
    holds: ([strict, relaxed], [crashed]) => strict.lost === 0 && relaxed.lost > 0 && crashed.lost === 0,
  },
}
