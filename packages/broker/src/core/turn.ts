import {
  type Command,
  createState,
  decide,
  type Effect,
  type EngineConfig,
  type Env,
  type Event,
  type EventOf,
  effectsOf,
  evolve,
  nextWakeAtMs,
  replay,
  type State,
} from '@sluice/engine'
import type { Commit } from './commit.ts'
import type { Intake } from './intake.ts'
import type { HostPlatform } from './platform.ts'
import { evolveAloud } from './task-steps.ts'

/** The maximum number of leases granted and due items handled in one turn, so that reading never waits long. */
const GRANTS_PER_TURN_MAX = 5000
const TICKS_PER_TURN_MAX = 1000
/** How often the broker checks that it still listens: this share of a heartbeat period, within these bounds in ms. */
const LISTEN_SHARE = 1 / 20
const LISTEN_MS_MIN = 10
const LISTEN_MS_MAX = 250

export interface TurnOptions {
  engine: EngineConfig
  heartbeatMs: number
  platform: HostPlatform
  commit: Commit
  intake: Intake
  /** Whether leases may be granted. */
  mayDispatch: () => boolean
  /** The leases of a session whose deliveries have not been sent. */
  undelivered: (session: string) => readonly number[]
  /** Called for every effect of an event, directly after the event. */
  onEffect: (effect: Effect) => void
  /** Called at the end of a turn, so that messages can be sent. */
  onEnd: () => void
  /** Called when an invariant is broken. */
  onFailure: (error: Error) => void
}

/**
 * Runs the engine. Every command is decided and evolved at once. At the end of a turn, due items are handled, events go
 * to the disk as one batch, durable tasks are leased to workers, and messages are sent. A turn also ends when a batch
 * becomes durable.
 */
/** A queue of the engine, as far as its turn is concerned. */
type DispatchableQueue = State['dispatchable'] extends ReadonlySet<infer Queue> ? Queue : never

export class Turn {
  readonly state: State
  readonly #options: TurnOptions
  readonly #platform: HostPlatform
  readonly #commit: Commit
  readonly #intake: Intake
  readonly #listenMs: number
  readonly #env: { nowMs: number; random: () => number }
  /** The lease after the last one that a queue gave out. A restart forgets it. */
  readonly #lastLeases = new WeakMap<DispatchableQueue, number>()
  #isScheduled = false
  /** Whether the end of a turn is running. What happens during it belongs to the same turn. */
  #isEnding = false
  #isOver = false
  /** How far the clock had been set back when the broker started. */
  #aheadMs = 0
  #wakeAtMs = Number.POSITIVE_INFINITY
  #cancelWake: (() => void) | undefined
  /** When the broker was last seen to listen, from its first command on. Checked while a lease or a grace window runs. */
  #listenedAtMs = Number.POSITIVE_INFINITY
  #cancelListening: (() => void) | undefined

  constructor(options: TurnOptions) {
    this.#options = options
    this.#platform = options.platform
    this.#commit = options.commit
    this.#intake = options.intake
    this.#listenMs = Math.max(LISTEN_MS_MIN, Math.min(LISTEN_MS_MAX, options.heartbeatMs * LISTEN_SHARE))
    this.state = createState(options.engine, Math.floor(options.platform.random() * 2 ** 32))
    this.#env = { nowMs: 0, random: () => options.platform.random() }
  }

  /** The broker's clock in ms: the platform's clock, but never before the latest time in the journal. */
  get nowMs(): number {
    return this.#platform.nowMs() + this.#aheadMs
  }

  /** Recovers the state from the journal. Resolves to the number of its last batch. */
  async recover(): Promise<number> {
    const startedAtMs = this.#platform.nowMs()
    return this.#commit.journal.load((_, events) => {
      for (const event of events) {
        if ('atMs' in event) this.#aheadMs = Math.max(this.#aheadMs, event.atMs - startedAtMs)
        replay(this.state, event)
      }
    })
  }

  /**
   * Decides a command and takes its events. `bodies` holds the bodies of the command's items, concatenated. Returns the
   * refusals; all other effects are under way.
   * @throws if an invariant is broken; the broker has failed then
   */
  apply(command: Command, bodies?: Uint8Array): EventOf<'refused'>[] {
    try {
      this.#listen()
      const before = this.#commit.taken
      const refused = this.#decide(command, bodies)
      if (refused.length > 0 || this.#commit.taken > before) this.schedule()
      return refused
    } catch (error) {
      this.#options.onFailure(error as Error)
      throw error
    }
  }

  /** Takes an event that `decide` made. */
  take(event: Event): void {
    if (this.#platform.onTransition === undefined) evolve(this.state, event)
    else evolveAloud(this.state, event, this.#platform)
    this.#commit.take(event)
    for (const effect of effectsOf(event, this.state)) this.#options.onEffect(effect)
  }

  /** Ends the turn soon, after the input that waits now has been read. */
  schedule(): void {
    if (!this.#isEnding) this.#schedule()
  }

  #schedule(): void {
    if (this.#isScheduled || this.#isOver) return
    this.#isScheduled = true
    this.#platform.afterTurn(() => {
      this.#isScheduled = false
      this.end()
    })
  }

  end(): void {
    if (this.#isOver) return
    try {
      this.#isEnding = true
      this.#listen()
      this.#tick()
      this.#commit.write(this.state.nextSeq)
      if (this.#options.mayDispatch()) this.#dispatch()
      // A grant may have to be durable before its delivery is sent.
      this.#commit.write(this.state.nextSeq)
      this.#isEnding = false
      this.#options.onEnd()
      this.#readOn()
      this.#wakeLater()
    } catch (error) {
      this.#options.onFailure(error as Error)
    }
  }

  /** Ends no more turns. */
  stop(): void {
    this.#isOver = true
    this.#cancelWake?.()
    this.#cancelListening?.()
  }

  #decide(command: Command, bodies?: Uint8Array): EventOf<'refused'>[] {
    const env = this.#env
    env.nowMs = this.nowMs
    let refused: EventOf<'refused'>[] | undefined
    for (const event of decide(this.state, command, env satisfies Env)) {
      if (event.type === 'refused') {
        refused ??= []
        refused.push(event)
        continue
      }
      if (bodies !== undefined) this.#stage(event, bodies)
      this.take(event)
    }
    return refused ?? NONE
  }

  /** Copies accepted bodies into the open batch, with one copy for all that were accepted together. */
  #stage(event: Event, bodies: Uint8Array): void {
    if (event.type === 'tasksAccepted') event.body = this.#staged(event.body, event.bytes, bodies)
    else if (event.type === 'tasksSucceeded') event.result = this.#staged(event.result, event.bytes, bodies)
  }

  #staged(start: number, sizes: readonly number[], bodies: Uint8Array): number {
    let end = start
    for (const size of sizes) end += size
    return this.#commit.bodies.stage(bodies.subarray(start, end))
  }

  // ─── due items ───────────────────────────────────────────────────────────────────────────────────────────────────

  #tick(): void {
    for (let i = 0; i < TICKS_PER_TURN_MAX; i += 1) {
      const dueAtMs = nextWakeAtMs(this.state)
      if (dueAtMs === null || dueAtMs > this.nowMs) return
      if (this.#intake.deafMs > 0 && isAboutSilence(this.state, this.nowMs)) this.#excuse()
      else if (!this.#renewUndelivered()) this.#decide({ type: 'tick' })
    }
    this.#schedule()
  }

  /**
   * A lease counts from when its delivery is sent. If the next lease to expire has not been delivered, it is renewed.
   */
  #renewUndelivered(): boolean {
    const task = this.state.deadlines.peek()
    if (task?.phase.state !== 'leased' || task.phase.expiresAtMs > this.nowMs) return false
    const session = task.phase.session.id
    const leases = this.#options.undelivered(session)
    if (!leases.includes(task.lease)) return false
    this.#decide({ type: 'heartbeat', session, leases })
    return true
  }

  #wakeLater(): void {
    const dueAtMs = nextWakeAtMs(this.state)
    if (dueAtMs === null) return
    if (this.#cancelListening === undefined && hasRunningTime(this.state)) this.#keepListening()
    if (dueAtMs >= this.#wakeAtMs) return
    this.#cancelWake?.()
    this.#wakeAtMs = dueAtMs
    this.#cancelWake = this.#platform.setTimer(
      () => {
        this.#cancelWake = undefined
        this.#wakeAtMs = Number.POSITIVE_INFINITY
        // Read the waiting input of the sockets first.
        this.schedule()
      },
      Math.max(0, dueAtMs - this.nowMs),
    )
  }

  #dispatch(): void {
    const before = this.state.nextLease
    const { dispatchable } = this.state
    const below = this.#commit.durableBelow
    let isGranting = dispatchable.size > 0
    while (isGranting && this.state.nextLease - before < GRANTS_PER_TURN_MAX) {
      const { nextLease } = this.state
      for (const queue of this.#inTurn(dispatchable)) {
        const first = this.state.nextLease
        this.#decide({ type: 'dispatch', queue: queue.name, below })
        if (this.state.nextLease > first) this.#lastLeases.set(queue, this.state.nextLease)
      }
      isGranting = dispatchable.size > 0 && this.state.nextLease > nextLease
    }
    if (isGranting) this.#schedule()
  }

  /** The queue that gave out a task longest ago is first, so that a long one keeps no other waiting. */
  #inTurn(queues: ReadonlySet<DispatchableQueue>): DispatchableQueue[] {
    const inTurn = [...queues]
    if (inTurn.length < 2) return inTurn
    const leaseOf = (queue: DispatchableQueue) => this.#lastLeases.get(queue) ?? 0
    return inTurn.sort((a, b) => leaseOf(a) - leaseOf(b))
  }

  // ─── listening ───────────────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Notes that the broker listens. If it did not for a while (a long garbage collection, a stopped process), leases and
   * grace windows are extended by that time, before anything else is decided.
   */
  #listen(): void {
    const nowMs = this.nowMs
    const missedMs = nowMs - this.#listenedAtMs - this.#listenMs
    this.#listenedAtMs = nowMs
    if (missedMs <= this.#listenMs) return
    // What began to run in this turn counts before the first look.
    const isChecked = this.#cancelListening !== undefined || hasRunningTime(this.state)
    if (isChecked) this.#decide({ type: 'stall', ms: missedMs })
  }

  #keepListening(): void {
    this.#cancelListening = this.#platform.setTimer(() => {
      try {
        this.#listen()
      } catch (error) {
        this.#options.onFailure(error as Error)
        return
      }
      this.#cancelListening = undefined
      if (!this.#isOver && hasRunningTime(this.state)) this.#keepListening()
    }, this.#listenMs)
  }

  /** Connections were not read from. What expired meanwhile is extended by that time. */
  #excuse(): void {
    this.#decide({ type: 'stall', ms: this.#intake.deafMs })
    this.#intake.excused()
  }

  #readOn(): void {
    if (this.#intake.isSaturated) return
    if (this.#intake.deafMs >= this.#listenMs) this.#excuse()
    this.#intake.resume()
  }
}

/** Whether a lease or a grace window is running. */
function hasRunningTime({ graces, queues }: State): boolean {
  if (graces.size > 0) return true
  for (const { leased } of queues.values()) if (leased.size > 0) return true
  return false
}

/** Whether the next due item is the end of a lease or a grace window, which depends on messages that may be unread. */
function isAboutSilence({ graces, deadlines }: State, nowMs: number): boolean {
  const grace = graces.peek()
  if (grace !== undefined && grace.graceEndsAtMs <= nowMs) return true
  const phase = deadlines.peek()?.phase
  return phase?.state === 'leased' && phase.expiresAtMs <= nowMs
}

const NONE: EventOf<'refused'>[] = []
