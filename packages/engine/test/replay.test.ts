import fc from 'fast-check'
import { expect, test } from 'vitest'
import {
  type Command,
  createState,
  decide,
  type Event,
  engineConfig,
  evolve,
  LIFECYCLE,
  mustBeDurable,
  replay,
  type State,
} from '../src/index.ts'
import { checkState, describeKept, describeState, HistoryChecker } from '../src/invariants.ts'
import { Harness } from './harness.ts'
import { run, SMALL, steps } from './random-run.ts'

/** Checks everything that must hold after each command, and that deciding it changed nothing. */
class CheckedHarness extends Harness {
  readonly #history = new HistoryChecker()

  override apply(command: Command): Event[] {
    const before = JSON.stringify(describeState(this.state))
    decide(this.state, command, { nowMs: this.nowMs, random: () => 0.5 })
    expect(JSON.stringify(describeState(this.state))).toBe(before)
    const events = super.apply(command)
    checkState(this.state)
    return events
  }

  override beforeEvolve(event: Event): void {
    this.#history.see(event, this.state)
  }
}

function replayed(events: readonly Event[], like: Harness, by: typeof evolve = evolve): Harness {
  const harness = new Harness({ state: createState(like.state.config), seed: 9 })
  for (const event of events) by(harness.state, event)
  harness.nowMs = like.nowMs
  return harness
}

/** The order in which all unfinished tasks would be delivered once all delays and leases are over, by queue. */
function deliveryOrder(harness: Harness): Record<string, string[]> {
  harness.apply({ type: 'start' })
  for (const id of [...harness.state.sessions.keys()]) harness.apply({ type: 'closeSession', session: id })
  harness.worker('last', 1000, ['A', 'B', 'C'])
  const order: Record<string, string[]> = {}
  const ids = [...harness.dispatch(), ...harness.advance(60).map(() => ''), ...harness.dispatch()].filter(Boolean)
  for (const id of ids) {
    const { name } = harness.task(id).queue
    order[name] = [...(order[name] ?? []), id]
  }
  return order
}

function idsHeld(state: State): string[] {
  return [...state.tasks.values()].map(({ id }) => id)
}

test('[REPLAY-1] in random runs every invariant holds after every command, and deciding changes nothing', () => {
  fc.assert(
    fc.property(steps, fc.nat(), (all, seed) => {
      run(new CheckedHarness({ config: SMALL, seed }), all)
    }),
    { numRuns: 1500 },
  )
})

test('random runs meet every kind of event, every reason of death and every refusal', () => {
  const met = new Set<string>()
  for (const all of fc.sample(steps, { numRuns: 300, seed: 1 })) {
    const harness = new Harness({ config: SMALL })
    harness.beforeEvolve = (event) => {
      met.add(event.type)
      if (event.type === 'refused') met.add(event.code)
      if (event.type === 'taskDied') met.add(event.reason)
      if (event.type === 'attemptFailed') met.add(event.attempt.how)
      if (event.type === 'leaseReleased' && event.lost) met.add(`unbegun, ${event.lost}`)
      if (event.type === 'leasesGranted' && event.start) met.add(event.start)
    }
    run(harness, all)
    harness.apply({ type: 'checkpoint', restate: idsHeld(harness.state) })
  }
  const events = Object.values(LIFECYCLE).flatMap((row) => Object.keys(row))
  const starts = ['announced', 'alone', 'unbegun, lease_expired', 'unbegun, session_lost', 'leasesBegun']
  const others = [
    'brokerStalled',
    'brokerStarted',
    'checkpointed',
    'taskRestated',
    'creditSet',
    'leasesRenewed',
    'progressReported',
  ]
  const sessions = [
    'sessionHeard',
    'sessionRested',
    'sessionOpened',
    'sessionResumed',
    'sessionDisconnected',
    'sessionClosed',
  ]
  const refusals = ['busy', 'id_conflict', 'unknown_task', 'task_finished', 'lease_lost']
  const ends = ['attempts_exhausted', 'not_retryable', 'expired', 'lease_expired', 'failed', 'session_lost']
  const watches = ['taskWatched', 'taskUnwatched', 'refused']
  expect([...met].sort()).toEqual(
    [...new Set([...events, ...others, ...sessions, ...refusals, ...ends, ...watches, ...starts])].sort(),
  )
})

test('[REPLAY-1] [REPLAY-2] the events of a random run, through JSON, give the same state and the same future', () => {
  fc.assert(
    fc.property(steps, fc.nat(), (all, seed) => {
      const live = new Harness({ config: SMALL, seed })
      run(live, all)
      const stored = live.events.map((event) => JSON.parse(JSON.stringify(event)) as Event)
      const second = replayed(stored, live)
      expect(describeState(second.state)).toEqual(describeState(live.state))
      expect(deliveryOrder(second)).toEqual(deliveryOrder(live))
    }),
    { numRuns: 500 },
  )
})

test('[REPLAY-1] what was decided under another configuration is replayed as it was', () => {
  fc.assert(
    fc.property(steps, fc.nat(), (all, seed) => {
      const live = new Harness({ config: SMALL, seed })
      run(live, all)
      const config = engineConfig({
        ...SMALL,
        graceMs: 7,
        deadTtlMs: 9,
        releasesMax: 1,
        watchersMax: 1,
        queueTasksMax: 1,
      })
      config.defaults = { ...config.defaults, priority: 9, leaseMs: 100, resultTtlMs: 0 }
      const second = new Harness({ state: createState(config) })
      for (const event of live.events) evolve(second.state, event)
      expect(describeState(second.state)).toEqual(describeState(live.state))
    }),
    { numRuns: 100 },
  )
})

test('[REPLAY-4] what is left after a checkpoint gives the same tasks, sessions and order of delivery', () => {
  fc.assert(
    fc.property(steps, steps, fc.nat(), fc.double({ min: 0, max: 1, noNaN: true }), (first, then, seed, share) => {
      const live = new Harness({ config: SMALL, seed })
      run(live, first)
      // Discards a share of the events; what was accepted or restated among them and is still held is restated.
      const discarded = Math.floor(live.events.length * share)
      const old = new Set(live.events.slice(0, discarded).flatMap((e) => (e.type === 'tasksAccepted' ? e.ids : [])))
      const recent = new Set(live.events.slice(discarded).flatMap((e) => (e.type === 'tasksAccepted' ? e.ids : [])))
      const restate = idsHeld(live.state).filter((id) => old.has(id) && !recent.has(id))
      live.apply({ type: 'checkpoint', restate })
      run(live, then)
      const second = replayed(live.events.slice(discarded), live, replay)
      // A broker starts after every replay: only then is anything promised.
      live.apply({ type: 'start' })
      second.apply({ type: 'start' })
      checkState(second.state)
      expect(describeKept(second.state)).toEqual(describeKept(live.state))
      expect(deliveryOrder(second)).toEqual(deliveryOrder(live))
    }),
    { numRuns: 500 },
  )
})

test('[REPLAY-4] restated tasks stay before those accepted after them', () => {
  const live = new Harness()
  live.submit(['old1', 'old2'])
  const discarded = live.events.length
  live.submit(['new1', 'new2'])
  live.apply({ type: 'checkpoint', restate: ['old1', 'old2'] })
  const second = replayed(live.events.slice(discarded), live, replay)
  second.apply({ type: 'start' })
  second.worker('w')
  expect(second.dispatch()).toEqual(['old1', 'old2', 'new1', 'new2'])
})

test('[REPLAY-4] a restated task whose delay was noticed late stays behind what was accepted before that', () => {
  const live = new Harness()
  live.submit(['delayed1', 'delayed2'], { delayMs: 10 })
  const discarded = live.events.length
  live.nowMs += 50
  live.submit('meanwhile')
  live.advance(0)
  live.submit('after')
  live.apply({ type: 'checkpoint', restate: ['delayed1', 'delayed2'] })
  const second = replayed(live.events.slice(discarded), live, replay)
  second.apply({ type: 'start' })
  checkState(second.state)
  second.worker('w')
  expect(second.dispatch()).toEqual(['meanwhile', 'delayed1', 'delayed2', 'after'])
})

test('[REPLAY-4] the order of acceptance goes on where all acceptances have been discarded', () => {
  const live = new Harness()
  live.submit(['a', 'b', 'c'])
  const discarded = live.events.length
  live.apply({ type: 'checkpoint', restate: ['a', 'b', 'c'] })
  const second = replayed(live.events.slice(discarded), live, replay)
  second.submit('d')
  expect(second.task('d').seq).toBe(4)
})

test('[REPLAY-4] a task whose watcher was opened by a discarded event is read back with it', () => {
  const live = new Harness()
  live.open('p')
  const discarded = live.events.length
  live.submit('a', undefined, { session: 'p', watch: true })
  live.apply({ type: 'checkpoint', restate: [] })
  const second = replayed(live.events.slice(discarded), live, replay)
  second.cancel('a')
  expect(second.told).toEqual([{ type: 'outcome', sessions: ['p'], id: 'a', status: 'cancelled' }])
})

test('[REPLAY-4] records that were restated still go in the order they finished', () => {
  const live = new Harness({ config: { queueResultsMax: 2 } })
  live.submit('a')
  live.cancel('a')
  const discarded = live.events.length
  live.advance(5)
  live.submit('b')
  live.cancel('b')
  live.apply({ type: 'checkpoint', restate: ['a'] })
  const second = replayed(live.events.slice(discarded), live, replay)
  second.apply({ type: 'start' })
  second.submit('c')
  second.cancel('c')
  expect(idsHeld(second.state).sort()).toEqual(['b', 'c'])
})

test('[SUBMIT-1] numbers go on behind those of tasks that are gone and whose events are discarded', () => {
  const live = new Harness({ config: { queueResultsMax: 1 } })
  live.submit(['a', 'b'])
  live.cancel('a', 'b')
  live.submit('c')
  live.cancel('c')
  const last = live.task('c').seq
  live.submit('d', { resultTtlMs: 0 })
  live.cancel('d')
  live.advance(1)
  const discarded = live.events.length
  live.apply({ type: 'checkpoint', restate: ['c'] })
  const second = replayed(live.events.slice(discarded), live, replay)
  second.apply({ type: 'start' })
  second.submit('e')
  expect(second.task('e').seq).toBe(last + 2)
})

test('[REPLAY-5] everything that an acknowledgement rests on must be durable, and what may be lost need not', () => {
  const harness = new Harness()
  harness.apply({ type: 'start' })
  harness.submit(['a', 'b', 'c', 'd'], { retry: { kind: 'fixed', attemptsMax: 2 } })
  harness.worker('w')
  harness.dispatch()
  harness.complete('w', harness.leaseOf('a'))
  harness.fail('w', harness.leaseOf('b'))
  harness.fail('w', harness.leaseOf('c'), { retryable: false })
  harness.apply({ type: 'redrive', ids: ['c'] })
  harness.cancel('c')
  harness.apply({ type: 'heartbeat', session: 'w', leases: [harness.leaseOf('d')] })
  harness.release('w', harness.leaseOf('d'))
  harness.apply({ type: 'checkpoint', restate: ['d'] })
  const kept = new Set(harness.events.filter(mustBeDurable).map(({ type }) => type))
  const lost = new Set(harness.events.filter((event) => !mustBeDurable(event)).map(({ type }) => type))
  expect([...kept].sort()).toEqual([
    'attemptFailed',
    'brokerStarted',
    'checkpointed',
    'taskCancelled',
    'taskDied',
    'taskRedriven',
    'taskRestated',
    'tasksAccepted',
    'tasksSucceeded',
  ])
  expect([...lost].sort()).toEqual(['creditSet', 'leaseReleased', 'leasesGranted', 'leasesRenewed', 'sessionOpened'])
})
