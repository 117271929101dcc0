import { batch, computed, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { Change } from '@sluice/world'
import { type Engine, startEngine } from '../engine/engine.ts'
import type { Plan, Shown } from '../engine/run.ts'
import { CONDITION_WORDS, type Condition } from '../view/conditions.ts'
import type { StageView } from '../view/stage-view.ts'

/** Simulated ms in one ms of a watch. */
export const SPEEDS: readonly number[] = [0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 100, 300, 1000]

/** The most that one frame may lie behind the last one, in ms of a watch: a hidden tab does not jump ahead. */
const FRAME_MS_MAX = 1200

/** Shows one run: plays it, goes to any instant, and changes it there. */
export class Player {
  readonly #engine: Engine
  readonly plan: Signal<Plan>
  readonly shown: Signal<Shown | undefined> = signal(undefined)
  readonly isPlaying = signal(false)
  readonly speed = signal(1)
  /** The player stops by itself where one of these is met. */
  readonly pauseOn: Signal<readonly Condition[]> = signal([])
  /** Why it stopped by itself. */
  readonly notice: Signal<string> = signal('')
  readonly atMs: ReadonlySignal<number> = computed(() => this.shown.value?.atMs ?? 0)
  readonly stage: ReadonlySignal<StageView | undefined> = computed(() => this.shown.value?.stage)
  /** A trace is shown: it cannot be changed. */
  readonly isRecording = signal(false)
  /** The speed that was reached lately, where the machine does not reach the one that is wanted. */
  readonly reached: Signal<number | undefined> = signal(undefined)
  /** The instant to which the world is on its way; undefined while it is shown. */
  readonly goingTo: Signal<number | undefined> = signal(undefined)
  /** It plays up to here and stops. */
  readonly untilMs: Signal<number>
  #wantedMs = 0
  #isAsking = false
  #isStale = false
  #isEnded = false
  #lately = { ms: 0, fromMs: 0 }

  constructor(plan: Plan, options: { untilMs?: number; speed?: number; engine?: Engine } = {}) {
    this.#engine = options.engine ?? startEngine()
    this.plan = signal(plan)
    this.untilMs = signal(options.untilMs ?? endOf(plan))
    this.speed.value = options.speed ?? 1
    this.#engine.open(plan).catch((error: Error) => this.#failed(error))
    this.#ask()
  }

  get engine(): Engine {
    return this.#engine
  }

  play(): void {
    if (this.#wantedMs >= this.untilMs.value) this.seek(0)
    this.notice.value = ''
    this.isPlaying.value = true
  }

  pause(): void {
    this.isPlaying.value = false
    this.reached.value = undefined
  }

  toggle(): void {
    if (this.isPlaying.value) this.pause()
    else this.play()
  }

  /** Shows this instant. */
  seek(atMs: number): void {
    this.#wantedMs = Math.max(0, Math.min(atMs, this.untilMs.value))
    this.goingTo.value = this.#wantedMs
    this.#ask()
  }

  /** A frame of the screen has passed. */
  frame(ms: number): void {
    if (!this.isPlaying.value || this.#isEnded) return
    if (this.#isAsking) return
    const fromMs = this.shown.value?.atMs ?? 0
    this.#measure(ms, fromMs)
    // Where the world is behind, the picture waits for it.
    this.#wantedMs = Math.min(fromMs + Math.min(ms, FRAME_MS_MAX) * this.speed.value, this.untilMs.value)
    this.#ask(fromMs)
    if (fromMs >= this.untilMs.value) this.pause()
  }

  /** How fast it goes really, over the last half second. */
  #measure(ms: number, atMs: number): void {
    this.#lately.ms += ms
    if (this.#lately.ms < 500) return
    const reached = (atMs - this.#lately.fromMs) / this.#lately.ms
    this.reached.value = reached > 0 && reached < 0.7 * this.speed.value ? reached : undefined
    this.#lately = { ms: 0, fromMs: atMs }
  }

  /** Goes to the next instant at which this is met, and stays there. */
  async step(condition: Condition): Promise<boolean> {
    this.pause()
    try {
      const atMs = await this.#engine.next(this.atMs.value, condition)
      if (atMs === undefined) this.notice.value = 'Nothing of that kind happens in the next ten minutes.'
      else this.seek(atMs)
      return atMs !== undefined
    } catch (error) {
      this.#failed(error as Error)
      return false
    }
  }

  /** From the instant that is shown the run goes on with this change. Resolves to false if it cannot be made. */
  async change(change: Change): Promise<boolean> {
    try {
      this.plan.value = await this.#engine.change(this.atMs.value, change)
      this.notice.value = ''
      this.#ask()
      return true
    } catch (error) {
      this.#failed(error as Error)
      return false
    }
  }

  /** Shows another run. */
  async open(plan: Plan, options: { untilMs?: number; speed?: number } = {}): Promise<void> {
    this.pause()
    await this.#engine.open(plan)
    batch(() => {
      this.plan.value = plan
      this.untilMs.value = options.untilMs ?? endOf(plan)
      this.isRecording.value = false
      if (options.speed !== undefined) this.speed.value = options.speed
      this.notice.value = ''
    })
    this.#wantedMs = 0
    this.#ask()
  }

  /** Shows a trace that was written before, from its beginning. */
  async openTrace(text: string): Promise<void> {
    this.pause()
    try {
      const plan = await this.#engine.openTrace(text)
      batch(() => {
        this.plan.value = plan
        this.untilMs.value = endOf(plan)
        this.isRecording.value = true
        this.notice.value = ''
      })
      this.#wantedMs = 0
      this.#ask()
    } catch (error) {
      this.#failed(new Error(`This file is no trace that can be shown: ${(error as Error).message}`))
    }
  }

  end(): void {
    this.#isEnded = true
    this.pause()
    this.#engine.end()
  }

  /** One question at a time. What changes meanwhile is asked afterwards. */
  #ask(playedFromMs?: number): void {
    if (this.#isAsking) {
      this.#isStale = true
      return
    }
    this.#isAsking = true
    this.#isStale = false
    const conditions = this.pauseOn.value
    const isWatching = playedFromMs !== undefined && conditions.length > 0
    this.#engine.show(this.#wantedMs, isWatching ? { fromMs: playedFromMs, conditions } : undefined).then(
      (shown) => {
        this.#isAsking = false
        if (this.#isEnded) return
        batch(() => {
          this.shown.value = shown
          if (shown.met !== undefined) {
            this.#wantedMs = shown.atMs
            this.isPlaying.value = false
            this.notice.value = `Stopped: ${CONDITION_WORDS[shown.met] ?? 'what you wait for has happened'}.`
          }
          const isBehind = !this.isPlaying.value && shown.atMs < this.#wantedMs && !shown.hasEnded
          this.goingTo.value = isBehind || this.#isStale ? this.#wantedMs : undefined
        })
        // The world may still be on its way to what is wanted.
        if (this.#isStale || (!this.isPlaying.value && shown.atMs < this.#wantedMs && !shown.hasEnded))
          setTimeout(() => this.#ask(), 16)
      },
      (error: Error) => {
        this.#isAsking = false
        this.#failed(error)
      },
    )
  }

  #failed(error: Error): void {
    if (this.#isEnded) return
    this.pause()
    this.notice.value = error.message
  }
}

/** The last instant before a scenario ends all faults and lets everything come to rest. */
export function endOf({ scenario }: Plan): number {
  return scenario.durationMs - 1
}
