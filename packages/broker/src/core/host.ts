import type { Command, EngineConfig, Event, EventOf, State } from '@sluice/engine'
import { type BrokerEvent, nextBrokerState } from '@sluice/machines'
import type { BrokerState } from '@sluice/machines/states'
import type { Durability, Journal } from '../journal/journal.ts'
import type { BodyStore } from './body-store.ts'
import { Commit } from './commit.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import { Connections } from './connections.ts'
import { assertFrameRoom } from './frame-room.ts'
import type { HostConfig } from './host-config.ts'
import { Intake } from './intake.ts'
import { OutcomeListeners } from './outcome-listeners.ts'
import type { HostLog, HostPlatform, Transport } from './platform.ts'
import { Rendering } from './rendering.ts'
import { Turn } from './turn.ts'

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
 * Runs the engine behind connections and in front of a journal: `Turn` decides, `Commit` stores, `Rendering` tells. Nothing
 * here waits for the disk but what depends on it.
 */
export class Host implements ConnectionHost {
  readonly platform: HostPlatform
  readonly config: HostConfig
  readonly log: HostLog
  readonly connections: Connections
  readonly #commit: Commit
  readonly #intake: Intake
  readonly #turn: Turn
  /** Told once the outcome is durable, or when there will be none any more. */
  readonly #outcomeListeners = new OutcomeListeners()
  readonly #onFailure: (error: Error) => void
  #failure: Error | undefined
  #status: BrokerState = 'starting'
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined

  constructor({ journal, platform, engine, config, log, onFailure }: HostOptions) {
    this.platform = platform
    this.config = config
    this.log = log
    this.#onFailure = onFailure
    this.connections = new Connections(config)
    const rendering = new Rendering(this.connections, (id) => this.#tellListeners(id))
    this.#commit = new Commit({
      journal,
      platform,
      bodyCacheBytesMax: config.bodyCacheBytesMax,
      lazyFlushMs: config.lazyFlushMs,
      onDurable: () => this.#turn.end(),
      onFlushDue: () => this.#turn.schedule(),
      onFailure: (error) => this.fail(error),
    })
    this.#intake = new Intake(
      () => this.bodies.stagedBytes >= config.stagedBytesMax,
      () => this.nowMs,
    )
    this.#turn = new Turn({
      engine,
      heartbeatMs: config.heartbeatMs,
      platform,
      commit: this.#commit,
      intake: this.#intake,
      mayDispatch: () => this.#status === 'ready',
      undelivered: (session) => this.connections.of(session)?.outbound.undelivered ?? [],
      onEffect: (effect) => rendering.render(effect),
      onEnd: () => this.connections.leave(),
      onFailure: (error) => this.fail(error),
    })
  }

  // ─── what it is ──────────────────────────────────────────────────────────────────────────────────────────────────

  /** Where the broker is in `brokerMachine`. */
  get status(): BrokerState {
    return this.#status
  }

  get isServing(): boolean {
    return this.#status === 'ready' || this.#status === 'draining'
  }

  get isDraining(): boolean {
    return this.#status === 'draining'
  }

  /** Why the host is read-only. */
  get failure(): Error | undefined {
    return this.#failure
  }

  get state(): State {
    return this.#turn.state
  }

  get journal(): Journal {
    return this.#commit.journal
  }

  get durability(): Durability {
    return this.journal.durability
  }

  get bodies(): BodyStore {
    return this.#commit.bodies
  }

  /** ms of the broker's clock: that of the platform, but never before what the journal speaks of. */
  get nowMs(): number {
    return this.#turn.nowMs
  }

  /** The number of the batch in the making. */
  get batch(): number {
    return this.#commit.batch
  }

  get gate(): number {
    return this.#commit.gate
  }

  get deliveryGate(): number {
    return this.#commit.deliveryGate
  }

  get durableBatch(): number {
    return this.#commit.durable
  }

  get isSaturated(): boolean {
    return this.#intake.isSaturated
  }

  /** How many wait for an outcome over HTTP. */
  get listening(): number {
    return this.#outcomeListeners.size
  }

  // ─── its life ────────────────────────────────────────────────────────────────────────────────────────────────────

  #become(event: BrokerEvent): void {
    this.#status = nextBrokerState(this.#status, event)
  }

  /** Takes up what the journal holds. Fails when the journal is damaged or cannot be written, or holds what fits no frame. */
  start(): Promise<void> {
    this.#starting = this.#start()
    return this.#starting
  }

  async #start(): Promise<void> {
    const startedAtMs = this.platform.nowMs()
    const last = await this.#turn.recover()
    assertFrameRoom(this.state, this.config.limits.frameBytesMax)
    this.#commit.open(last, this.state.nextSeq)
    this.apply({ type: 'start' })
    await this.flushed()
    if (this.#failure) throw this.#failure
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
    if (this.status !== 'starting') {
      await this.flushed()
      // What is left to say leaves before the connections are closed.
      this.#turn.end()
    }
    await Promise.all([...this.connections].map(({ outbound }) => outbound.reading))
    this.#become('stop')
    this.#turn.stop()
    this.#commit.end()
    for (const connection of [...this.connections]) connection.close(4006, 'draining')
    this.#outcomeListeners.callAll()
    await this.journal.close()
  }

  /** The journal failed, or an invariant is broken: what memory holds cannot be trusted, and nothing is acknowledged any more. */
  fail(error: Error): void {
    if (this.#failure || this.status === 'stopped') return
    this.#failure = error
    this.#become('fail')
    this.#turn.stop()
    this.log.error(
      { err: error },
      'the broker failed: nothing is acknowledged any more; restart it once the cause is mended',
    )
    for (const connection of [...this.connections]) connection.close(4009, 'internal')
    this.#commit.end()
    this.#outcomeListeners.callAll()
    this.#onFailure(error)
  }

  // ─── what is asked of it ─────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Decides a command and takes its events. `bodies` are those of the command's items, one directly behind the other.
   * Returns the refusals; whatever else it causes is on its way.
   * @throws where an invariant is broken; the host has failed then
   */
  apply(command: Command, bodies?: Uint8Array): EventOf<'refused'>[] {
    return this.#turn.apply(command, bodies)
  }

  /** Takes an event that `decide` has made. */
  take(event: Event): void {
    this.#turn.take(event)
  }

  scheduleTurn(): void {
    this.#turn.schedule()
  }

  /** Resolves to true when all acknowledgements that depend on what has been applied so far may leave, to false when they never may. */
  durable(): Promise<boolean> {
    const isDurable = this.#commit.whenDurable(this.#commit.gate)
    this.scheduleTurn()
    return isDurable
  }

  /** As `durable`, with lazy events written too. */
  flushed(): Promise<boolean> {
    this.#commit.flush()
    return this.durable()
  }

  /** Calls back once the task has an outcome that is durable, or never will have one; the returned function takes it back. */
  onOutcome(id: string, fn: () => void): () => void {
    return this.#outcomeListeners.add(id, fn)
  }

  #tellListeners(id: string): void {
    if (this.#outcomeListeners.size > 0)
      this.#commit.await(this.gate, (isDurable) => isDurable && this.#outcomeListeners.call(id))
  }

  // ─── connections ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** A new connection; undefined when there are too many. */
  connect(transport: Transport): Connection | undefined {
    if (this.#status !== 'ready' || !this.connections.hasRoom) {
      if (this.#status === 'ready') transport.close(4008, 'busy')
      else if (this.#failure) transport.close(4009, 'internal')
      else transport.close(4006, 'draining')
      return undefined
    }
    const connection = new Connection(this, transport)
    this.connections.add(connection)
    return connection
  }

  pauseWhenSaturated(connection: Connection): void {
    this.#intake.pauseWhenSaturated(connection)
  }

  onNews(connection: Connection): void {
    this.connections.note(connection)
    this.scheduleTurn()
  }

  onSession(connection: Connection, session: string): void {
    this.connections.carry(session, connection)
  }

  onEnd(connection: Connection, session: string | undefined): void {
    this.connections.remove(connection, session)
  }
}
