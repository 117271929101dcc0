import { type Change, type Observation, type ObservationType, openWorld, type Report, type World } from '@sluice/world'
import { Arrivals } from './arrivals.ts'
import { Buffers } from './buffers.ts'
import type { Plan } from './plan.ts'
import { Playable } from './playable.ts'

export type { Plan } from './plan.ts'
export type { Shown } from './playable.ts'

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
  'frame',
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

/** One run of a world, of which any instant can be shown, and which goes on differently from any instant. */
export class Run extends Playable {
  #plan: Plan
  #arrivals = new Arrivals()
  #buffers = new Buffers()
  #world: World
  /** How many observations of the world are to come that the history has already. */
  #toSkip = 0
  #wantedMs = 0
  #pumping: Promise<void> | undefined
  /** The world of before the last change does not count any more. */
  #life = 0

  /** @throws RangeError as `openWorld` */
  constructor(plan: Plan, options: { keptMax?: number } = {}) {
    super(options.keptMax)
    this.#plan = plan
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

  /** Resolves once the world has come this far, or has ended. */
  async reach(atMs: number): Promise<void> {
    this.#need(atMs)
    while (this.headMs < atMs && !this.hasEnded) await this.#pump()
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
    this.history.cut(atMs)
    this.#plan = plan
    this.#knownMs = Math.min(this.headMs, atMs)
    this.#toSkip = this.history.count
    this.#wantedMs = atMs + AHEAD_MS
    this.#world = this.#open()
    this.#need(this.#wantedMs)
  }

  report(): Report {
    return this.#world.report()
  }

  #open(): World {
    this.#life += 1
    const life = this.#life
    this.#arrivals = new Arrivals()
    this.#buffers = new Buffers()
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
    if (observation.type === 'frame' && !this.#buffers.isNews(observation)) return
    if (this.#toSkip > 0) {
      this.#arrivals.again(observation, this.history.kept(this.history.count - this.#toSkip))
      this.#toSkip -= 1
      return
    }
    this.history.add(this.#arrivals.seen(observation))
  }

  protected want(atMs: number): void {
    this.#need(atMs + AHEAD_MS)
  }

  #need(atMs: number): void {
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
