import { type BrokerCore, createBrokerCore, type HostLog, type Transport } from '@sluice/broker/core'
import { isFinished, type State, unfinished } from '@sluice/engine'
import type { Context } from '../context.ts'
import { openJournal, type SimulatedDisk } from '../journal/index.ts'
import type { Endpoint } from '../network/endpoint.ts'
import type { Network } from '../network/network.ts'
import type { Holdings } from '../observation.ts'
import { type BrokerSettings, brokerSettings } from './broker-settings.ts'
import { transitionsOf } from './client-platform.ts'
import { Node } from './node.ts'
import { Operator, type OperatorNotes } from './operator.ts'
import type { Process } from './process.ts'

/** As the broker's program has them. */
const PING_EVERY_MS = 25_000
const DRAIN_WAIT_MS = 10_000
/** How long the closes of a leaving broker may take. */
const CLOSE_WAIT_MS = 2000
const CLOSE_LOOK_EVERY_MS = 20
/** Bytes of a secret id, which is written in hexadecimal digits. */
const SECRET_BYTES = 18

const silentLog: HostLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} }

/** The machine with the broker's program, and its disk. */
export class BrokerNode extends Node {
  readonly #disk: SimulatedDisk
  readonly #settings: BrokerSettings
  readonly #ends = new Set<Endpoint>()
  #core: BrokerCore | undefined
  #started: Promise<void> = Promise.resolve()
  readonly #notes: OperatorNotes = { submitted: [], count: 0 }
  #operator: Operator | undefined
  #isQuiet = false

  /** @throws RangeError if the product would not start with the scenario's settings */
  constructor(context: Context, network: Network, disk: SimulatedDisk) {
    super(context, network, 'broker')
    this.#disk = disk
    this.#settings = brokerSettings(context.scenario)
  }

  /** The engine's live state while the broker runs. */
  get state(): State | undefined {
    return this.#core?.host.state
  }

  /** By its own clock. */
  get brokerMs(): number | undefined {
    return this.#core?.host.nowMs
  }

  get held(): Holdings | undefined {
    const host = this.#core?.host
    if (!host) return undefined
    const { connections } = host
    return {
      connections: connections.size,
      pendingConnections: connections.size - connections.sessions,
      waiters: host.listening,
      cachedBytes: host.bodies.cachedBytes,
    }
  }

  /** Its operator wants nothing more. */
  quiet(): void {
    this.#isQuiet = true
    this.#operator?.stop()
  }

  get isReady(): boolean {
    return this.#core?.status === 'ready'
  }

  get hasUnfinished(): boolean {
    for (const queue of this.#core?.host.state.queues.values() ?? []) if (unfinished(queue) > 0) return true
    return false
  }

  /** The ids of tasks without an outcome. */
  get unfinished(): string[] {
    return [...(this.#core?.host.state.tasks.values() ?? [])].filter((task) => !isFinished(task)).map(({ id }) => id)
  }

  protected run(process: Process): void {
    const { clock, random, scenario, observe } = this.context
    const life = `broker life ${process.incarnation}`
    const chance = random.stream(`${life} random`)
    const secrets = random.stream(`${life} ids`)
    const journal = openJournal(this.#disk, {
      clock,
      random: random.stream('journal'),
      profile: scenario.journal,
      incarnation: process.incarnation,
      observe,
      enter: (fn) => process.enter(fn),
    })
    const core = createBrokerCore({
      journal,
      platform: {
        nowMs: () => Math.floor(process.steadyEpochMs()),
        setTimer: (fn, ms) => process.setProgramTimer(fn, ms),
        afterTurn: (fn) => process.afterTurn(fn),
        random: () => chance.next(),
        secretId: () => Array.from(secrets.bytes(SECRET_BYTES), (byte) => byte.toString(16).padStart(2, '0')).join(''),
        onTransition: transitionsOf(this.context, process),
      },
      engine: this.#settings.engine,
      config: this.#settings.hosting,
      log: silentLog,
      version: 'world',
      onFailure: (error) => this.fail(process, error.message),
    })
    this.#core = core
    this.#started = core.start().then(
      () => {
        if (!process.isAlive) return
        this.network.listener = { process, accept: (end) => this.#accept(core, end) }
        this.#pingLater(process)
        if (scenario.operator && !this.#isQuiet) {
          this.#operator = new Operator(this.context, process, core.api, scenario.operator, this.#notes)
          this.#operator.start()
        }
      },
      (error: Error) => this.fail(process, error.message),
    )
  }

  protected async leave(process: Process): Promise<void> {
    await this.#started
    if (!process.isAlive) return
    const core = this.#core as BrokerCore
    await core.drain(DRAIN_WAIT_MS)
    this.#operator?.stop()
    await core.stop()
    const closedByMs = process.now() + CLOSE_WAIT_MS
    while (this.#ends.size > 0 && process.now() < closedByMs) await process.sleep(CLOSE_LOOK_EVERY_MS)
  }

  protected override ended(): void {
    this.#disk.crash()
    this.#core = undefined
    this.#operator = undefined
    this.#ends.clear()
  }

  /**
   * One ping round for all connections, as in the adapter. A connection that has not answered the last ping is
   * dropped.
   */
  #pingLater(process: Process): void {
    process.setTimer(() => {
      for (const end of [...this.#ends]) if (!end.ping()) end.terminate()
      this.#pingLater(process)
    }, this.context.scenario.network.pingEveryMs ?? PING_EVERY_MS)
  }

  #accept(core: BrokerCore, end: Endpoint): void {
    const transport: Transport = {
      send: (frame) => end.send(frame),
      close: (code, reason) => (code === 1006 ? end.terminate() : end.close(code, reason)),
      terminate: () => end.terminate(),
      get bufferedBytes() {
        return end.bufferedBytes
      },
      pause: () => end.pause(),
      resume: () => end.resume(),
    }
    this.#ends.add(end)
    const connection = core.connect(transport)
    end.owner = {
      onOpen: () => {},
      onFrame: (frame) => connection?.receive(frame),
      onClosed: () => {
        this.#ends.delete(end)
        connection?.closed()
      },
      onDrain: () => connection?.emptied(),
    }
  }
}
