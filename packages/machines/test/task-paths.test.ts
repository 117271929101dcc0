import {
  type Command,
  createState,
  decide,
  type Event,
  type EventType,
  engineConfig,
  evolve,
  LIFECYCLE,
  nextWakeAtMs,
  type Task,
} from '@sluice/engine'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { pathOf, pathsThrough, storyOf, transitionsFrom } from '../src/paths.ts'
import { type TaskChartEvent, taskMachine } from '../src/task.ts'

const rows = Object.values(LIFECYCLE as Record<string, Partial<Record<EventType, readonly string[]>>>).flatMap(
  (events) =>
    Object.entries(events).flatMap(([type, targets]) => targets.map((to) => ({ type: type as EventType, to }))),
)
const events: TaskChartEvent[] = [...new Map(rows.map((row) => [`${row.type} ${row.to}`, row])).values()]

const DELAY_MS = 1000
const TTL_MS = 10_000

/** One task in a real engine, whose commands are chosen so that the event comes about. */
class Life {
  readonly state = createState(engineConfig({ queueResultsMax: 1, queueDeadMax: 1 }), 1)
  nowMs = 1_000_000
  #wasHeld = false

  constructor() {
    this.apply({ type: 'openSession', session: 'w', roles: ['worker'] })
    this.apply({ type: 'setCredit', session: 'w', credit: 2, queues: ['q'] })
  }

  apply(command: Command): Event[] {
    const made = decide(this.state, command, { nowMs: this.nowMs, random: () => 0.5 })
    for (const event of made) evolve(this.state, event)
    return made
  }

  get at(): string {
    const task = this.state.tasks.get('a')
    if (task) this.#wasHeld = true
    return task?.phase.state ?? (this.#wasHeld ? 'gone' : 'absent')
  }

  /** Whether this event can come to this task: once it has been delivered, its time-to-live does not count. */
  canMake({ type }: TaskChartEvent): boolean {
    return type !== 'taskDied' || this.at === 'leased' || !this.#task.started
  }

  make({ type, to }: TaskChartEvent): Event[] {
    switch (type) {
      case 'tasksAccepted':
        return this.#submit('a', to === 'delayed' ? DELAY_MS : 0)
      case 'leasesGranted':
        return this.apply({ type: 'dispatch', queue: 'q', below: Number.MAX_SAFE_INTEGER })
      case 'tasksSucceeded':
        return this.#complete('a')
      case 'attemptFailed':
        return this.#fail('a', { retryAfterMs: to === 'delayed' ? DELAY_MS : 0 })
      case 'leaseReleased':
        return this.apply({ type: 'release', session: 'w', ref: 1, leases: [this.#leaseOf('a')] })
      case 'taskCancelled':
        return this.#cancel('a')
      case 'taskRedriven':
        return this.apply({ type: 'redrive', ids: ['a'] })
      case 'taskDied':
        return this.at === 'leased' ? this.#fail('a', { retryable: false }) : this.#wait(TTL_MS)
      case 'taskReadied':
      case 'taskForgotten':
        return this.#wait((nextWakeAtMs(this.state) ?? 0) - this.nowMs)
      default:
        return this.#another()
    }
  }

  get #task(): Task {
    return this.state.tasks.get('a') as Task
  }

  #leaseOf(id: string): number {
    const task = this.state.tasks.get(id)
    if (task?.phase.state !== 'leased') throw new Error(`${id} is ${task?.phase.state}, not leased`)
    return task.lease
  }

  #submit(id: string, delayMs: number): Event[] {
    const options = { delayMs, ttlMs: TTL_MS, retry: { kind: 'fixed', attemptsMax: 1000, delayMs: DELAY_MS } } as const
    const message = { session: undefined, ref: 1, queue: 'q', watch: false, contentType: undefined, index: 0 }
    return this.apply({ type: 'submit', ...message, options, ids: [id], bytes: [10], digests: [7] })
  }

  #complete(id: string): Event[] {
    const message = { session: 'w', ref: 1, contentType: undefined, index: 0 }
    return this.apply({ type: 'complete', ...message, leases: [this.#leaseOf(id)], bytes: [5] })
  }

  #fail(id: string, how: { retryable?: boolean; retryAfterMs?: number }): Event[] {
    const failures = [{ lease: this.#leaseOf(id), error: { message: 'it broke' }, ...how }]
    return this.apply({ type: 'fail', session: 'w', ref: 1, failures })
  }

  #cancel(id: string): Event[] {
    return this.apply({ type: 'cancel', session: undefined, ref: 1, ids: [id] })
  }

  #wait(ms: number): Event[] {
    this.nowMs += ms
    return this.apply({ type: 'tick' })
  }

  /** Another task ends as this one did, and there is room for the record of one. */
  #another(): Event[] {
    const { at } = this
    this.#submit('b', 0)
    if (at === 'cancelled') return this.#cancel('b')
    this.apply({ type: 'dispatch', queue: 'q', below: Number.MAX_SAFE_INTEGER })
    return at === 'succeeded' ? this.#complete('b') : this.#fail('b', { retryable: false })
  }
}

/** Whether an event speaks of the task `a`, which has this place in the order of acceptance. */
function isOf(event: Event, seq: number | undefined): boolean {
  if ('id' in event) return event.id === 'a'
  if ('ids' in event) return event.ids.includes('a')
  return seq !== undefined && 'tasks' in event && event.tasks.includes(seq)
}

function walk(steps: ReturnType<typeof pathOf<typeof taskMachine>>): void {
  const life = new Life()
  const story = storyOf(steps)
  for (const { event, before, after } of steps) {
    expect(life.at, story).toBe(before.value)
    const seq = life.state.tasks.get('a')?.seq
    const made = life.make(event).filter((each) => isOf(each, seq))
    expect(
      made.map(({ type }) => type),
      story,
    ).toEqual([event.type])
    expect(life.at, story).toBe(after.value)
  }
}

test('[LIFE-1] a real task goes the way of its chart, along every transition', () => {
  const walked = new Set<string>()
  const paths = pathsThrough(taskMachine, { events })
  for (const path of paths) {
    if (path.at(-1)?.transition === undefined) continue
    walk(path)
    for (const { transition } of path) if (transition !== undefined) walked.add(transition)
  }
  const all = new Set(paths.flat().flatMap(({ before }) => transitionsFrom(before)))
  expect([...walked].sort()).toEqual([...all].sort())
  expect(walked.size).toBe(rows.length)
})

test('[LIFE-1] a real task goes the way of its chart, however long its life', () => {
  const lives = fc.array(fc.nat(), { minLength: 1, maxLength: 60 })
  fc.assert(
    fc.property(lives, (choices) => {
      const life = new Life()
      const taken: TaskChartEvent[] = []
      for (const choice of choices) {
        const row = (LIFECYCLE as Record<string, Partial<Record<EventType, readonly string[]>>>)[life.at] ?? {}
        const open = Object.entries(row)
          .flatMap(([type, targets]) => targets.map((to) => ({ type: type as EventType, to })))
          // A life that has ended is over soon: the way there is walked above.
          .filter((event) => event.to !== 'gone' && life.canMake(event))
        const event = open[choice % open.length]
        if (event === undefined) break
        life.make(event)
        taken.push(event)
      }
      walk(pathOf(taskMachine, taken))
    }),
    { numRuns: 300 },
  )
})
