import {
  type Change,
  type Observation,
  type ObservationType,
  openWorld,
  type Report,
  type Scenario,
  type TimedChange,
  type World,
} from '@sluice/world'
import { ChartsFold, type ChartsView } from '../view/charts.ts'
import { type Condition, meets } from '../view/conditions.ts'
import type { Seen } from '../view/fold.ts'
import { MeasuresFold, type MeasuresView } from '../view/measures.ts'
import { StageFold, type StageView } from '../view/stage.ts'
import { Arrivals } from './arrivals.ts'
import { type Copyable, History } from './history.ts'

/** Everything that makes a run: the same plan is the same run, on any machine. */
export interface Plan {
  scenario: Scenario
  seed: number
  changes: readonly TimedChange[]
}

export interface Shown {
  /** The instant that is shown: the one asked for, or the last one that the world has reached. */
  atMs: number
  /** How far the world is. */
  headMs: number
  /** The earliest instant that can be shown. */
  fromMs: number
  hasEnded: boolean
  stage: StageView
}

/** What no view looks at is not observed. */
const WATCHED: ReadonlySet<ObservationType> = new Set<ObservationType>([
  'worldStarted',
  'changed',
  'faultStarted',
  'faultEnded',
  'nodeStarted',
  'nodeStopped',
  'submitting',
  'accepted',
  'refused',
  'outcome',
  'outcomeUnknown',
  'cancelling',
  'cancelAnswered',
  'progressSeen',
  'leading',
  'saved',
  'unsaved',
  'handlerStarted',
  'handlerAborted',
  'handlerEnded',
  'connecting',
  'connectFailed',
  'connected',
  'disconnected',
  'sentToBroker',
  'sentByBroker',
  'heardByBroker',
  'heardByNode',
  'appending',
  'appended',
  'recovered',
  'lost',
  'transition',
])

/** The world runs ahead of what is shown, so that it is known when each message will arrive. */
const AHEAD_MS = 500
/** The world looks this often whether something else is wanted. */
const SLICE_MS = 250
/** How far a step looks for what it goes to. */
const STEP_MS_MAX = 10 * 60_000

/** The folds whose state is kept with the history. */
class Folds implements Copyable {
  readonly stage: StageFold
  readonly charts: ChartsFold
  readonly measures: MeasuresFold

  constructor(stage = new StageFold(), charts = new ChartsFold(), measures = new MeasuresFold()) {
    this.stage = stage
    this.charts = charts
    this.measures = measures
  }

  get size(): number {
    return this.stage.size + this.charts.size + this.measures.size
  }

  see(seen: Seen): void {
    this.stage.see(seen)
    this.charts.see(seen)
    this.measures.see(seen)
  }

  copy(): Folds {
    return new Folds(this.stage.copy(), this.charts.copy(), this.measures.copy())
  }
}

/** One run of a world, of which any instant can be shown, and which goes on differently from any instant. */
export class Run {
  #plan: Plan
  readonly #history: History<Folds>
  #arrivals = new Arrivals()
  #world: World
  /** How many observations of the world are to come that the history has already. */
  #toSkip = 0
  #wantedMs = 0
  #pumping: Promise<void> | undefined
  /** The world of before the last change does not count any more. */
  #life = 0

  /** @throws RangeError as `openWorld` */
  constructor(plan: Plan, options: { keptMax?: number } = {}) {
    this.#plan = plan
    this.#history = new History(new Folds(), options.keptMax)
    this.#world = this.#open()
  }

  get plan(): Plan {
    return this.#plan
  }

  /** How far the run is known. */
  get headMs(): number {
    // While a world catches up after a change, what is known ends at the change.
    return this.#toSkip > 0 ? this.#knownMs : Math.max(this.#world.nowMs, this.#knownMs)
  }

  #knownMs = 0

  get hasEnded(): boolean {
    return this.#world.phase === 'ended' && this.#toSkip === 0
  }

  get seen(): readonly Seen[] {
    return this.#history.seen
  }

  /** Shows the instant, or the nearest one that is known. Never waits for the world. */
  show(wantedMs: number): Shown {
    this.#want(wantedMs + AHEAD_MS)
    const { fromMs } = this.#history
    const headMs = this.headMs
    const atMs = Math.max(fromMs, Math.min(wantedMs, headMs))
    const state = this.#history.stateAt(atMs)
    return { atMs, headMs, fromMs, hasEnded: this.hasEnded, stage: state.stage.view(atMs) }
  }

  charts(atMs: number): ChartsView {
    return this.#history.stateAt(Math.min(atMs, this.headMs)).charts.view(atMs)
  }

  measures(atMs: number): MeasuresView {
    const untilMs = Math.min(atMs, this.headMs)
    return this.#history.stateAt(untilMs).measures.view(untilMs)
  }

  /** Everything that was observed up to this instant and is still kept. */
  until(atMs: number): readonly Seen[] {
    return this.#history.seen.slice(0, this.#history.indexAfter(atMs))
  }

  /** Resolves once the world has come this far, or has ended. */
  async reach(atMs: number): Promise<void> {
    this.#want(atMs)
    while (this.headMs < atMs && !this.hasEnded) await this.#pump()
  }

  /** The first instant after this one at which the condition is met; undefined if none comes soon. */
  async next(afterMs: number, condition: Condition): Promise<number | undefined> {
    for (let fromMs = afterMs; fromMs < afterMs + STEP_MS_MAX; ) {
      const untilMs = fromMs + SLICE_MS
      await this.reach(untilMs)
      const found = this.#first(fromMs, untilMs, condition)
      if (found !== undefined) return found
      if (this.hasEnded) return undefined
      fromMs = untilMs
    }
    return undefined
  }

  /** The first instant after `fromMs` and up to `untilMs` at which one of the conditions is met. */
  firstOf(fromMs: number, untilMs: number, conditions: readonly Condition[]): number | undefined {
    const found = conditions.map((condition) => this.#first(fromMs, untilMs, condition))
    const times = found.filter((atMs) => atMs !== undefined)
    return times.length === 0 ? undefined : Math.min(...times)
  }

  #first(fromMs: number, untilMs: number, condition: Condition): number | undefined {
    const { seen } = this.#history
    for (let i = this.#history.indexAfter(fromMs); i < seen.length; i += 1) {
      const one = seen[i] as Seen
      if (one.atMs > untilMs) return undefined
      if (meets(condition, one)) return one.atMs
    }
    return undefined
  }

  /**
   * From this instant the run goes on with the change. What was before stays and can be shown at once; the same seed
   * runs up to the instant again behind it.
   * @throws RangeError naming the field that is out of bounds
   */
  change(atMs: number, change: Change): void {
    const changes = [...this.#plan.changes.filter((planned) => planned.atMs <= atMs), { atMs, change }]
    const plan = { ...this.#plan, changes }
    // It throws before anything here has changed.
    openWorld(plan.scenario, plan.seed, { changes })
    this.#history.cut(atMs)
    this.#plan = plan
    this.#knownMs = Math.min(this.headMs, atMs)
    this.#toSkip = this.#history.count
    this.#wantedMs = atMs + AHEAD_MS
    this.#world = this.#open()
    this.#want(this.#wantedMs)
  }

  report(): Report {
    return this.#world.report()
  }

  #open(): World {
    this.#life += 1
    const life = this.#life
    this.#arrivals = new Arrivals()
    const { scenario, seed, changes } = this.#plan
    return openWorld(scenario, seed, {
      changes,
      only: WATCHED,
      isHashed: false,
      watchesTransitions: true,
      onObservation: (observation) => {
        if (life === this.#life) this.#observe(observation)
      },
    })
  }

  #observe(observation: Observation): void {
    if (this.#toSkip > 0) {
      this.#arrivals.again(observation, this.#history.kept(this.#history.count - this.#toSkip))
      this.#toSkip -= 1
      return
    }
    this.#history.add(this.#arrivals.seen(observation))
  }

  #want(atMs: number): void {
    this.#wantedMs = Math.max(this.#wantedMs, atMs)
    void this.#pump()
  }

  /** One world runs at a time, as far as somebody wants to see it. */
  #pump(): Promise<void> {
    this.#pumping ??= this.#run().finally(() => {
      this.#pumping = undefined
    })
    return this.#pumping
  }

  async #run(): Promise<void> {
    while (this.#world.phase !== 'ended' && this.#world.nowMs < this.#wantedMs) {
      const world = this.#world
      await world.advanceTo(Math.min(this.#wantedMs, world.nowMs + SLICE_MS))
    }
  }
}
