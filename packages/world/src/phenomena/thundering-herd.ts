import type { Observation } from '../observation.ts'
import type { Scenario } from '../scenario.ts'
import { calm } from './calm.ts'
import type { Phenomenon } from './phenomenon.ts'

const CLIENTS = 60
const CRASH_AT_MS = 2000
const WINDOW_MS = 100

/** Clients that only stay connected, and a broker that is away for a few seconds. */
function scenario(name: string, drawsAlike: boolean): Scenario {
  return {
    ...calm,
    name,
    durationMs: 26_000,
    settleMs: 2000,
    producers: [
      {
        count: CLIENTS,
        arrivals: { kind: 'steady', rate: 1 },
        tasks: [{ queue: 'orders', weight: 1, bodyBytes: { kind: 'constant', value: 40 } }],
        tasksMax: 0,
        drawsAlike,
      },
    ],
    workers: [],
    script: [{ atMs: CRASH_AT_MS, fault: { type: 'crash', node: 'broker', restartAfterMs: 8000 } }],
  }
}

/** The most connections that were made in any window of this length. */
function peakOf(atMs: readonly number[], windowMs: number): number {
  let peak = 0
  let from = 0
  for (const [at, instant] of atMs.entries()) {
    while ((atMs[from] as number) <= instant - windowMs) from += 1
    peak = Math.max(peak, at - from + 1)
  }
  return peak
}

function reconnectionsOf(seen: readonly Observation[]): number[] {
  return seen.flatMap(({ type, atMs }) => (type === 'connected' && atMs > CRASH_AT_MS ? [atMs] : []))
}

export const thunderingHerd: Phenomenon<'no jitter' | 'full jitter', 'peakPerSecond' | 'back'> = {
  name: 'thundering herd',
  lesson:
    'Clients that lose their broker at the same moment all reconnect at the same moment. Full jitter spreads them.',
  setting:
    '60 connected clients lose their broker, which is back after 8 s. The rate is measured in windows of 100 ms. Without jitter, every random number that a client draws is one half. The longer the broker is away, the wider the clients spread: after half a second they are all within the first back-off of 250 ms, and the peak is only 3 times lower.',
  scenarios: {
    'no jitter': scenario('thundering herd, no jitter', true),
    'full jitter': scenario('thundering herd, full jitter', false),
  },
  figures: {
    peakPerSecond: 'peak of reconnections a second',
    back: 'clients that came back',
  },
  looksAt: ['connected'],
  measure(seen) {
    const reconnections = reconnectionsOf(seen)
    return {
      peakPerSecond: (peakOf(reconnections, WINDOW_MS) * 1000) / WINDOW_MS,
      back: reconnections.length / CLIENTS,
    }
  },
  expectations: [
    {
      what: 'share of clients that came back',
      over: 'eachSeed',
      figure: (runs) => Math.min(runs['no jitter'].back, runs['full jitter'].back),
      bound: { atLeast: 1 },
    },
    {
      what: 'peak rate of reconnections without jitter, as a multiple of that with full jitter',
      over: 'eachSeed',
      figure: (runs) => runs['no jitter'].peakPerSecond / runs['full jitter'].peakPerSecond,
      bound: { atLeast: 5 },
    },
  ],
}
