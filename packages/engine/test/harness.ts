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
  nextWakeAtMs,
  type State,
  type Task,
  type TaskOptions,
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
  | { type: 'deliver'; session: string; id: string; lease: number; attempt: number }
  | { type: 'revoke'; session: string; lease: number; reason: string }
  | { type: 'outcome'; sessions: string[]; id: string; status: string }
  | { type: 'progress'; sessions: string[]; id: string; progress: unknown }

export interface HarnessOptions {
  config?: Partial<EngineConfig>
  defaults?: Partial<TaskOptions>
  seed?: number
  state?: State
}

/** Plays the host: decides, asks for effects, evolves, with a clock that stands still until it is advanced. */
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
      const effects = effectsOf(event, this.state)
      evolve(this.state, event)
      for (const effect of effects) this.#tell(effect)
    }
    this.events.push(...events.filter((event) => event.type !== 'refused'))
    return events
  }

  /** For those who want to see each event with the state that it meets. */
  beforeEvolve(_event: Event): void {}

  #tell(effect: Effect): void {
    switch (effect.type) {
      case 'deliver': {
        const { type, session, task, lease, attempt } = effect
        this.told.push({ type, session, id: task.id, lease, attempt })
        return
      }
      case 'outcome': {
        const { type, sessions, task } = effect
        this.told.push({ type, sessions: sessions.map(({ id }) => id), id: task.id, status: task.phase.state })
        return
      }
      case 'progress': {
        const { type, sessions, id, progress } = effect
        this.told.push({ type, sessions: sessions.map((session) => session.id), id, progress })
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

  /** Grants all leases that can be granted; answers the ids in the order of delivery. */
  dispatch(): string[] {
    const ids: string[] = []
    while (this.state.dispatchable.size > 0) {
      for (const { name } of [...this.state.dispatchable]) {
        const granted = this.apply({ type: 'dispatch', queue: name })
        ids.push(...granted.flatMap((event) => (event.type === 'leaseGranted' ? [event.id] : [])))
      }
    }
    return ids
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

  open(session: string, roles: Role[] = ['producer', 'worker']): void {
    this.apply({ type: 'openSession', session, roles })
  }

  /** Opens a session that takes up to `credit` deliveries of `queues`. */
  worker(session: string, credit = 10, queues = ['q']): void {
    this.open(session)
    this.credit(session, credit, queues)
  }

  credit(session: string, credit: number, queues = ['q']): Event[] {
    return this.apply({ type: 'setCredit', session, credit, queues })
  }

  submit(ids: string | string[], options?: SubmitOptions, more: Partial<Submission> = {}): Event[] {
    const { queue = 'q', session, watch = false, bytes = 10, digest = 7 } = more
    return this.apply({
      type: 'submit',
      session,
      ref: 1,
      queue,
      options,
      watch,
      items: [ids].flat().map((id) => ({ id, bytes, digest })),
    })
  }

  task(id: string): Task {
    const task = this.state.tasks.get(id)
    if (!task) throw new Error(`task ${id} is not held`)
    return task
  }

  stateOf(id: string): string {
    return this.state.tasks.get(id)?.phase.state ?? 'none'
  }

  leaseOf(id: string): number {
    const { phase } = this.task(id)
    if (phase.state !== 'leased') throw new Error(`task ${id} is ${phase.state}, not leased`)
    return phase.lease
  }

  complete(session: string, ...leases: number[]): Event[] {
    return this.apply({ type: 'complete', session, ref: 2, results: leases.map((lease) => ({ lease, bytes: 5 })) })
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
