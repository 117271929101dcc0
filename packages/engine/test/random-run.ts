import fc from 'fast-check'
import type { Command } from '../src/index.ts'
import type { Harness } from './harness.ts'

const QUEUES = ['A', 'B', 'C']
const session = fc.constantFrom('s1', 's2', 's3', 's4')
const queue = fc.constantFrom(...QUEUES)
const ids = fc.array(
  fc.nat(11).map((n) => `t${n}`),
  { minLength: 1, maxLength: 4 },
)
/** Picks among the leases of a session, or names one that it does not hold. */
const picks = fc.array(fc.nat(4), { minLength: 1, maxLength: 3 })

const options = fc.record({
  priority: fc.constantFrom(4, 5),
  delayMs: fc.constantFrom(0, 0, 30),
  ttlMs: fc.constantFrom(0, 0, 50),
  leaseMs: fc.constantFrom(100, 200),
  resultTtlMs: fc.constantFrom(0, 100, 400),
  retry: fc.record({
    kind: fc.constantFrom('none' as const, 'fixed' as const, 'exponential' as const),
    attemptsMax: fc.constantFrom(1, 2, 3),
    delayMs: fc.constantFrom(0, 40),
  }),
})

const step = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      what: fc.constant('submit' as const),
      session,
      queue,
      options,
      ids,
      bytes: fc.nat(30),
      watch: fc.boolean(),
      digest: fc.constantFrom(1, 1, 1, 2),
    }),
  },
  {
    weight: 4,
    // Of the newest tasks so many are not durable yet.
    arbitrary: fc.record({ what: fc.constant('dispatch' as const), pending: fc.constantFrom(0, 0, 0, 1, 3) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ what: fc.constant('advance' as const), ms: fc.constantFrom(0, 1, 20, 60, 150, 1000) }),
  },
  // Time passes and the host does not look at what is due.
  { weight: 2, arbitrary: fc.record({ what: fc.constant('linger' as const), ms: fc.constantFrom(1, 20, 60) }) },
  // The host could not look, and finds out.
  { weight: 2, arbitrary: fc.record({ what: fc.constant('stall' as const), ms: fc.constantFrom(0, 1, 20, 150) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('connect' as const),
      session,
      picks,
      begins: fc.boolean(),
      begun: fc.constantFrom(undefined, 0, 1, 2, 9),
    }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('begin' as const), session, pick: fc.nat(4) }) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('heard' as const), session }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('credit' as const),
      session,
      credit: fc.nat(4),
      queues: fc.uniqueArray(queue, { maxLength: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('complete' as const), session, picks }) },
  {
    weight: 3,
    arbitrary: fc.record({
      what: fc.constant('fail' as const),
      session,
      picks,
      retryable: fc.boolean(),
      retryAfterMs: fc.constantFrom(undefined, 0, 25),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      what: fc.constantFrom('release' as const, 'heartbeat' as const, 'progress' as const),
      session,
      picks,
    }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('disconnect' as const, 'bye' as const), session }) },
  {
    weight: 2,
    arbitrary: fc.record({ what: fc.constantFrom('cancel' as const, 'redrive' as const, 'forget' as const), ids }),
  },
  { weight: 2, arbitrary: fc.record({ what: fc.constantFrom('watch' as const, 'unwatch' as const), session, ids }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('restart' as const) }) },
)

export const steps = fc.array(step, { minLength: 1, maxLength: 80, size: 'max' })
type RandomStep = typeof step extends fc.Arbitrary<infer T> ? T : never

/** Bounds so small that a run meets all of them. */
export const SMALL = {
  queueTasksMax: 6,
  queueBytesMax: 120,
  queuesMax: 3,
  principalQueuesMax: 2,
  tasksMax: 12,
  bytesMax: 200,
  queueHistoryBytesMax: 600,
  historyBytesMax: 1000,
  queueResultsMax: 3,
  queueResultBytesMax: 8,
  queueDeadMax: 2,
  sessionsMax: 3,
  graceMs: 100,
  deadTtlMs: 300,
  releasesMax: 2,
  watchersMax: 2,
  sessionWatchesMax: 3,
  principalWatchesMax: 4,
}

/** The commands of one step, each made from the state that the ones before it left. */
export function commandsOf(harness: Harness, one: RandomStep): Command[] {
  const leasesOf = (name: string, wanted: readonly number[]) => {
    const leases = [...(harness.state.sessions.get(name)?.leases.keys() ?? [])]
    return wanted.map((pick) => leases[pick] ?? pick)
  }
  switch (one.what) {
    case 'submit':
      return [
        {
          type: 'submit',
          session: one.session,
          ref: 1,
          queue: one.queue,
          options: one.options,
          watch: one.watch,
          contentType: undefined,
          owner: [undefined, 'ada', 'eve'][one.bytes % 3],
          index: 0,
          ids: one.ids,
          bytes: one.ids.map(() => one.bytes),
          digests: one.ids.map(() => one.digest),
        },
      ]
    case 'connect': {
      if (!harness.state.sessions.has(one.session))
        return [{ type: 'openSession', session: one.session, roles: ['worker'], begins: one.begins }]
      const { session, begins, begun } = one
      const last = one.begun === undefined ? {} : { begun: leasesOf(session, [begun as number])[0] as number }
      return [{ type: 'resumeSession', session, leases: leasesOf(session, one.picks), begins, ...last }]
    }
    case 'credit':
      return [{ type: 'setCredit', session: one.session, credit: one.credit, queues: one.queues }]
    case 'complete': {
      const leases = leasesOf(one.session, one.picks)
      const bytes = leases.map(() => 3)
      return [{ type: 'complete', session: one.session, ref: 2, contentType: undefined, index: 0, leases, bytes }]
    }
    case 'fail': {
      const more = one.retryAfterMs === undefined ? {} : { retryAfterMs: one.retryAfterMs }
      const failures = leasesOf(one.session, one.picks).map((lease) => ({
        lease,
        error: { message: 'no'.padEnd(900), stack: 'at no' },
        retryable: one.retryable,
        ...more,
      }))
      return [{ type: 'fail', session: one.session, ref: 3, failures }]
    }
    case 'release':
      return [{ type: 'release', session: one.session, ref: 4, leases: leasesOf(one.session, one.picks) }]
    case 'heartbeat':
      return [{ type: 'heartbeat', session: one.session, leases: leasesOf(one.session, one.picks) }]
    case 'progress': {
      const updates = leasesOf(one.session, one.picks).map((lease) => ({ lease, progress: lease }))
      return [{ type: 'reportProgress', session: one.session, updates }]
    }
    case 'begin':
      return [{ type: 'begin', session: one.session, lease: leasesOf(one.session, [one.pick])[0] as number }]
    case 'heard':
      return [{ type: 'heard', session: one.session }]
    case 'disconnect':
      return [{ type: 'disconnectSession', session: one.session }]
    case 'bye':
      return [{ type: 'closeSession', session: one.session }]
    case 'cancel':
      return [{ type: 'cancel', session: undefined, ref: 5, ids: one.ids }]
    case 'redrive':
    case 'forget':
      return [{ type: one.what, ids: one.ids }]
    case 'watch':
      return [{ type: 'watch', session: one.session, ref: 6, ids: one.ids }]
    case 'unwatch':
      return [{ type: 'unwatch', session: one.session, ids: one.ids }]
    case 'restart':
      return [{ type: 'start' }]
    case 'stall':
      return [{ type: 'stall', ms: one.ms }]
    case 'advance':
    case 'linger':
    case 'dispatch':
      return []
    default:
      return one satisfies never
  }
}

/** Runs the steps, beginning with two workers, so that short runs have leases too. */
export function run(harness: Harness, all: readonly RandomStep[]): void {
  if (harness.events.length === 0) {
    harness.worker('s1', 3, ['A', 'B'], true)
    harness.worker('s2', 2, ['A'])
  }
  for (const one of all) {
    if (one.what === 'advance') harness.advance(one.ms)
    else if (one.what === 'linger') harness.nowMs += one.ms
    else if (one.what === 'dispatch') harness.dispatch(harness.state.nextSeq - one.pending)
    else {
      if (one.what === 'stall') harness.nowMs += one.ms
      for (const command of commandsOf(harness, one)) harness.apply(command)
    }
  }
}
