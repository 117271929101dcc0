import type { Scenario } from '@sluice/world'
import type { Lesson } from '../lesson.ts'
import { bodyBytes, scene } from '../scene.ts'

const CLIENTS = 40
const CRASH_AT_MS = 2000
const WINDOW_MS = 100
/** With jitter, after eight seconds, the busiest window has no more than so many. */
const PEAK_AFTER_LONG = 7
const UNTIL_MS = 26_000

/** Clients that only stay connected, and a broker that is away for a while. */
function scenario(drawsAlike: boolean, awayMs: number): Scenario {
  return {
    ...scene,
    name: `a restart of ${awayMs} ms, ${drawsAlike ? 'no jitter' : 'full jitter'}`,
    durationMs: UNTIL_MS,
    producers: [
      {
        count: CLIENTS,
        arrivals: { kind: 'steady', rate: 1 },
        tasks: [{ queue: 'orders', weight: 1, bodyBytes }],
        tasksMax: 0,
        drawsAlike,
      },
    ],
    workers: [],
    script: [{ atMs: CRASH_AT_MS, fault: { type: 'crash', node: 'broker', restartAfterMs: awayMs } }],
  }
}

/** The most of these instants that lie within one window. */
function peakOf(atMs: readonly number[]): number {
  return Math.max(0, ...atMs.map((end) => atMs.filter((at) => at > end - WINDOW_MS && at <= end).length))
}

type Figure = 'peak' | 'back' | 'spreadMs'

export const thunderingHerd: Lesson<Figure, 2, 1> = {
  number: 14,
  name: 'thundering-herd',
  title: 'The herd after a restart',
  teaser: 'Forty clients lose their broker at the same moment. All of them want it back.',
  rules: ['CLIENT-3', 'CLIENT-4'],
  problem: [
    'Forty programs are connected to a broker. It crashes, and eight seconds later it is back.',
    'Each program tries to connect again by itself. If that fails, it waits, twice as long after each failure.',
    'All of them lost it in the same moment. So all of them count the same waits.',
  ],
  runs: [
    { label: 'no jitter', scenario: scenario(true, 8000) },
    { label: 'full jitter', scenario: scenario(false, 8000) },
  ],
  seed: 1,
  untilMs: UNTIL_MS,
  speed: 1,
  looksAt: ['connected'],
  measure(seen) {
    const back = seen.flatMap(({ type, atMs }) => (type === 'connected' && atMs > CRASH_AT_MS ? [atMs] : []))
    return { peak: peakOf(back), back: back.length, spreadMs: Math.max(...back) - Math.min(...back) }
  },
  figures: {
    peak: 'clients that come back in the busiest 100 ms',
    back: 'clients that came back',
    spreadMs: 'ms from the first that is back to the last',
  },
  predict: {
    kind: 'number',
    question: 'In the first run, all wait for the same times. How many come back in the busiest tenth of a second?',
    unit: 'clients',
    min: 0,
    max: 40,
    step: 1,
    outcome: ([alike]) => alike.peak,
  },
  observe: {
    kind: 'choice',
    question: 'In the second run, each client draws its waits at random. What did that change?',
    options: [
      { text: 'Some clients did not come back.', answer: 'All forty came back in both runs. Count them.' },
      {
        text: 'They came back one by one, spread over some seconds.',
        answer: 'Yes. A few came early, a few late, and never a crowd.',
      },
      {
        text: 'They all came back together, only later.',
        answer: 'Look at the busiest tenth of a second: there are only a few.',
      },
    ],
    outcome: ([alike, jitter]) => {
      if (jitter.back < CLIENTS) return 0
      return jitter.peak * 2 < alike.peak ? 1 : 2
    },
  },
  explain: [
    'To double the wait after each failure is a good habit. It spares a broker that is not there. But it does not separate clients that started to wait together.',
    'Clients that act alike meet again and again. At the moment when the broker comes back, with much to do, the whole herd stands at its door.',
    'Jitter means: each client draws its wait at random, between nothing and the limit. After a few rounds, no two do the same.',
    'The clients of this queue draw from 0 to 250 ms before the first try. The limit doubles with each failure, up to ten seconds.',
  ],
  change: {
    prompt: [
      'Jitter is on. But this time the broker is back after half a second instead of eight. Good news for everybody?',
    ],
    runs: [{ label: 'away 0.5 s', scenario: scenario(false, 500) }],
    predict: {
      kind: 'choice',
      question: 'Compared with jitter after eight seconds, how crowded is the busiest tenth of a second?',
      options: [
        { text: 'Less crowded.', answer: 'The clients had little time to drift apart.' },
        {
          text: 'About the same.',
          answer: 'The random waits are still short after half a second. So the crowd is denser.',
        },
        {
          text: 'More crowded.',
          answer: 'Yes. Early waits are short, so even random ones lie close together.',
        },
      ],
      outcome: ([short]) => (short.peak > PEAK_AFTER_LONG ? 2 : short.peak < 3 ? 0 : 1),
    },
    explain: [
      'Jitter spreads clients as wide as their waits are long. After a short break these are short, and a short break comes with every planned restart.',
      'So a broker that leaves in good order tells its clients how long to wait before they return. And it must be able to greet a crowd in any case.',
    ],
  },
  transfer: {
    kind: 'choice',
    question:
      'At five to the hour, the page of a ticket shop says “please reload at 12:00”. What would be kinder to the server?',
    options: [
      {
        text: '“Please reload as often as you can.”',
        answer: 'That is a herd that never leaves.',
      },
      {
        text: 'The page reloads by itself at a random moment between 12:00 and 12:05.',
        answer: 'Yes. The same people, spread over five minutes. If tickets are drawn by lot, nobody loses by it.',
      },
      { text: '“Please reload at 12:05.”', answer: 'The herd comes five minutes later, and just as dense.' },
    ],
    outcome: () => 1,
  },
  notModelled: [
    'What a connection costs the server: keys, memory, sign-in. That is why the peak matters, not only the sum.',
    'Clients that start at different times. A little chance comes from there as well.',
  ],
  claim: {
    text: 'All clients come back. Without jitter they come together, and with it they come apart. After a short break they lie closer.',
    holds: ([alike, jitter], [short]) =>
      [alike, jitter, short].every(({ back }) => back === CLIENTS) &&
      alike.peak >= 3 * jitter.peak &&
      jitter.peak <= PEAK_AFTER_LONG &&
      short.peak > PEAK_AFTER_LONG,
  },
}
