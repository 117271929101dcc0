import type { Arrivals, Distribution, Scenario } from '@sluice/world'
import { calm, mean } from '@sluice/world/phenomena'
import type { Lesson } from '../lesson.ts'
import { bodyBytes, exactly } from '../scene.ts'

const SERVICE_MS = 500
const UNTIL_MS = 500_000
const HALF = 1
const NEARLY_FULL = 1.8

/** One worker that takes half a second for a task: always, or on average. */
function scenario(name: string, arrivals: Arrivals, ms: Distribution): Scenario {
  return {
    ...calm,
    name,
    durationMs: UNTIL_MS,
    producers: [{ count: 1, arrivals, tasks: [{ queue: 'orders', weight: 1, bodyBytes }] }],
    workers: [{ count: 1, queues: ['orders'], concurrency: 1, prefetch: 1, service: { orders: { ms } } }],
  }
}

const byChance = (rate: number): Scenario =>
  scenario(`by chance, ${rate} a second`, { kind: 'poisson', rate }, { kind: 'exponential', mean: SERVICE_MS })

type Figure = 'waitMs' | 'busy' | 'tasks'

export const utilisationAndLatency: Lesson<Figure, 2, 1> = {
  number: 8,
  name: 'utilisation-and-latency',
  title: 'A busy worker means a long wait',
  teaser: 'Why a worker that is never idle is bad news.',
  rules: ['READY-3'],
  problem: [
    'A worker needs half a second for a task, on average: some take longer, some less. Tasks come at random.',
    'When one task a second comes, the worker is idle half of the time. Somebody in the office calls that a waste.',
    'So the work of two offices is put together. Now 1.8 tasks a second come, and the worker is busy for nine tenths of the time.',
  ],
  runs: [
    { label: 'half busy', scenario: byChance(HALF) },
    { label: 'nine tenths', scenario: byChance(NEARLY_FULL) },
  ],
  seed: 5,
  untilMs: UNTIL_MS,
  speed: 16,
  looksAt: ['submitting', 'handlerStarted', 'handlerEnded'],
  measure(seen) {
    const submittedAtMs = new Map<string, number>()
    const startedAtMs = new Map<string, number>()
    const waits: number[] = []
    let busyMs = 0
    for (const one of seen) {
      if (one.type === 'submitting') submittedAtMs.set(one.id, one.atMs)
      else if (one.type === 'handlerStarted') {
        startedAtMs.set(one.id, one.atMs)
        waits.push(one.atMs - (submittedAtMs.get(one.id) ?? one.atMs))
      } else if (one.type === 'handlerEnded') busyMs += one.atMs - (startedAtMs.get(one.id) ?? one.atMs)
    }
    return { waitMs: mean(waits), busy: busyMs / UNTIL_MS, tasks: waits.length }
  },
  figures: {
    waitMs: 'mean wait in ms until a task is begun',
    busy: 'share of the time in which the worker is busy',
    tasks: 'tasks begun',
  },
  predict: {
    kind: 'number',
    question: 'Nearly twice as many tasks come. How many times as long does a task wait, on average?',
    unit: 'times',
    min: 1,
    max: 20,
    step: 0.5,
    outcome: ([half, full]) => full.waitMs / half.waitMs,
  },
  observe: {
    kind: 'choice',
    question: 'How did the line look in the busy office?',
    options: [
      {
        text: 'About two tasks waited, nearly all the time.',
        answer: 'Look at the depth over time: it is never calm.',
      },
      {
        text: 'It was empty now and then, and very long at other times.',
        answer: 'Yes. A few tasks too many at the wrong moment, and it takes long to catch up.',
      },
      {
        text: 'It grew all the time.',
        answer: 'It did not: less came than the worker can do. It came back to zero again and again.',
      },
    ],
    outcome: ([half, full]) => (full.waitMs > 2 * half.waitMs ? 1 : 0),
  },
  explain: [
    'Tasks come at random: sometimes none for a while, then three together. Time in which the worker is idle cannot be saved for later.',
    'After a small crowd, only the free part of the worker’s time is there to catch up. Half free, and the crowd is gone soon. One tenth free, and it takes five times as long. Meanwhile the next crowd comes.',
    'There is a formula for this kind of chance: the mean wait is the service time times load ÷ (1 − load). At a load of a half, that is one service time. At nine tenths, it is nine.',
    'The last tenth is the dear one: at 95 % it is nineteen service times, at 99 % ninety-nine. Free time is not waste. It is the price of a short wait.',
  ],
  change: {
    prompt: [
      'The same busy worker, at nine tenths. Only chance is gone: a task comes every 0.56 seconds like a clock, and each takes exactly half a second.',
    ],
    runs: [
      {
        label: 'like a clock',
        scenario: scenario('like a clock', { kind: 'steady', rate: NEARLY_FULL }, exactly(SERVICE_MS)),
      },
    ],
    predict: {
      kind: 'number',
      question: 'How long does a task wait now, on average?',
      unit: 'ms',
      min: 0,
      max: 5000,
      step: 50,
      outcome: ([clock]) => clock.waitMs,
    },
    explain: [
      'Nothing waits, but for the way of a message. The load is as high as before. So the wait does not come from load alone. It comes from load and chance together.',
      'If you can make arrivals or tasks more even, you may run at a higher load. If you cannot, leave more room.',
    ],
  },
  transfer: {
    kind: 'choice',
    question: 'A clinic plans its doctors so that each is busy for 98 % of the day. What will patients see?',
    options: [
      {
        text: 'Short waits: the plan leaves no gap.',
        answer: 'Gaps are where a late patient or a long talk is made good. Without them, the delay stays all day.',
      },
      {
        text: 'Long waits on most days, although there are enough doctors.',
        answer: 'Yes. Each small surprise makes a line, and there is no free time to work it off.',
      },
      {
        text: 'No waits if the doctors hurry.',
        answer: 'Then they are busy for less of the day. That is another plan.',
      },
    ],
    outcome: () => 1,
  },
  notModelled: [
    'People who see a long line and leave. In this scene everybody waits.',
    'The formula is for one worker, random arrivals and very uneven tasks. With other kinds of chance, the numbers differ and the shape stays.',
  ],
  claim: {
    text: 'With chance, a worker that is nearly full makes tasks wait several times as long. Without chance, nothing waits at the same load.',
    holds: ([half, full], [clock]) =>
      full.waitMs >= 3 * half.waitMs && clock.waitMs <= 0.05 * full.waitMs && clock.busy > 0.85,
  },
}
