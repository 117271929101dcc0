import type { Command, EngineConfig, Event, EventOf, State, Task } from '@sluice/engine'
import { type BrokerEvent, nextBrokerState } from '@sluice/machines'
import type { BrokerState } from '@sluice/machines/states'
import { encodeFrames, type WireError } from '@sluice/protocol'
import type { Durability, Journal } from '../journal/journal.ts'
import type { AccessControl } from './access/access-control.ts'
import { DEFAULT_QUOTAS, type QuotaConfig, Quotas } from './access/quotas.ts'
import type { BodyStore } from './body-store.ts'
import { Commit } from './commit.ts'
import { Connection, type ConnectionHost } from './connection.ts'
import { Connections } from './connections.ts'
import { assertFrameRoom } from './frame-room.ts'
import type { HostConfig } from './host-config.ts'
import { Intake } from './intake.ts'
import { OutcomeFeed } from './outcome-feed.ts'
import { type OutcomeListener, OutcomeListeners } from './outcome-listeners.ts'
import type { HostLog, HostPlatform, Transport } from './platform.ts'
import { Rendering } from './rendering.ts'
import { stopped } from './stopped.ts'
import { statusOfTask } from './task-status.ts'
import { Turn } from './turn.ts'

const FAILED: WireError = { code: 'internal', message: 'the broker failed and has to be restarted; its log says why' }
const CROWDED = { code: 'busy', message: 'the broker has as many connections as it takes (connectionsMax)' } as const

export interface HostOptions {
  journal: Journal
  platform: HostPlatform
  engine: EngineConfig
  config: HostConfig
  log: HostLog
  /** Access control. Default: everybody may do everything. */
  access?: AccessControl | undefined
  /** How much one principal and one address may use, with access control. Default `DEFAULT_QUOTAS`. */
  quotas?: QuotaConfig | undefined
  /** Called when the journal has failed. Nothing is acknowledged any more, and the process should exit. */
  onFailure: (error: Error) => void
}

/**
 * Runs the engine between connections and journal: `Turn` decides, `Commit` stores, `Rendering` tells. Only what
 * depends on the disk waits for it.
 */
export class Host implements ConnectionHost {
  readonly platform: HostPlatform
  readonly config: HostConfig
  readonly log: HostLog
  readonly access: AccessControl | undefined
  readonly quotas: Quotas | undefined
  readonly connections: Connections
  readonly #commit: Commit
  readonly #intake: Intake
  readonly #turn: Turn
  /** Listeners for the outcome of a task, or for the news that there will be none. */
  readonly #outcomeListeners = new OutcomeListeners()
  /** Readers that follow the outcomes of all tasks. */
  readonly outcomes = new OutcomeFeed()
  readonly #onFailure: (error: Error) => void
  #failure: Error | undefined
  #status: BrokerState = 'starting'
  #starting: Promise<void> | undefined
  #stopping: Promise<void> | undefined

  constructor({ journal, platform, engine, config, log, access, quotas = DEFAULT_QUOTAS, onFailure }: HostOptions) {
    this.platform = platform
    this.config = config
    this.log = log
    this.access = access
    this.quotas = access && new Quotas(quotas, () => platform.nowMs())
    this.#onFailure = onFailure
    this.connections = new Connections(config)
    const rendering = new Rendering(this.connections, (task) => {
      this.#outcomeListeners.call(task.id, task)
      this.#tellFeed(task)
    })
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

  // ─── state ───────────────────────────────────────────────────────────────────────────────────────────────────────

  /** The state of the broker in `brokerMachine`. */
  get status(): BrokerState {
    return this.#status
  }

  get isServing(): boolean {
    return this.#status === 'ready' || this.#status === 'draining'
  }

  get isDraining(): boolean {
    return this.#status === 'draining'
  }

  /** Why the host is read-only. Undefined while it is not. */
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

  /** The broker's clock in ms: the platform's clock, but never before the latest time in the journal. */
  get nowMs(): number {
    return this.#turn.nowMs
  }

  /** The number of the open batch. */
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

  /** How many HTTP requests wait for outcomes, of one task or of all. */
  get listening(): number {
    return this.#outcomeListeners.size + this.outcomes.size
  }

  // ─── start and stop ──────────────────────────────────────────────────────────────────────────────────────────────

  #become(event: BrokerEvent): void {
    const from = this.#status
    this.#status = nextBrokerState(from, event)
    this.platform.onTransition?.({ machine: 'broker', id: '', from, to: this.#status, event })
  }

  /**
   * Recovers the state from the journal. Fails if the journal is damaged, cannot be written, or holds something that
   * fits no frame.
   */
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

  /** Announces the drain. Nothing new is accepted; leased tasks may still be settled. */
  drain(): void {
    if (this.status !== 'ready') return
    this.#become('drain')
    for (const connection of this.connections) connection.announceDrain()
    this.scheduleTurn()
  }

  /** Writes what is pending, then closes every connection and the journal. Further calls wait for the first. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop()
    return this.#stopping
  }

  async #stop(): Promise<void> {
    // The caller of `start` gets the error.
    await this.#starting?.catch(() => {})
    // A partly recovered state has nothing to write.
    if (this.status !== 'starting') {
      await this.flushed()
      // Send what is left before the connections close.
      this.#turn.end()
    }
    await Promise.all([...this.connections].map(({ outbound }) => outbound.reading))
    // Some may have said hello after that turn.
    for (const { outbound } of this.connections) outbound.leave()
    this.#become('stop')
    this.#turn.stop()
    this.#commit.end()
    for (const connection of [...this.connections]) connection.endAtStop()
    this.#outcomeListeners.callAll()
    this.outcomes.end()
    await this.journal.close()
  }

  /**
   * The journal failed or an invariant is broken. The state in memory cannot be trusted, and nothing is acknowledged
   * any more.
   */
  fail(error: Error): void {
    if (this.#failure || this.status === 'stopped') return
    this.#failure = error
    this.#become('fail')
    this.#turn.stop()
    this.log.error(
      { err: error },
      'the broker failed: nothing is acknowledged any more; restart it once the cause is mended',
    )
    for (const connection of [...this.connections]) connection.end(FAILED, 4009)
    this.#commit.end()
    this.#outcomeListeners.callAll()
    this.outcomes.end()
    this.#onFailure(error)
  }

  // ─── commands and waits ──────────────────────────────────────────────────────────────────────────────────────────

  /**
   * Decides a command and takes its events. `bodies` holds the bodies of the command's items, concatenated. Returns the
   * refusals; all other effects are under way.
   * @throws if an invariant is broken; the host has failed then
   */
  apply(command: Command, bodies?: Uint8Array): EventOf<'refused'>[] {
    return this.#turn.apply(command, bodies)
  }

  /** Takes an event that `decide` made. */
  take(event: Event): void {
    this.#turn.take(event)
  }

  scheduleTurn(): void {
    this.#turn.schedule()
  }

  /**
   * Resolves to true when acknowledgements that depend on everything applied so far may be sent, or to false when they
   * never may.
   */
  durable(): Promise<boolean> {
    const isDurable = this.#commit.whenDurable(this.#commit.gate)
    this.scheduleTurn()
    return isDurable
  }

  /** Like `durable`, but lazy events are written too. */
  flushed(): Promise<boolean> {
    this.#commit.flush()
    return this.durable()
  }

  /**
   * Calls back once: when the task has an outcome (which is not durable yet), or when it never will have one. The
   * returned function removes the listener. The record may be removed in the same turn.
   */
  onOutcome(id: string, fn: OutcomeListener): () => void {
    return this.#outcomeListeners.add(id, fn)
  }

  #tellFeed(task: Task): void {
    if (this.outcomes.size === 0) return
    // The record may be gone when the outcome is durable.
    const outcome = statusOfTask(task, this.nowMs)
    this.#commit.await(this.gate, (isDurable) => isDurable && this.outcomes.tell(outcome, task.acceptance.owner))
  }

  // ─── connections ─────────────────────────────────────────────────────────────────────────────────────────────────

  /** A new connection. Undefined if there are too many. */
  connect(transport: Transport): Connection | undefined {
    if (this.#status === 'ready') this.connections.makeRoom()
    if (this.#status !== 'ready' || !this.connections.hasRoom) {
      const { retryAfterMsMax } = this.state.config
      if (this.#status === 'ready') this.#turnAway(transport, { ...CROWDED, retryAfterMs: retryAfterMsMax }, 4008)
      else if (this.#failure) this.#turnAway(transport, FAILED, 4009)
      else this.#turnAway(transport, stopped(this.config.drainRetryAfterMs), 4006)
      return undefined
    }
    const share = this.quotas?.connect(transport.address)
    if (share && 'code' in share) {
      this.log.info({ address: transport.address, code: share.code, limit: share.limit }, share.message)
      transport.close(4008, 'busy')
      return undefined
    }
    const connection = new Connection(this, transport, share)
    this.connections.add(connection)
    return connection
  }

  /** Nothing is known of the peer yet, so the reason is sent as text. */
  #turnAway(transport: Transport, error: WireError, closeCode: number): void {
    for (const frame of encodeFrames([{ type: 'error', ...error }], 'text', this.config.limits)) transport.send(frame)
    transport.close(closeCode, error.code)
  }

  pauseWhenSaturated(connection: Connection): void {
    this.#intake.pauseWhenSaturated(connection)
  }

  onNews(connection: Connection): void {
    this.connections.note(connection)
    this.scheduleTurn()
  }

  isCarried(session: string): boolean {
    return this.connections.of(session) !== undefined
  }

  onSession(connection: Connection, session: string): void {
    this.connections.carry(session, connection)
  }

  onEnd(connection: Connection, session: string | undefined): void {
    this.connections.remove(connection, session)
  }
}
