import type { Scenario, TaskMix, WorkerGroup } from '@sluice/world'
import { calm, latenciesOf, mean, quantile, submissionsOf } from '@sluice/world/phenomena'
import { handlerRunsOf } from '../handler-runs.ts'
import type { Lesson } from '../lesson.ts'
import { bodyBytes, exactly } from '../scene.ts'

const UNTIL_MS = 300_000
const SHORT_MS = 100
const LONG_MS = 3000
const LONG_SHARE = 0.1
/** A page that takes so long has waited. */
const SLOW_MS = 1000

function scenario(name: string, tasks: readonly TaskMix[], workers: readonly WorkerGroup[]): Scenario {
  return {
    ...calm,
    name,
    durationMs: UNTIL_MS,
    producers: [{ count: 1, arrivals: { kind: 'poisson', rate: 3 }, tasks }],
    workers,
  }
}

/** Both kinds in one queue. Only the handler finds out which kind it has. */
function together(workers: number): Scenario {
  return scenario(
    `one queue, ${workers} workers`,
    [{ queue: 'copies', weight: 1, bodyBytes }],
    [
      {
        count: workers,
        queues: ['copies'],
        concurrency: 1,
        prefetch: 0,
        service: { copies: { ms: { kind: 'bimodal', fast: SHORT_MS, slow: LONG_MS, share: LONG_SHARE } } },
      },
    ],
  )
}

function apart(): Scenario {
  const worker = { count: 1, concurrency: 1, prefetch: 0 }
  return scenario(
    'a queue each',
    [
      { queue: 'pages', weight: 1 - LONG_SHARE, bodyBytes },
      { queue: 'books', weight: LONG_SHARE, bodyBytes },
    ],
    [
      { ...worker, queues: ['pages'], service: { pages: { ms: exactly(SHORT_MS) } } },
      { ...worker, queues: ['books'], service: { books: { ms: exactly(LONG_MS) } } },
    ],
  )
}

type Figure = 'meanMs' | 'p95Ms' | 'slow' | 'longMs'

export const headOfLineBlocking: Lesson<Figure, 2, 1> = {
  number: 10,
  name: 'head-of-line-blocking',
  title: 'A short task behind a long one',
  teaser: 'You want one page copied. In front of you, somebody copies a book.',
  rules: ['READY-2', 'READY-3'],
  problem: [
    'A copy shop has two machines. Most customers want one page, which takes a tenth of a second. One in ten wants a book, which takes three seconds.',
    'There is one line for both machines. The machines have plenty of time: they are idle for much of the day.',
    'Still, the people with one page complain.',
  ],
  runs: [
    { label: 'one queue', scenario: together(2) },
    { label: 'a queue each', scenario: apart() },
  ],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 10,
  looksAt: ['submitting', 'accepted', 'outcome', 'handlerStarted', 'handlerEnded'],
  measure(seen) {
    const short = new Set<string>()
    for (const { id, startedAtMs, endedAtMs = Number.POSITIVE_INFINITY } of handlerRunsOf(seen))
      if (endedAtMs - startedAtMs < LONG_MS / 2) short.add(id)
    const submissions = submissionsOf(seen)
    const latencies = latenciesOf(submissions.filter(({ id }) => short.has(id)))
    const long = latenciesOf(submissions.filter(({ id }) => !short.has(id)))
    return {
      meanMs: mean(latencies),
      p95Ms: quantile(latencies, 0.95),
      slow: latencies.filter((ms) => ms >= SLOW_MS).length / latencies.length,
      longMs: long.length === 0 ? 0 : mean(long),
    }
  },
  figures: {
    meanMs: 'mean time in ms for one page',
    p95Ms: 'time in ms within which 95 of 100 pages are done',
    slow: 'share of pages that took a second or more',
    longMs: 'mean time in ms for a book',
  },
  predict: {
    kind: 'number',
    question:
      'A page takes 0.1 seconds of work. In one queue with the books, within how many ms are 95 of 100 pages done?',
    unit: 'ms',
    min: 0,
    max: 10_000,
    step: 100,
    outcome: ([one]) => one.p95Ms,
  },
  observe: {
    kind: 'choice',
    question: 'In the run with one queue, when did a page wait for long?',
    options: [
      {
        text: 'When a book was on one of the machines.',
        answer: 'One book is no harm: the other machine goes on with the pages.',
      },
      {
        text: 'When books were on both machines.',
        answer: 'Yes. Then nothing moves for up to three seconds, and all pages pile up.',
      },
      {
        text: 'When very many pages came at once.',
        answer: 'Thirty pages take three seconds together. That many never came.',
      },
    ],
    outcome: ([one, each]) => (one.slow > each.slow + 0.02 ? 1 : 2),
  },
  explain: [
    'A line is served from its front. If long tasks hold all the workers, the short ones behind them wait as if they were long themselves. This is head-of-line blocking.',
    'The average load says nothing about it. Two books at the same moment are enough.',
    'With a queue and a worker of their own, pages never meet a book. The books pay: they have one machine now instead of two.',
    'A higher priority for pages would let them pass waiting books. It would not stop a book that is already on the machine.',
  ],
  change: {
    prompt: ['Back to one queue for all. But the shop buys a third machine, which is half as much again.'],
    runs: [{ label: 'three workers', scenario: together(3) }],
    predict: {
      kind: 'choice',
      question: 'Does every page come within a second now?',
      options: [
        {
          text: 'Yes. Three machines are more than enough.',
          answer: 'They are, on average. But now and then three books come close together.',
        },
        {
          text: 'No, but fewer pages wait than with two machines.',
          answer: 'Yes. It takes three books now to stop everything. That is rarer, and it happens.',
        },
        {
          text: 'No, it is as bad as with two machines.',
          answer: 'It takes three books at a time now, and that is clearly rarer than two.',
        },
      ],
      outcome: ([three]) => (three.slow === 0 ? 0 : three.slow < 0.12 ? 1 : 2),
    },
    explain: [
      'More workers make a block rarer, and do not rule it out. Two machines with a queue each did better: no page took a second. A second queue costs nothing but a name.',
      'If a task can be cut into pieces, that helps as well: a book as thirty pages lets others in between.',
    ],
  },
  transfer: {
    kind: 'choice',
    question: 'In which of these does a short thing wait behind a long one?',
    options: [
      {
        text: 'A fast car on a road with one lane, behind a tractor.',
        answer: 'Yes. It could be much faster, but nobody can pass.',
      },
      {
        text: 'A supermarket with a till for ten things or fewer.',
        answer: 'That is the cure: a queue and a worker of their own.',
      },
      {
        text: 'A bus that waits at a red light.',
        answer: 'It waits for the light, not for something long in front of it.',
      },
    ],
    outcome: () => 0,
  },
  notModelled: [
    'A shop that knows before which task is long. If nobody knows, one cannot give it a queue of its own.',
    'A task that is interrupted and goes on later. A worker here finishes what it has begun.',
  ],
  claim: {
    text: 'Short tasks that share a queue with long ones take several times as long. A third worker makes that rarer. Only a queue of their own ends it.',
    holds: ([one, each], [three]) =>
      one.p95Ms >= 4 * each.p95Ms &&
      one.meanMs >= 2 * each.meanMs &&
      each.slow === 0 &&
      three.slow > 0 &&
      three.slow < one.slow,
  },
}
