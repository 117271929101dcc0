import { FactReader } from '../journal/facts.ts'
import type { Observation } from '../observation.ts'
import type { Falsehood, Scenario } from '../scenario.ts'
import { calm } from './calm.ts'
import type { Phenomenon } from './phenomenon.ts'

/** Two fifths of the tasks take longer than a lease lasts. */
function scenario(name: string, falsehoods: readonly Falsehood[]): Scenario {
  return {
    ...calm,
    name,
    durationMs: 9000,
    hosting: { heartbeatMs: 300 },
    producers: [
      {
        count: 1,
        arrivals: { kind: 'poisson', rate: 5 },
        tasks: [
          {
            queue: 'films',
            weight: 1,
            bodyBytes: { kind: 'constant', value: 40 },
            options: { leaseMs: 1000, retry: { kind: 'fixed', attemptsMax: 50, delayMs: 0 } },
          },
        ],
      },
    ],
    workers: [
      {
        count: 2,
        queues: ['films'],
        concurrency: 4,
        prefetch: 0,
        service: { '*': { ms: { kind: 'bimodal', fast: 200, slow: 1500, share: 0.4 } } },
        falsehoods,
      },
    ],
  }
}

function expiredLeases(seen: readonly Observation[]): number {
  const facts = new FactReader()
  let expired = 0
  for (const observation of seen) {
    if (observation.type !== 'appending') continue
    for (const fact of facts.read(observation.events)) {
      if (fact.type === 'attemptFailed' && fact.attempt.how === 'lease_expired') expired += 1
    }
  }
  return expired
}

export const leaseExpiry: Phenomenon<'no heartbeats' | 'heartbeats', 'duplicates' | 'expired' | 'tasks'> = {
  name: 'lease expiry duplicates',
  lesson: 'If a lease expires while its worker still works, the work is done twice. Heartbeats keep the lease alive.',
  setting:
    '5 tasks a second arrive at random. Two fifths of them take 1.5 s, the others 0.2 s. Leases last 1 s. There are two workers with four handlers each.',
  scenarios: {
    'no heartbeats': scenario('lease expiry, no heartbeats', ['neverBeats']),
    heartbeats: scenario('lease expiry, heartbeats', []),
  },
  figures: {
    duplicates: 'duplicate runs',
    expired: 'expired leases',
    tasks: 'tasks',
  },
  looksAt: ['appending', 'handlerStarted'],
  measure(seen) {
    const starts = seen.filter((observation) => observation.type === 'handlerStarted')
    const tasks = new Set(starts.map(({ id }) => id)).size
    return { duplicates: starts.length - tasks, expired: expiredLeases(seen), tasks }
  },
  expectations: [
    {
      what: 'expired leases without heartbeats',
      over: 'eachSeed',
      figure: (runs) => runs['no heartbeats'].expired,
      bound: { atLeast: 1 },
    },
    {
      what: 'difference between duplicates and expired leases',
      over: 'eachSeed',
      figure: ({ heartbeats, 'no heartbeats': none }) =>
        Math.abs(none.duplicates - none.expired) + Math.abs(heartbeats.duplicates - heartbeats.expired),
      bound: { atMost: 0 },
    },
    {
      what: 'duplicates with heartbeats',
      over: 'eachSeed',
      figure: (runs) => runs.heartbeats.duplicates,
      bound: { atMost: 0 },
    },
  ],
}
