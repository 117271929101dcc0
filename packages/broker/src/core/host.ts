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
  mustBeDurable,
  nextWakeAtMs,
  replay,
  type Session,
  type State,
  type Task,
  watchersOf,
} from '@sluice/engine'
import { type BrokerEvent, type BrokerState, nextBrokerState } from '@sluice/machines'
import type { Journal } from '../journal/journal.ts'
import { BodyStore } from './body-store.ts'
import { Connection } from './connection.ts'
import { assertFrameRoom } from './frame-room.ts'
import type { HostConfig } from './host-config.ts'
import { OutcomeListeners } from './outcome-listeners.ts'
import type { HostLog, HostPlatform, Transport } from './platform.ts'
import { namesFor } from './task-names.ts'

/** Leases granted and due things done in one turn, so that reading is never kept waiting for long. */
const GRANTS_PER_TURN_MAX = 5000
const TICKS_PER_TURN_MAX = 1000

export interface HostOptions {
  journal: Journal
  platform: HostPlatform
  engine: EngineConfig
  config: HostConfig
  log: HostLog
  /** The journal has failed: nothing is acknowledged any more. The process should exit. */
  onFailure: (error: Error) => void
}

/**
 * Runs the engine. Every frame that arrives in a turn is decided and evolved at once; at the turn's end the events of all of
 * them go to the journal as one batch, and what they cause is sent when that batch is durable. While a batch is being
 * written the next one fills: the slower the disk, the larger the groups.
 */
export class Host {
  readonly state: State
  readonly bodies: BodyStore
  readonly platform: HostPlatform
  readonly config: HostConfig
  readonly journal: Journal
  readonly log: HostLog
  readonly connections = new Set<Connection>()
  /** By session id; a session without a connection is in its grace window. */
  readonly sessions = new Map<string, Connection>()
  /** Told once the outcome is durable, or when there will be none any more. */
  readonly outcomeListeners = new OutcomeListeners()
  /** Why the host is read-only. */
  failure: Error | undefined
  readonly #env: { nowMs: number; random: () => number }
  readonly #onFailure: (error: Error) => void
  #status: BrokerState = 'starting'
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined
  #batch = 1
  #events: Event[] = []
  #hasDurableEvent = false
  #afterDurable: (() => void)[] = []
  #isTurnScheduled = false
  #isWriting = false
  #isTurnMissed = false
  #paused = new Set<Connection>()
  /** Those that have been granted as many bytes as may be sent to them at once. */
  #full = new Set<Connection>()
  /** How far the clock had been set back when the broker started. */
  #aheadMs = 0
  #cancelWake: (() => void) | undefined
  #wakeAtMs = Number.POSITIVE_INFINITY
  #cancelLazyFlush: (() => void) | undefined
  /** Those who wait for what has been applied to be durable, and hear whether it is. */
  #idle: ((isDurable: boolean) => void)[] = []
  /** Those of them who wait for the turn whose batch is being written. */
  #idleOfTurn: ((isDurable: boolean) => void)[] = []

  constructor(options: HostOptions) {
    this.journal = options.journal
    this.platform = options.platform
    this.config = options.config
    this.log = options.log
    this.#onFailure = options.onFailure
    this.state = createState(options.engine, Math.floor(options.platform.random() * 2 ** 32))
    this.bodies = new BodyStore(options.journal, options.config.bodyCacheBytesMax)
    this.#env = { nowMs: 0, random: () => options.platform.random() }
  }

  /** Where the broker is in `brokerMachine`. */
  get status(): BrokerState {
    return this.#status
  }

  #become(event: BrokerEvent): void {
    this.#status = nextBrokerState(this.#status, event)
  }

  /** ms of the broker's clock: that of the platform, but never before what the journal speaks of. */
  get nowMs(): number {
    return this.platform.nowMs() + this.#aheadMs
  }

  get batch(): number {
    return this.#batch
  }

  /** Takes up what the journal holds. Fails when the journal is damaged or cannot be written, or holds what fits no frame. */
  start(): Promise<void> {
    this.#starting = this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const startedAtMs = this.platform.nowMs()
    const last = await this.journal.load((_, events) => {
      for (const event of events) {
        if ('atMs' in event) this.#aheadMs = Math.max(this.#aheadMs, event.atMs - startedAtMs)
        replay(this.state, event)
      }
    })
    assertFrameRoom(this.state, this.config.limits.frameBytesMax)
    this.#batch = last + 1
    this.bodies.begin(this.#batch)
    this.apply({ type: 'start' })
    await this.flushed()
    if (this.failure) throw this.failure
    this.#become('recover')
    const { tasks, queues } = this.state
    const tookMs = Math.round(this.platform.nowMs() - startedAtMs)
    this.log.info({ tasks: tasks.size, queues: queues.size, batches: last, tookMs }, 'recovered')
  }

  /** Announces the drain: nothing new is accepted; what is in work may still be settled. */
  drain(): void {
    if (this.status !== 'ready') return
    this.#become('drain')
    for (const connection of this.connections) connection.announceDrain()
    this.scheduleTurn()
  }

  /** Writes what is pending, closes every connection and the journal. A further call waits for the first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    // Whoever started the host hears why that failed.
    await this.#starting?.catch(() => {})
    // A state taken up in part has nothing to write.
    if (this.status !== 'starting') await this.flushed()
    this.#become('stop')
    for (const fn of this.#idle) fn(false)
    this.#idle = []
    this.#cancelWake?.()
    this.#cancelLazyFlush?.()
    for (const connection of [...this.connections]) connection.close(4006, 'draining')
    this.outcomeListeners.callAll()
    await this.journal.close()
  }

  /** A new connection; undefined when there are too many. */
  connect(transport: Transport): Connection | undefined {
    const pending = this.connections.size - this.sessions.size
    if (
      this.status !== 'ready' ||
      this.connections.size >= this.config.connectionsMax ||
      pending >= this.config.pendingConnectionsMax
    ) {
      if (this.status === 'ready') transport.close(4008, 'busy')
      else if (this.failure) transport.close(4009, 'internal')
      else transport.close(4006, 'draining')
      return undefined
    }
    const connection = new Connection(this, transport)
    this.connections.add(connection)
    return connection
  }

  /**
   * Decides a command and takes its events. `bodies` are those of the command's items, one directly behind the other.
   * Returns the refusals; whatever else it causes is on its way.
   * @throws where an invariant is broken; the host has failed then
   */
  apply(command: Command, bodies?: Uint8Array): EventOf<'refused'>[] {
    try {
      return this.#apply(command, bodies)
    } catch (error) {
      this.fail(error as Error)
      throw error
    }
  }

  #apply(command: Command, bodies: Uint8Array | undefined): EventOf<'refused'>[] {
    const env = this.#env
    env.nowMs = this.nowMs
    const { state } = this
    const events = decide(state, command, env satisfies Env)
    if (bodies) this.#stage(events, bodies)
    let refused: EventOf<'refused'>[] | undefined
    for (const event of events) {
      if (event.type === 'refused') {
        refused ??= []
        refused.push(event)
      } else this.take(event)
    }
    if (events.length > 0) this.scheduleTurn()
    return refused ?? NONE
  }

  /** Copies what was accepted into the batch in the making: one copy for what was accepted in one go. */
  #stage(events: readonly Event[], bodies: Uint8Array): void {
    for (const event of events) {
      if (event.type === 'tasksAccepted')
        event.body = this.bodies.stage(bodies.subarray(event.body, event.body + sum(event.bytes)))
      else if (event.type === 'tasksSucceeded')
        event.result = this.bodies.stage(bodies.subarray(event.result, event.result + sum(event.bytes)))
    }
  }

  /** Takes an event that `decide` has made. */
  take(event: Event): void {
    evolve(this.state, event)
    this.#events.push(event)
    if (!this.#hasDurableEvent) this.#hasDurableEvent = mustBeDurable(event)
    for (const effect of effectsOf(event, this.state)) this.#render(effect)
  }

  /** Resolves to true when all acknowledgements that depend on what has been applied so far may leave, to false when they never may. */
  durable(): Promise<boolean> {
    if (this.failure || this.status === 'stopped') return Promise.resolve(false)
    return new Promise((resolve) => {
      this.#idle.push(resolve)
      this.scheduleTurn()
    })
  }

  /** As `durable`, with lazy events written too. */
  flushed(): Promise<boolean> {
    this.#hasDurableEvent ||= this.#events.length > 0
    return this.durable()
  }

  /** How many wait for an outcome over HTTP. */
  get listening(): number {
    return this.outcomeListeners.size
  }

  scheduleTurn(): void {
    if (this.#isTurnScheduled || this.failure) return
    this.#isTurnScheduled = true
    this.platform.afterTurn(() => {
      this.#isTurnScheduled = false
      this.#turn()
    })
  }

  /** Whether the batch in the making takes no more bodies: a batch has a bound, and may have to wait for the one before. */
  get isSaturated(): boolean {
    return this.bodies.stagedBytes >= this.config.stagedBytesMax
  }

  /** Reading pauses for a connection whose input cannot be staged now. */
  pauseWhenSaturated(connection: Connection): void {
    if (!this.isSaturated || this.#paused.has(connection)) return
    this.#paused.add(connection)
    connection.pause()
  }

  #turn(): void {
    if (this.failure || this.status === 'stopped') return
    // The end of the writing makes up for it.
    this.#isTurnMissed = this.#isWriting
    if (this.#isWriting) return
    try {
      this.#tick()
      if (this.status === 'ready') this.#dispatch()
    } catch (error) {
      this.fail(error as Error)
      return
    }
    const outgoing = [...this.connections].filter((connection) => connection.hasOutgoing)
    const afterDurable = this.#afterDurable
    this.#afterDurable = []
    const idle = this.#idle
    this.#idle = []
    this.#idleOfTurn = idle
    const written = this.#hasDurableEvent ? this.#write() : undefined
    if (!this.#hasDurableEvent && this.#events.length > 0) this.#flushLater()
    this.#isWriting = true
    const sends = outgoing.map((connection) => ({ connection, outgoing: connection.takeOutgoing() }))
    const release = (): void => {
      if (this.failure) return
      for (const { connection, outgoing: messages } of sends) connection.send(messages)
      for (const fn of afterDurable) fn()
      for (const fn of idle) fn(true)
      this.#idleOfTurn = []
      this.#isWriting = false
      const paused = [...this.#paused]
      this.#paused.clear()
      for (const connection of paused) connection.resume()
      if (this.#isTurnMissed) this.scheduleTurn()
      this.#scheduleWake()
    }
    const filled = (): void | Promise<void> => this.bodies.fill(sends.flatMap(({ outgoing: { runs } }) => runs))
    try {
      if (written) {
        written
          .then(filled)
          .then(release)
          .catch((error: Error) => this.fail(error))
        return
      }
      const filling = filled()
      if (filling) filling.then(release).catch((error: Error) => this.fail(error))
      else release()
    } catch (error) {
      this.fail(error as Error)
    }
  }

  /** Hands the batch over to the journal; a promise where that takes time. */
  #write(): Promise<void> | undefined {
    const events = this.#events
    const bodies = this.bodies.seal()
    this.#events = []
    this.#hasDurableEvent = false
    this.#cancelLazyFlush?.()
    this.#cancelLazyFlush = undefined
    try {
      const written = this.journal.append({ batch: this.#batch, events, bodies })
      this.#batch += 1
      this.bodies.begin(this.#batch)
      return written ?? undefined
    } catch (error) {
      return Promise.reject(error as Error)
    }
  }

  #flushLater(): void {
    this.#cancelLazyFlush ??= this.platform.setTimer(() => {
      this.#cancelLazyFlush = undefined
      this.#hasDurableEvent ||= this.#events.length > 0
      this.scheduleTurn()
    }, this.config.lazyFlushMs)
  }

  #tick(): void {
    for (let i = 0; i < TICKS_PER_TURN_MAX; i += 1) {
      const dueAtMs = nextWakeAtMs(this.state)
      if (dueAtMs === null || dueAtMs > this.nowMs) return
      this.apply({ type: 'tick' })
    }
    this.scheduleTurn()
  }

  #dispatch(): void {
    const before = this.state.nextLease
    const { dispatchable } = this.state
    let nextLease = 0
    // What is not durable yet is granted to nobody, so that a pass may grant nothing.
    while (this.state.nextLease > nextLease && this.state.nextLease - before < GRANTS_PER_TURN_MAX) {
      nextLease = this.state.nextLease
      for (const queue of [...dispatchable]) {
        this.apply({ type: 'dispatch', queue: queue.name, below: Number.MAX_SAFE_INTEGER })
        for (const connection of this.#full) connection.stall()
        this.#full.clear()
      }
    }
    if (this.state.nextLease - before >= GRANTS_PER_TURN_MAX) this.scheduleTurn()
  }

  #scheduleWake(): void {
    const dueAtMs = nextWakeAtMs(this.state)
    if (dueAtMs === null || dueAtMs >= this.#wakeAtMs) return
    this.#cancelWake?.()
    this.#wakeAtMs = dueAtMs
    this.#cancelWake = this.platform.setTimer(
      () => {
        this.#cancelWake = undefined
        this.#wakeAtMs = Number.POSITIVE_INFINITY
        this.scheduleTurn()
      },
      Math.max(0, dueAtMs - this.nowMs),
    )
  }

  #render(effect: Effect): void {
    switch (effect.type) {
      case 'deliver': {
        const connection = this.sessions.get(effect.session)
        if (!connection) return
        const { tasks, lease } = effect
        for (let i = 0; i < tasks.length; i += 1) connection.outgoing.deliver(tasks[i] as Task, lease + i)
        if (connection.outgoing.bytes > this.config.sendBufferBytesHigh) this.#full.add(connection)
        return
      }
      case 'outcomes':
        this.#tellOutcomes(effect.tasks)
        return
      case 'outcome':
        this.sessions.get(effect.session.id)?.tellOutcome(effect.task, undefined)
        return
      case 'revoke':
        this.sessions.get(effect.session)?.outgoing.revoke(effect.lease, effect.reason)
        return
      case 'progress':
        for (const session of watchersOf(effect.task)) {
          const connection = this.sessions.get(session.id)
          for (const name of namesFor(effect.task, session)) connection?.tellProgress(effect.task, name)
        }
        return
      case 'refused':
        return
    }
  }

  #tellOutcomes(tasks: readonly Task[]): void {
    let session: Session | undefined
    let connection: Connection | undefined
    for (const task of tasks) {
      const { submission, watchers } = task
      if (watchers === null && submission !== null && submission.connection === submission.session.connections) {
        // As nearly always: who submitted it is still there, and nobody else wants to know.
        if (session !== submission.session) {
          session = submission.session
          connection = this.sessions.get(session.id)
        }
        connection?.tellOutcome(task, submission)
      } else {
        for (const watcher of watchersOf(task))
          for (const name of namesFor(task, watcher)) this.sessions.get(watcher.id)?.tellOutcome(task, name)
      }
      const { id } = task
      if (this.outcomeListeners.size > 0) this.#afterDurable.push(() => this.outcomeListeners.call(id))
    }
  }

  /** The journal failed, or an invariant is broken: what memory holds cannot be trusted, and nothing is acknowledged any more. */
  fail(error: Error): void {
    if (this.failure || this.status === 'stopped') return
    this.failure = error
    this.#become('fail')
    this.#cancelWake?.()
    this.#cancelLazyFlush?.()
    this.log.error(
      { err: error },
      'the broker failed: nothing is acknowledged any more; restart it once the cause is mended',
    )
    for (const connection of [...this.connections]) connection.close(4009, 'internal')
    for (const fn of [...this.#idleOfTurn, ...this.#idle]) fn(false)
    this.#idleOfTurn = []
    this.#idle = []
    this.outcomeListeners.callAll()
    this.#onFailure(error)
  }
}

const NONE: EventOf<'refused'>[] = []

function sum(sizes: readonly number[]): number {
  let all = 0
  for (const size of sizes) all += size
  return all
}
