import type { Scenario } from '@sluice/world'
import { submissionsOf } from '@sluice/world/phenomena'
import { handlerRunsOf, runsByTask } from '../handler-runs.ts'
import type { Lesson } from '../lesson.ts'
import { between, bodyBytes, scene } from '../scene.ts'

const UNTIL_MS = 15_000
const CRASH_AT_MS = 2500
const LETTERS = 3

/** Three workers with a task each. The first of them dies in the middle of its work and does not come back. */
function scenario(leaseMs: number): Scenario {
  return {
    ...scene,
    name: `a worker dies, lease of ${leaseMs} ms`,
    durationMs: UNTIL_MS,
    engine: { graceMs: 20_000 },
    producers: [
      {
        count: 1,
        arrivals: { kind: 'burst', size: LETTERS, everyMs: 500 },
        tasksMax: LETTERS,
        tasks: [{ queue: 'letters', weight: 1, bodyBytes, options: { leaseMs } }],
      },
    ],
    workers: [
      {
        count: LETTERS,
        queues: ['letters'],
        concurrency: 1,
        prefetch: 0,
        service: { letters: { ms: between(2500, 3500) } },
      },
    ],
    script: [{ atMs: CRASH_AT_MS, fault: { type: 'crash', node: 'worker-1', restartAfterMs: 60_000 } }],
  }
}

type Figure = 'gapMs' | 'runsOfLost' | 'done'

export const acknowledgementAndLease: Lesson<Figure, 1, 1> = {
  number: 2,
  name: 'acknowledgement-and-lease',
  title: 'A worker dies: acknowledgement and lease',
  teaser: 'A worker takes a task and dies. Who finds out, and when?',
  rules: ['LEASE-1', 'LEASE-4', 'LEASE-5', 'CLIENT-1', 'SESSION-2', 'RETRY-4'],
  problem: [
    'Three letters wait to be printed, and there are three workers. Each takes one letter.',
    'In the middle of the work, one worker crashes. It has no time to say goodbye, and it will not come back soon.',
    'The person who sent that letter still waits for it.',
  ],
  runs: [{ label: 'lease of 4 s', scenario: scenario(4000) }],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 0.75,
  looksAt: ['submitting', 'accepted', 'outcome', 'handlerStarted', 'handlerEnded'],
  measure(seen) {
    const runs = handlerRunsOf(seen)
    const [first, second] = [...runsByTask(runs).values()].find(([run]) => run?.node === 'worker-1') ?? []
    return {
      gapMs: second ? second.startedAtMs - CRASH_AT_MS : 0,
      runsOfLost: second ? 2 : first ? 1 : 0,
      done: submissionsOf(seen).filter(({ succeededAtMs }) => succeededAtMs !== undefined).length,
    }
  },
  figures: {
    gapMs: 'ms from the crash until another worker begins the task',
    runsOfLost: 'times that the task was begun',
    done: 'tasks done',
  },
  predict: {
    kind: 'choice',
    question: 'One worker dies with a letter in its hands. What becomes of this letter?',
    options: [
      { text: 'It is lost.', answer: 'The broker keeps a task until it has an outcome. A delivery is not an outcome.' },
      {
        text: 'Another worker begins it at once.',
        answer: 'The broker does not know at once that the worker is dead. It might only be out of reach for a moment.',
      },
      {
        text: 'Another worker begins it after some seconds.',
        answer: 'Yes. The broker waits for a while, and then gives the task to someone else.',
      },
      {
        text: 'The sender has to submit it again.',
        answer: 'The sender need not even know. The task was accepted, so the queue takes care of it.',
      },
    ],
    outcome: ([run]) => {
      if (run.done < LETTERS) return 0
      return run.gapMs < 1000 ? 1 : 2
    },
  },
  observe: {
    kind: 'choice',
    question: 'What did the broker do with the task in the first second after the crash?',
    options: [
      {
        text: 'It took the task back at once.',
        answer: 'Look again. The task stayed with the dead worker for some time.',
      },
      {
        text: 'Nothing. The task still belonged to the dead worker.',
        answer: 'Right. Nothing moved until the worker’s time was up.',
      },
      { text: 'It told the sender that the task failed.', answer: 'No. The sender heard only good news, a bit later.' },
    ],
    outcome: ([run]) => {
      if (run.done < LETTERS) return 2
      return run.gapMs < 1000 ? 0 : 1
    },
  },
  explain: [
    'A delivered task is not gone from the queue. The worker holds it under a lease: the right to work on it for a limited time, here four seconds.',
    'A living worker renews its leases again and again. Such a message is a heartbeat. So a task may take far longer than its lease.',
    'A dead worker sends no heartbeat. When the lease runs out, the broker makes the task ready again, and another worker gets it.',
    'A lease ends early only when the worker says how its work went. The broker stores the result and then acknowledges it. Before that, nothing counts as done.',
    'The broker saw the connection break at once, and still it waited. Connections break all the time, and most workers are back in a moment with their work half done.',
  ],
  change: {
    prompt: [
      'Three workers, three letters, the same crash. Only the lease is longer now: ten seconds instead of four.',
    ],
    runs: [{ label: 'lease of 10 s', scenario: scenario(10_000) }],
    predict: {
      kind: 'number',
      question: 'How long after the crash does another worker begin the task?',
      unit: 'ms',
      min: 0,
      max: 15_000,
      step: 250,
      outcome: ([run]) => run.gapMs,
    },
    explain: [
      'The longer the lease, the longer a task of a dead worker waits. The wait is somewhat shorter than the lease, because the last heartbeat came before the crash.',
      'Then why not choose a very short lease? The next lesson shows the price.',
    ],
  },
  transfer: {
    kind: 'choice',
    question:
      'A library lends books for four weeks. A reader moves away with a book. What plays the part of the lease?',
    options: [
      { text: 'The library card.', answer: 'It says who you are. It has no clock for this one book.' },
      {
        text: 'The four weeks, which the reader can extend.',
        answer: 'Yes. A reader who extends in time keeps the book. Otherwise the right ends, and the library acts.',
      },
      {
        text: 'The shelf where the book stood.',
        answer: 'That is the queue. It is empty as long as the book is lent.',
      },
    ],
    outcome: () => 1,
  },
  notModelled: [
    'A real machine that dies may leave its work half done: a file half written, a letter half printed.',
    'The broker waits for a lost connection for ten seconds by default, and then takes back the tasks even if their leases go on. Here it would wait for twenty, so that you see the lease alone.',
  ],
  claim: {
    text: 'The task of a dead worker is done by another one, after the lease and not before. A longer lease means a longer wait.',
    holds: ([short], [long]) =>
      short.done === LETTERS &&
      long.done === LETTERS &&
      short.runsOfLost === 2 &&
      short.gapMs >= 2000 &&
      short.gapMs <= 4200 &&
      long.gapMs >= 5000 &&
      long.gapMs <= 10_200,
  },
}
