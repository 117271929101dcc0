import type { Role, SubmitOptions } from '@sluice/protocol'
import {
  type Command,
  createState,
  DEFAULT_CONFIG,
  decide,
  type Effect,
  type EngineConfig,
  type Event,
  type EventOf,
  type EventType,
  effectsOf,
  engineConfig,
  evolve,
  type GrantTerms,
  nextWakeAtMs,
  type Session,
  type State,
  type Task,
  type TaskOptions,
  watchersOf,
} from '../src/index.ts'

/** Mulberry32: small, seeded, good enough for tests. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

/** An effect as plain data, for comparison. */
export type Told =
  | ({ type: 'deliver'; session: string; id: string; lease: number; attempt: number } & GrantTerms)
  | { type: 'revoke'; session: string; lease: number; reason: string }
  | { type: 'outcome'; sessions: string[]; id: string; status: string }
  | { type: 'progress'; sessions: string[]; id: string; progress: unknown }

export interface HarnessOptions {
  config?: Partial<EngineConfig>
  defaults?: Partial<TaskOptions>
  seed?: number
  state?: State
}

/** Plays the host: decides, evolves, asks for effects, with a clock that stands still until it is advanced. */
export class Harness {
  readonly state: State
  nowMs = 1_000_000
  random: () => number
  readonly events: Event[] = []
  told: Told[] = []

  constructor({ config = {}, defaults = {}, seed = 1, state }: HarnessOptions = {}) {
    this.state =
      state ?? createState(engineConfig({ ...config, defaults: { ...DEFAULT_CONFIG.defaults, ...defaults } }))
    this.random = seededRandom(seed)
  }

  apply(command: Command): Event[] {
    const events = decide(this.state, command, { nowMs: this.nowMs, random: this.random })
    for (const event of events) {
      this.beforeEvolve(event)
      evolve(this.state, event)
      for (const effect of effectsOf(event, this.state)) this.#tell(effect)
    }
    this.events.push(...events.filter((event) => event.type !== 'refused'))
    return events
  }

  /** For those who want to see each event with the state that it meets. */
  beforeEvolve(_event: Event): void {}

  #tell(effect: Effect): void {
    switch (effect.type) {
      case 'deliver': {
        const { type, session, lease, tasks, start, durable } = effect
        const terms: GrantTerms = {}
        if (start) terms.start = start
        if (durable) terms.durable = durable
        tasks.forEach(({ id, attempts }, i) => {
          this.told.push({ type, session, id, lease: lease + i, attempt: attempts, ...terms })
        })
        return
      }
      case 'outcomes':
        for (const task of effect.tasks) this.#tellOutcome(idsOf(watchersOf(task)), task)
        return
      case 'outcome':
        this.#tellOutcome([effect.session.id], effect.task)
        return
      case 'progress': {
        const { type, task, progress } = effect
        const sessions = idsOf(watchersOf(task))
        if (sessions.length > 0) this.told.push({ type, sessions, id: task.id, progress })
        return
      }
      case 'revoke':
        this.told.push(effect)
        return
      case 'refused':
        return
      default:
        effect satisfies never
    }
  }

  #tellOutcome(sessions: string[], { id, phase }: Task): void {
    if (sessions.length > 0) this.told.push({ type: 'outcome', sessions, id, status: phase.state })
  }

  /** Grants all leases that can be granted of tasks below this number; answers the ids in the order of delivery. */
  dispatch(below = Number.POSITIVE_INFINITY): string[] {
    const ids: string[] = []
    for (;;) {
      const before = ids.length
      for (const { name } of [...this.state.dispatchable]) {
        const granted = this.apply({ type: 'dispatch', queue: name, below })
        for (const event of granted)
          if (event.type === 'leasesGranted') ids.push(...event.tasks.map((seq) => this.numbered(seq).id))
      }
      if (ids.length === before) return ids
    }
  }

  /** Does all that is due. */
  tick(): Event[] {
    const events: Event[] = []
    for (;;) {
      const wakeAtMs = nextWakeAtMs(this.state)
      if (wakeAtMs === null || wakeAtMs > this.nowMs) return events
      events.push(...this.apply({ type: 'tick' }))
    }
  }

  advance(ms: number): Event[] {
    this.nowMs += ms
    return this.tick()
  }

  open(session: string, roles: Role[] = ['producer', 'worker'], begins = false): void {
    this.apply({ type: 'openSession', session, roles, begins })
  }

  /** Opens a session that takes up to `credit` deliveries of `queues`. */
  worker(session: string, credit = 10, queues = ['q'], begins = false): void {
    this.open(session, undefined, begins)
    this.credit(session, credit, queues)
  }

  /** A worker that says which of its leases it has begun. */
  teller(session: string, credit = 10): void {
    this.worker(session, credit, ['q'], true)
  }

  begin(session: string, lease: number): Event[] {
    return this.apply({ type: 'begin', session, lease })
  }

  hear(session: string): Event[] {
    return this.apply({ type: 'heard', session })
  }

  session(id: string): Session {
    const session = this.state.sessions.get(id)
    if (!session) throw new Error(`session ${id} is not held`)
    return session
  }

  credit(session: string, credit: number, queues = ['q']): Event[] {
    return this.apply({ type: 'setCredit', session, credit, queues })
  }

  submit(ids: string | string[], options?: SubmitOptions, more: Partial<Submission> = {}): Event[] {
    const { queue = 'q', session, watch = false, bytes = 10, digest = 7, owner } = more
    const all = [ids].flat()
    return this.apply({
      type: 'submit',
      session,
      ref: 1,
      queue,
      options,
      watch,
      contentType: undefined,
      owner,
      index: 0,
      ids: all,
      bytes: all.map(() => bytes),
      digests: all.map(() => digest),
    })
  }

  task(id: string): Task {
    const task = this.state.tasks.get(id)
    if (!task) throw new Error(`task ${id} is not held`)
    return task
  }

  numbered(seq: number): Task {
    const task = this.state.tasks.numbered(seq)
    if (!task) throw new Error(`task number ${seq} is not held`)
    return task
  }

  stateOf(id: string): string {
    return this.state.tasks.get(id)?.phase.state ?? 'none'
  }

  leaseOf(id: string): number {
    const { phase, lease } = this.task(id)
    if (phase.state !== 'leased') throw new Error(`task ${id} is ${phase.state}, not leased`)
    return lease
  }

  complete(session: string, ...leases: number[]): Event[] {
    const bytes = leases.map(() => 5)
    return this.apply({ type: 'complete', session, ref: 2, contentType: undefined, index: 0, leases, bytes })
  }

  fail(session: string, lease: number, more: { retryable?: boolean; retryAfterMs?: number } = {}): Event[] {
    return this.apply({
      type: 'fail',
      session,
      ref: 3,
      failures: [{ lease, error: { message: 'it broke' }, ...more }],
    })
  }

  release(session: string, ...leases: number[]): Event[] {
    return this.apply({ type: 'release', session, ref: 4, leases })
  }

  cancel(...ids: string[]): Event[] {
    return this.apply({ type: 'cancel', session: undefined, ref: 5, ids })
  }
}

interface Submission {
  queue: string
  session: string
  watch: boolean
  bytes: number
  digest: number
  owner: string
}

function idsOf(sessions: readonly Session[]): string[] {
  return sessions.map(({ id }) => id)
}

export function typesOf(events: readonly Event[]): EventType[] {
  return events.map(({ type }) => type)
}

/** The codes of refusals among the events, with the index of the item refused. */
export function refusalsOf(events: readonly Event[]): [string, number | undefined][] {
  return events.flatMap((event) => (event.type === 'refused' ? [[event.code, event.index] as const] : [])) as [
    string,
    number | undefined,
  ][]
}

export function only<T extends EventType>(events: readonly Event[], type: T): EventOf<T> {
  const found = events.filter((event) => event.type === type)
  if (found.length !== 1) throw new Error(`expected one ${type}, found ${found.length}`)
  return found[0] as EventOf<T>
}
