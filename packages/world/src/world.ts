import { settled, VirtualClock } from '@sluice/testing'
import { Device } from './browser/device.ts'
import type { Context } from './context.ts'
import { faultsByChance, inOrder } from './faults/chance.ts'
import { Faults } from './faults/faults.ts'
import { SimulatedDisk } from './journal/index.ts'
import { Network } from './network/network.ts'
import { BrokerNode } from './nodes/broker-node.ts'
import type { Node } from './nodes/node.ts'
import { ProducerNode } from './nodes/producer-node.ts'
import { StrangerNode } from './nodes/stranger-node.ts'
import { TabNode } from './nodes/tab-node.ts'
import { type RunCounts, WorkerNode } from './nodes/worker-node.ts'
import type { Checker, Observation, ObservationType, Surroundings } from './observation.ts'
import { RandomSource } from './random.ts'
import { Recorder } from './recorder.ts'
import type { Report } from './report.ts'
import type { Scenario } from './scenario.ts'
import { TaskTally } from './task-tally.ts'

export interface RunOptions {
  /** They must be fresh, because they keep what they have seen. */
  checkers?: readonly Checker[]
  /** Receives every observation as it happens. It must not change what it is given. */
  onObservation?: (observation: Observation) => void
  /** After this many the world is stopped, with the violation `HANG`. Default 20,000,000. */
  maxObservations?: number
  /** Whether the world stops at its first violation. Then what only its end can show is not judged. Default false. */
  untilViolated?: boolean
  /**
   * Whether the observations are hashed. Default true. Without, `Report.hash` is empty and runs are a little faster.
   */
  isHashed?: boolean
  /**
   * Observations of other types are not made, which saves time: they are neither counted nor hashed nor passed on.
   * Default: all.
   */
  only?: ReadonlySet<ObservationType>
}

const WIRE: readonly ObservationType[] = [
  'frame',
  'unreadable',
  'sentToBroker',
  'sentByBroker',
  'heardByBroker',
  'heardByNode',
]

const OBSERVATIONS_MAX = 20_000_000
/** After this many deadlines at one time, time counts as standing still. */
const STEPS_AT_ONCE_MAX = 200_000
/** How often a world that is to come to rest is checked. */
const LOOK_EVERY_MS = 250
/** How long clients, workers and the broker may take to leave, and their last deadlines to pass. */
const LEAVE_MS = 90_000

/**
 * Runs a scenario to its end: arrivals and faults for `durationMs`, then calm until everything is finished or
 * `settleMs` is over, then all nodes leave in good order. The same scenario and seed make the same run everywhere.
 * @throws RangeError naming each setting with which the product's own broker would not start
 */
export async function runWorld(scenario: Scenario, seed: number, options: RunOptions = {}): Promise<Report> {
  return new World(scenario, seed, options).run()
}

class World {
  readonly #scenario: Scenario
  readonly #seed: number
  readonly #options: RunOptions
  readonly #clock = new VirtualClock()
  readonly #recorder: Recorder
  readonly #tally = new TaskTally()
  readonly #context: Context
  readonly #network: Network
  readonly #broker: BrokerNode
  readonly #producers: ProducerNode[]
  readonly #workers: WorkerNode[]
  readonly #devices: Device[] = []
  readonly #tabs: TabNode[] = []
  readonly #strangers: StrangerNode[]
  readonly #faults: Faults
  readonly #script: Parameters<Faults['schedule']>[0]
  #isHanging = false

  constructor(scenario: Scenario, seed: number, options: RunOptions) {
    this.#scenario = scenario
    this.#seed = seed
    this.#options = options
    const clock = this.#clock
    const random = new RandomSource(seed)
    const world = this
    const surroundings: Surroundings = {
      get state() {
        return world.#broker.state
      },
      get held() {
        return world.#broker.held
      },
      get brokerMs() {
        return world.#broker.brokerMs
      },
    }
    this.#recorder = new Recorder({
      clock,
      surroundings,
      checkers: options.checkers ?? [],
      isHashed: options.isHashed ?? true,
      only: options.only,
      tally: this.#tally,
      onObservation: options.onObservation,
    })
    this.#context = {
      clock,
      random,
      scenario,
      observe: (body) => this.#recorder.observe(body),
      escaped: (node, error) =>
        this.#recorder.violate('CRASH', `on ${node} nothing caught: ${describe(error)}`, { nodes: [node] }),
      isWireWatched: !options.only || WIRE.some((type) => options.only?.has(type)),
      hasEntered: false,
    }
    this.#network = new Network(this.#context)
    const disk = new SimulatedDisk(random.stream('disk'))
    this.#broker = new BrokerNode(this.#context, this.#network, disk)
    this.#producers = this.#makeProducers()
    this.#workers = this.#makeWorkers()
    this.#makeBrowsers()
    this.#strangers = this.#makeStrangers()
    const names = {
      producers: this.#producers.map(({ name }) => name),
      workers: this.#workers.map(({ name }) => name),
      tabs: this.#tabs.map(({ name }) => name),
      devices: this.#devices.map(({ name }) => name),
    }
    this.#faults = new Faults(this.#context, {
      broker: this.#broker,
      nodes: new Map(this.#nodes.map((node) => [node.name, node])),
      tabs: new Map(this.#tabs.map((tab) => [tab.name, tab])),
      devices: new Map(this.#devices.map((device) => [device.name, device])),
      network: this.#network,
      disk,
    })
    this.#script = inOrder([...(scenario.script ?? []), ...faultsByChance(scenario, random, names)])
  }

  get #nodes(): Node[] {
    return [this.#broker, ...this.#producers, ...this.#workers, ...this.#tabs, ...this.#strangers]
  }

  async run(): Promise<Report> {
    const { durationMs, settleMs } = this.#scenario
    const { clock } = this.#context
    this.#context.observe({ type: 'worldStarted', seed: this.#seed, scenario: this.#scenario })
    for (const node of this.#nodes) node.start()
    for (const producer of this.#producers) producer.vanishInTime()
    this.#faults.schedule(this.#script)
    await this.#runUntil(durationMs)

    this.#calm()
    await this.#runUntil(clock.nowMs + settleMs, () => this.#isAtRest)
    if (this.#isJudged) return this.#report()
    this.#context.observe({
      type: 'calmEnded',
      unfinished: this.#broker.unfinished,
      waiting: [...this.#producers, ...this.#tabs].flatMap((node) => node.waiting),
    })

    await this.#leave()
    if (this.#isJudged) return this.#report()
    this.#context.observe({
      type: 'worldEnded',
      timers: this.#nodes.reduce((timers, node) => timers + node.timersLeft, clock.pending),
      connections: this.#network.size,
    })
    this.#recorder.finish()
    return this.#report()
  }

  /** Whether nobody waits for anything any more. */
  get #isAtRest(): boolean {
    return (
      this.#broker.isReady &&
      !this.#broker.hasUnfinished &&
      [...this.#producers, ...this.#tabs].every((node) => !node.isWaiting && !node.isLeaving && !node.isReturning) &&
      this.#devices.every(({ storage }) => storage.pending.length === 0) &&
      this.#workers.every((worker) => worker.isUp && !worker.isLeaving && worker.running === 0)
    )
  }

  /** Nothing new is wanted, nothing goes wrong, and nobody lies any more. */
  #calm(): void {
    for (const node of [...this.#producers, ...this.#tabs]) node.quiet()
    this.#broker.quiet()
    for (const stranger of this.#strangers) stranger.quiet()
    this.#faults.endAll()
    for (const worker of this.#workers) {
      if (!worker.isLiar) continue
      worker.isHonest = true
      worker.restart(0)
    }
  }

  async #leave(): Promise<void> {
    const { clock } = this.#context
    const clients = [...this.#producers, ...this.#workers, ...this.#tabs, ...this.#strangers]
    for (const node of clients) node.leaveForGood()
    await this.#runUntil(clock.nowMs + LEAVE_MS, () => clients.every((node) => !node.isUp))
    this.#broker.leaveForGood()
    await this.#runUntil(clock.nowMs + LEAVE_MS, () => !this.#broker.isUp)
    await this.#runUntil(clock.nowMs + LEAVE_MS, () => clock.pending === 0)
  }

  /** Runs until this time, or earlier: the condition is checked now and then. */
  async #runUntil(endMs: number, isOver: () => boolean = () => false): Promise<void> {
    const { clock } = this.#context
    let hasEnded = false
    const look = (): void => {
      cancel = clock.setTimer(
        () => {
          hasEnded = clock.nowMs >= endMs || isOver()
          if (!hasEnded) look()
        },
        Math.min(LOOK_EVERY_MS, endMs - clock.nowMs),
      )
    }
    let cancel = (): void => {}
    look()
    await this.#step(() => hasEnded)
    cancel()
  }

  async #step(hasEnded: () => boolean): Promise<void> {
    const { clock, recorder, context } = { clock: this.#clock, recorder: this.#recorder, context: this.#context }
    const { maxObservations = OBSERVATIONS_MAX } = this.#options
    let steps = 0
    let atMs = clock.nowMs
    while (!hasEnded() && !this.#isHanging && !this.#isJudged) {
      if (!clock.step()) return
      if (context.hasEntered) {
        context.hasEntered = false
        await settled()
      }
      if (recorder.failure) throw recorder.failure.error
      steps = clock.nowMs === atMs ? steps + 1 : 0
      atMs = clock.nowMs
      if (steps > STEPS_AT_ONCE_MAX) this.#hang('time stands still')
      else if (recorder.observations > maxObservations) this.#hang(`more than ${maxObservations} observations`)
    }
  }

  /** There is a violation, and nobody wants to know of others. */
  get #isJudged(): boolean {
    return this.#options.untilViolated === true && this.#recorder.violations.length > 0
  }

  #hang(why: string): void {
    this.#isHanging = true
    this.#recorder.violate('HANG', `the world does not come to rest: ${why}`)
  }

  #makeProducers(): ProducerNode[] {
    const reporting = new Set(
      this.#scenario.workers.flatMap(({ service }) =>
        Object.values(service).filter(({ progressEveryMs }) => progressEveryMs !== undefined),
      ),
    )
    const producers: ProducerNode[] = []
    for (const group of this.#scenario.producers) {
      for (let i = 0; i < group.count; i += 1) {
        const name = `producer-${producers.length + 1}`
        producers.push(new ProducerNode(this.#context, this.#network, name, group, reporting.size > 0))
      }
    }
    return producers
  }

  #makeWorkers(): WorkerNode[] {
    const counts: RunCounts = { runs: 0, byWish: new Map() }
    const workers: WorkerNode[] = []
    for (const group of this.#scenario.workers) {
      for (let i = 0; i < group.count; i += 1) {
        const name = `worker-${workers.length + 1}`
        workers.push(new WorkerNode(this.#context, this.#network, name, group, counts))
      }
    }
    return workers
  }

  #makeBrowsers(): void {
    for (const group of this.#scenario.browsers ?? []) {
      for (let i = 0; i < group.count; i += 1) {
        const device = new Device(this.#context, `browser-${this.#devices.length + 1}`, group)
        this.#devices.push(device)
        for (let tab = 0; tab < group.tabs; tab += 1) {
          const name = `tab-${this.#tabs.length + 1}`
          const node = new TabNode(this.#context, this.#network, name, group, device)
          device.tabs.push(node)
          this.#tabs.push(node)
        }
      }
    }
  }

  #makeStrangers(): StrangerNode[] {
    const groups = (this.#scenario.strangers ?? []).flatMap((group) => Array.from({ length: group.count }, () => group))
    return groups.map((group, at) => new StrangerNode(this.#context, this.#network, `stranger-${at + 1}`, group))
  }

  #report(): Report {
    const { violations, digest, observations, counts } = this.#recorder
    return {
      seed: this.#seed,
      scenario: this.#scenario.name,
      violations,
      hash: digest,
      faults: this.#faults.happened,
      simulatedMs: this.#clock.nowMs,
      observations,
      counts,
      tasks: this.#tally.counts,
    }
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : String(error)
}
