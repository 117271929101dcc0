import { describe, expect, test } from 'vitest'
import { DEFAULT_CONFIG, type Event, type EventType, evolve, LIFECYCLE, type LifecycleState } from '../src/index.ts'
import { Harness, typesOf } from './harness.ts'

const MINUTE = 60_000
const { deadTtlMs, defaults } = DEFAULT_CONFIG

type Table = Record<LifecycleState, Partial<Record<EventType, readonly LifecycleState[]>>>
const table = LIFECYCLE as Table
const states = Object.keys(table) as LifecycleState[]
const types = [...new Set(states.flatMap((state) => Object.keys(table[state])))] as EventType[]

/** One task, `a`, and all that the rows do to it. */
class Life extends Harness {
  get at(): LifecycleState {
    const phase = this.state.tasks.get('a')?.phase.state
    return phase ?? (this.wasHeld ? 'gone' : 'absent')
  }
  get wasHeld(): boolean {
    return this.events.some((event) => event.type === 'tasksAccepted' && event.ids.includes('a'))
  }
  /** Its place in the order of acceptance; of a task that is not held, one that no task has. */
  get seq(): number {
    return this.state.tasks.get('a')?.seq ?? 999
  }
  /** What happens to it while `make` does its work. */
  during(make: (life: Life) => void): EventType[] {
    const { seq } = this
    const before = this.events.length
    make(this)
    const ofTask = this.events.slice(before).filter((event) => {
      if ('id' in event) return event.id === 'a'
      if ('ids' in event) return event.ids.includes('a')
      return 'tasks' in event && event.tasks.includes(seq)
    })
    return typesOf(ofTask)
  }
  get lease(): number {
    return this.leaseOf('a')
  }
  /** Another task of the queue ends in the same way. */
  another(end: (id: string) => void): void {
    this.submit('b')
    end('b')
  }
  work(id: string, how: 'complete' | 'fail'): void {
    if (!this.state.sessions.has('w')) this.worker('w')
    this.dispatch()
    if (how === 'complete') this.complete('w', this.leaseOf(id))
    else this.fail('w', this.leaseOf(id), { retryable: false })
  }
}

/** The shortest way of a task into each state. */
const REACH: Record<LifecycleState, (life: Life) => void> = {
  absent: () => {},
  delayed: (life) => life.submit('a', { delayMs: MINUTE }),
  ready: (life) => life.submit('a'),
  leased: (life) => {
    life.submit('a')
    life.worker('w')
    life.dispatch()
  },
  succeeded: (life) => {
    life.submit('a')
    life.work('a', 'complete')
  },
  dead: (life) => {
    life.submit('a')
    life.work('a', 'fail')
  },
  cancelled: (life) => {
    life.submit('a')
    life.cancel('a')
  },
  gone: (life) => {
    life.submit('a')
    life.cancel('a')
    life.advance(defaults.resultTtlMs)
  },
}

interface Cause {
  /** Where the shortest way into the state will not do. */
  reach?: (life: Life) => void
  make: (life: Life) => void
}

/** For each row of the table the commands that cause it, as `from event to`. */
const CAUSES: Record<string, Record<string, Cause>> = {
  'absent tasksAccepted ready': { submitted: { make: (life) => life.submit('a') } },
  'absent tasksAccepted delayed': {
    'submitted with a delay': { make: (life) => life.submit('a', { delayMs: MINUTE }) },
  },
  'delayed taskReadied ready': { 'the delay ends': { make: (life) => life.advance(MINUTE) } },
  'delayed taskDied dead': {
    'never delivered in time': {
      reach: (life) => life.submit('a', { delayMs: MINUTE, ttlMs: MINUTE / 2 }),
      make: (life) => life.advance(MINUTE / 2),
    },
  },
  'delayed taskCancelled cancelled': { cancelled: { make: (life) => life.cancel('a') } },
  'ready leasesGranted leased': {
    'a worker has credit': {
      make: (life) => {
        life.worker('w')
        life.dispatch()
      },
    },
  },
  'ready taskDied dead': {
    'never delivered in time': {
      reach: (life) => life.submit('a', { ttlMs: MINUTE }),
      make: (life) => life.advance(MINUTE),
    },
  },
  'ready taskCancelled cancelled': { cancelled: { make: (life) => life.cancel('a') } },
  'leased tasksSucceeded succeeded': { completed: { make: (life) => life.complete('w', life.lease) } },
  'leased attemptFailed ready': {
    'failed, to be tried at once': { make: (life) => life.fail('w', life.lease, { retryAfterMs: 0 }) },
    'its lease expires': { make: (life) => life.advance(defaults.leaseMs) },
    'its session is lost': {
      make: (life) => {
        life.apply({ type: 'disconnectSession', session: 'w' })
        life.advance(DEFAULT_CONFIG.graceMs)
      },
    },
  },
  'leased attemptFailed delayed': {
    failed: { make: (life) => life.fail('w', life.lease, { retryAfterMs: MINUTE }) },
  },
  'leased leaseReleased ready': {
    released: { make: (life) => life.release('w', life.lease) },
    'its session is lost before it is begun': {
      reach: (life) => {
        life.submit('a')
        life.teller('w')
        life.dispatch()
      },
      make: (life) => {
        life.apply({ type: 'disconnectSession', session: 'w' })
        life.advance(DEFAULT_CONFIG.graceMs)
      },
    },
    'not named when the session resumes': {
      make: (life) => life.apply({ type: 'resumeSession', session: 'w', leases: [] }),
    },
    'its worker says bye': { make: (life) => life.apply({ type: 'closeSession', session: 'w' }) },
  },
  'leased taskDied dead': {
    'failed for good': { make: (life) => life.fail('w', life.lease, { retryable: false }) },
    'its last attempt fails': {
      reach: (life) => {
        life.submit('a', { retry: { kind: 'none' } })
        life.worker('w')
        life.dispatch()
      },
      make: (life) => life.fail('w', life.lease),
    },
    'its last lease expires': {
      reach: (life) => {
        life.submit('a', { retry: { kind: 'none' } })
        life.worker('w')
        life.dispatch()
      },
      make: (life) => life.advance(defaults.leaseMs),
    },
  },
  'leased taskCancelled cancelled': { cancelled: { make: (life) => life.cancel('a') } },
  'succeeded taskForgotten gone': { 'its time is over': { make: (life) => life.advance(defaults.resultTtlMs) } },
  'succeeded oldestForgotten gone': {
    'another succeeds': { make: (life) => life.another((id) => life.work(id, 'complete')) },
  },
  'dead taskRedriven ready': { redriven: { make: (life) => life.apply({ type: 'redrive', ids: ['a'] }) } },
  'dead taskForgotten gone': { 'its time is over': { make: (life) => life.advance(deadTtlMs) } },
  'dead oldestForgotten gone': {
    'another dies': { make: (life) => life.another((id) => life.work(id, 'fail')) },
  },
  'cancelled taskForgotten gone': { 'its time is over': { make: (life) => life.advance(defaults.resultTtlMs) } },
  'cancelled oldestForgotten gone': {
    'another is cancelled': { make: (life) => life.another((id) => life.cancel(id)) },
  },
}

/** The first kept record of each kind is one too many for the second. */
const lifeIn = (state: LifecycleState, reach = REACH[state]): Life => {
  const life = new Life({ config: { queueResultsMax: 1, queueDeadMax: 1 } })
  reach(life)
  expect(life.at).toBe(state)
  return life
}

/** An event of this type that speaks of `a`, as `decide` would make it if it made it at all. */
function eventFor(type: EventType, life: Life): Event {
  const { nowMs: atMs } = life
  const forgetAtMs = atMs + MINUTE
  const attempt = { attempt: 1, endedAtMs: atMs, how: 'failed' as const }
  switch (type) {
    case 'tasksAccepted': {
      const { nextSeq: seq } = life.state
      const submission = { ref: 1, index: 0, seq, watcher: undefined, contentType: undefined, body: 0 }
      return { type, queue: 'q', options: defaults, ...submission, ids: ['a'], bytes: [10], digests: [7], atMs }
    }
    case 'leasesGranted':
      life.open('x')
      return { type, session: 'x', lease: life.state.nextLease, tasks: [life.seq], atMs }
    case 'tasksSucceeded':
      return { type, tasks: [life.seq], result: 0, bytes: [5], contentType: undefined, atMs }
    case 'attemptFailed':
      return { type, id: 'a', attempt, retryAtMs: atMs, atMs }
    case 'leaseReleased':
      return { type, id: 'a', retryAtMs: atMs, atMs }
    case 'taskDied':
      return { type, id: 'a', reason: 'not_retryable', error: undefined, attempt, forgetAtMs, atMs }
    case 'taskCancelled':
      return { type, id: 'a', forgetAtMs, atMs }
    case 'taskReadied':
    case 'taskRedriven':
    case 'taskForgotten':
      return { type, id: 'a', atMs }
    case 'oldestForgotten':
      return { type, tasks: [life.seq], atMs }
    default:
      throw new Error(`${type} changes the state of no task`)
  }
}

describe('the life of a task, row by row', () => {
  test('[LIFE-1] each row of the table has a command that causes it', () => {
    const rows = states.flatMap((from) =>
      Object.entries(table[from]).flatMap(([event, targets]) => targets.map((to) => `${from} ${event} ${to}`)),
    )
    expect(Object.keys(CAUSES).sort()).toEqual(rows.sort())
  })

  for (const [row, causes] of Object.entries(CAUSES)) {
    const [from, type, to] = row.split(' ') as [LifecycleState, EventType, LifecycleState]
    for (const [name, { reach, make }] of Object.entries(causes)) {
      test(`[LIFE-1] ${from}, ${name}: ${type} takes it to ${to}`, () => {
        const life = lifeIn(from, reach)
        expect(life.during(make)).toEqual([type])
        expect(life.at).toBe(to)
      })
    }
  }

  const missing = states.flatMap((from) =>
    types.filter((type) => table[from][type] === undefined).map((type) => [from, type] as const),
  )
  // The one pair that happens all the same: to the engine a forgotten id is one that it never knew.
  const strangers = missing.filter(([from, type]) => !(from === 'gone' && type === 'tasksAccepted'))

  test('[LIFE-1] a forgotten id is used anew', () => {
    expect(missing).toHaveLength(strangers.length + 1)
    const life = lifeIn('gone')
    life.submit('a')
    expect(life.at).toBe('ready')
  })

  test.each(strangers)('[LIFE-1] %s: %s is thrown', (from, type) => {
    const life = lifeIn(from)
    const event = eventFor(type, life)
    expect(() => evolve(life.state, event)).toThrow('invariant broken')
  })

  test('[LIFE-1] an event whose times lead elsewhere is thrown', () => {
    const life = lifeIn('leased')
    const event = {
      ...(eventFor('leaseReleased', life) as Event & { type: 'leaseReleased' }),
      retryAtMs: life.nowMs + 1,
    }
    expect(() => evolve(life.state, event)).toThrow('leaseReleased may not take a task from leased to delayed')
  })
})
