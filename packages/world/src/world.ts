import { settled, VirtualClock } from '@sluice/testing'
import type { Change, TimedChange } from './change.ts'
import { Changes } from './changes.ts'
import type { Context } from './context.ts'
import { faultsByChance, inOrder } from './faults/chance.ts'
import { Faults } from './faults/faults.ts'
import { SimulatedDisk } from './journal/index.ts'
import { Network } from './network/network.ts'
import type { ProducerNode } from './nodes/producer-node.ts'
import type { TabNode } from './nodes/tab-node.ts'
import type { Checker, Observation, ObservationType, Surroundings } from './observation.ts'
import { Pace, type Wanted } from './pace.ts'
import { Population } from './population.ts'
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
  /** What hands do to it, in the order of their times. */
  changes?: readonly TimedChange[]
  /**
   * Whether `onObservation` receives the transitions of all charts. They are neither hashed, counted nor judged, so a
   * run is the same with and without them. Default false.
   */
  watchesTransitions?: boolean
}

/**
 * - `running`: tasks arrive, and faults happen.
 * - `settling`: nothing new is wanted and nothing goes wrong; what was accepted is finished.
 * - `leaving`: all nodes leave in good order.
 */
export type Phase = 'running' | 'settling' | 'leaving' | 'ended'

/**
 * A world that goes as far as it is told. However it is stepped, the same run happens: stepping sets no timer. One call
 * at a time; each promise rejects with what a checker or a listener has thrown.
 */
export interface World {
  /** World time in ms. */
  readonly nowMs: number
  readonly phase: Phase
  /** Goes to this time, and as far as everything that happens at it. Infinity: to the end. */
  advanceTo(ms: number): Promise<void>
  /**
   * Goes on until after the next deadline, the next message that is sent or heard, the next transition of a chart (see
   * `RunOptions.watchesTransitions`), or the next observation of which this is true. Other things of the same moment may
   * have happened as well. Resolves to false if the world has ended before.
   */
  step(wanted: Wanted): Promise<boolean>
  /**
   * Changes the world now, after everything of this moment. Resolves to false if there was nothing to change, such as a
   * node that is not there.
   * @throws RangeError naming the field that is out of bounds, or if the phase is not `running`
   */
  change(change: Change): Promise<boolean>
  /** Up to now. What only the end can show is judged when the phase is `ended`. */
  report(): Report
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
 * `settleMs` is over, then all nodes leave in good order. The same scenario, seed and changes make the same run
 * everywhere.
 * @throws RangeError naming each setting with which the product's own broker would not start, or the change that cannot
 * be made
 */
export async function runWorld(scenario: Scenario, seed: number, options: RunOptions = {}): Promise<Report> {
  const world = openWorld(scenario, seed, options)
  await world.advanceTo(Number.POSITIVE_INFINITY)
  return world.report()
}

/**
 * The world of `runWorld`, before its first moment.
 * @throws RangeError as `runWorld`
 */
export function openWorld(scenario: Scenario, seed: number, options: RunOptions = {}): World {
  return new SimulatedWorld(scenario, seed, options)
}

class SimulatedWorld implements World {
  readonly #scenario: Scenario
  readonly #seed: number
  readonly #options: RunOptions
  readonly #clock = new VirtualClock()
  readonly #recorder: Recorder
  readonly #tally = new TaskTally()
  readonly #context: Context
  readonly #network: Network
  readonly #population: Population
  readonly #faults: Faults
  readonly #script: Parameters<Faults['schedule']>[0]
  readonly #changes: Changes
  readonly #pace = new Pace()
  #phase: Phase = 'running'
  #life: Promise<void> | undefined
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
        return world.#population.broker.state
      },
      get held() {
        return world.#population.broker.held
      },
      get brokerMs() {
        return world.#population.broker.brokerMs
      },
    }
    const { onObservation } = options
    this.#recorder = new Recorder({
      clock,
      surroundings,
      checkers: options.checkers ?? [],
      isHashed: options.isHashed ?? true,
      only: options.only,
      tally: this.#tally,
      onObservation: (observation) => {
        this.#pace.see(observation)
        onObservation?.(observation)
      },
    })
    this.#context = {
      clock,
      random,
      // Changes are made in a copy, and the nodes look there.
      scenario: structuredClone(scenario),
      observe: (body) => this.#recorder.observe(body),
      escaped: (node, error) =>
        this.#recorder.violate('CRASH', `on ${node} nothing caught: ${describe(error)}`, { nodes: [node] }),
      isWireWatched: !options.only || WIRE.some((type) => options.only?.has(type)),
      areTransitionsWatched: options.watchesTransitions ?? false,
      hasEntered: false,
    }
    this.#network = new Network(this.#context)
    const disk = new SimulatedDisk(random.stream('disk'))
    this.#population = new Population(this.#context, this.#network, disk)
    const { broker, producers, workers, tabs, devices, byName } = this.#population
    const names = {
      producers: producers.map(({ name }) => name),
      workers: workers.map(({ name }) => name),
      tabs: tabs.map(({ name }) => name),
      devices: devices.map(({ name }) => name),
    }
    this.#faults = new Faults(this.#context, {
      broker,
      nodes: byName,
      tabs: new Map(tabs.map((tab) => [tab.name, tab])),
      devices: new Map(devices.map((device) => [device.name, device])),
      network: this.#network,
      disk,
    })
    this.#script = inOrder([...(scenario.script ?? []), ...faultsByChance(scenario, random, names)])
    this.#changes = new Changes(this.#context, this.#population, this.#faults, options.changes ?? [])
  }

  get nowMs(): number {
    return this.#clock.nowMs
  }

  get phase(): Phase {
    return this.#phase
  }

  advanceTo(ms: number): Promise<void> {
    return this.#go(ms)
  }

  async step(wanted: Wanted): Promise<boolean> {
    await this.#go(Number.POSITIVE_INFINITY, wanted)
    return this.#pace.isMet
  }

  async change(change: Change): Promise<boolean> {
    this.#changes.check(change)
    // All of this moment happens before the change, as in a run in which it was planned.
    await this.#go(this.nowMs)
    if (this.#phase !== 'running') throw new RangeError(`a world that is ${this.#phase} cannot be changed`)
    const found = this.#changes.make(change)
    await this.#entered()
    return found
  }

  #go(untilMs: number, wanted?: Wanted): Promise<void> {
    if (this.#phase === 'ended') return Promise.resolve()
    const reached = this.#pace.go(untilMs, wanted)
    this.#life ??= this.#live().then(() => {
      this.#phase = 'ended'
    })
    return Promise.race([reached, this.#life])
  }

  async #live(): Promise<void> {
    const { durationMs, settleMs } = this.#scenario
    const { clock } = this.#context
    this.#context.observe({ type: 'worldStarted', seed: this.#seed, scenario: this.#scenario })
    for (const node of this.#population.nodes) node.start()
    for (const producer of this.#population.producers) producer.vanishInTime()
    this.#faults.schedule(this.#script)
    await this.#runUntil(durationMs)

    this.#phase = 'settling'
    this.#calm()
    await this.#runUntil(clock.nowMs + settleMs, () => this.#isAtRest)
    if (this.#isJudged) return
    this.#context.observe({
      type: 'calmEnded',
      unfinished: this.#population.broker.unfinished,
      waiting: this.#wishing.flatMap((node) => node.waiting),
    })

    this.#phase = 'leaving'
    await this.#leave()
    if (this.#isJudged) return
    this.#context.observe({
      type: 'worldEnded',
      timers: this.#population.nodes.reduce((timers, node) => timers + node.timersLeft, clock.pending),
      connections: this.#network.size,
    })
    this.#recorder.finish()
  }

  /** Nodes with people who want something. */
  get #wishing(): (ProducerNode | TabNode)[] {
    return [...this.#population.producers, ...this.#population.tabs]
  }

  /** Whether nobody waits for anything any more. */
  get #isAtRest(): boolean {
    const { broker, workers, devices } = this.#population
    return (
      broker.isReady &&
      !broker.hasUnfinished &&
      this.#wishing.every((node) => !node.isWaiting && !node.isLeaving && !node.isReturning) &&
      devices.every(({ storage }) => storage.pending.length === 0) &&
      workers.every((worker) => worker.isRetired || (worker.isUp && !worker.isLeaving && worker.running === 0))
    )
  }

  /** Nothing new is wanted, nothing goes wrong, and nobody lies any more. */
  #calm(): void {
    const { broker, workers, strangers } = this.#population
    for (const node of this.#wishing) node.quiet()
    broker.quiet()
    for (const stranger of strangers) stranger.quiet()
    this.#faults.endAll()
    for (const worker of workers) {
      if (!worker.isLiar) continue
      worker.isHonest = true
      worker.restart(0)
    }
  }

  async #leave(): Promise<void> {
    const { clock } = this.#context
    const { clients, broker } = this.#population
    for (const node of clients) node.leaveForGood()
    await this.#runUntil(clock.nowMs + LEAVE_MS, () => clients.every((node) => !node.isUp))
    broker.leaveForGood()
    await this.#runUntil(clock.nowMs + LEAVE_MS, () => !broker.isUp)
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
      const nextAtMs = Math.min(clock.nextAtMs ?? Number.POSITIVE_INFINITY, this.#changes.nextAtMs)
      if (nextAtMs === Number.POSITIVE_INFINITY) return
      // Promise callbacks of the start are due, and run after the first deadline.
      if (!context.hasEntered && this.#pace.holds(nextAtMs)) {
        await this.#rest()
        continue
      }
      if (this.#changes.nextAtMs < (clock.nextAtMs ?? Number.POSITIVE_INFINITY)) {
        clock.advance(this.#changes.nextAtMs - clock.nowMs)
        this.#changes.makeNext()
      } else clock.step()
      this.#pace.passed()
      if (context.hasEntered) await this.#entered()
      if (recorder.failure) throw recorder.failure.error
      steps = clock.nowMs === atMs ? steps + 1 : 0
      atMs = clock.nowMs
      if (steps > STEPS_AT_ONCE_MAX) this.#hang('time stands still')
      else if (recorder.observations > maxObservations) this.#hang(`more than ${maxObservations} observations`)
    }
  }

  /** The world stands still until it may go on, at the time up to which it was let go. */
  #rest(): Promise<void> {
    const { untilMs, isMet } = this.#pace
    if (!isMet && untilMs > this.#clock.nowMs) this.#clock.advance(untilMs - this.#clock.nowMs)
    return this.#pace.rest()
  }

  /** Promise callbacks of the product run. */
  async #entered(): Promise<void> {
    this.#context.hasEntered = false
    await settled()
  }

  /** There is a violation, and nobody wants to know of others. */
  get #isJudged(): boolean {
    return this.#options.untilViolated === true && this.#recorder.violations.length > 0
  }

  #hang(why: string): void {
    this.#isHanging = true
    this.#recorder.violate('HANG', `the world does not come to rest: ${why}`)
  }

  report(): Report {
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
