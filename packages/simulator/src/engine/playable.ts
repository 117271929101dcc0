import type { Change } from '@sluice/world'
import { traceHeader, traceLine } from '@sluice/world/trace'
import { ChartsFold, type ChartsView } from '../view/charts.ts'
import { chromeTraceOf } from '../view/chrome-trace.ts'
import { type Condition, meets } from '../view/conditions.ts'
import type { Seen } from '../view/fold.ts'
import { type GanttView, ganttOf } from '../view/gantt.ts'
import { MeasuresFold, type MeasuresView } from '../view/measures.ts'
import { type Happening, narrationOf } from '../view/narration.ts'
import { StageFold } from '../view/stage.ts'
import type { StageView } from '../view/stage-view.ts'
import { storyOf } from '../view/story.ts'
import type { StoryView } from '../view/story-view.ts'
import { type Copyable, History } from './history.ts'
import { Landmarks } from './landmarks.ts'
import type { Plan } from './plan.ts'

/** `sluice`: JSON lines, as `pnpm fuzz --trace` writes them. `chrome`: the Trace Event Format. */
export type TraceFormat = 'sluice' | 'chrome'

export interface Shown {
  /** The instant that is shown: the one asked for, or the last one that is known. */
  atMs: number
  /** How far the run is known. */
  headMs: number
  /** The earliest instant that can be shown. */
  fromMs: number
  hasEnded: boolean
  stage: StageView
}

/** A condition that was met, and when. */
export interface Met {
  atMs: number
  type: Condition['type']
}

/** A step looks so far at a time. */
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

/** Observations of which any instant can be shown, made by a world or read from a trace. */
export abstract class Playable {
  protected readonly history: History<Folds>
  readonly #landmarks: Landmarks

  constructor(keptMax?: number) {
    this.history = new History(new Folds(), keptMax)
    this.#landmarks = new Landmarks(this.history)
  }

  abstract get plan(): Plan
  /** How far the run is known. */
  abstract get headMs(): number
  abstract get hasEnded(): boolean
  /** Resolves once the run is known up to this instant, or has ended. */
  abstract reach(atMs: number): Promise<void>
  /**
   * From this instant the run goes on with the change. What was before stays and can be shown at once.
   * @throws RangeError naming the field that is out of bounds
   */
  abstract change(atMs: number, change: Change): void
  /** This instant is shown now. */
  protected abstract want(atMs: number): void

  get seen(): readonly Seen[] {
    return this.history.seen
  }

  /** Shows the instant, or the nearest one that is known. Never waits. */
  show(wantedMs: number): Shown {
    this.want(wantedMs)
    const { fromMs } = this.history
    const { headMs } = this
    const atMs = Math.max(fromMs, Math.min(wantedMs, headMs))
    const state = this.history.stateAt(atMs)
    return { atMs, headMs, fromMs, hasEnded: this.hasEnded, stage: state.stage.view(atMs) }
  }

  charts(atMs: number): ChartsView {
    return this.history.stateAt(Math.min(atMs, this.headMs)).charts.view(atMs)
  }

  measures(atMs: number): MeasuresView {
    const untilMs = Math.max(this.history.fromMs, Math.min(atMs, this.headMs))
    return this.history.stateAt(untilMs).measures.view(untilMs)
  }

  /** Everything that was observed up to this instant and is still kept. */
  until(atMs: number): readonly Seen[] {
    return this.history.seen.slice(0, this.history.indexAfter(atMs))
  }

  /** The attempts of this span, as they are known at its end. */
  gantt(fromMs: number, untilMs: number): GanttView {
    return ganttOf(this.#landmarks.until(untilMs), fromMs, Math.min(untilMs, this.headMs), this.#forgottenTasks)
  }

  story(id: string, untilMs: number): StoryView {
    return storyOf(this.until(untilMs), id, this.#forgottenTasks, this.#landmarks.until(untilMs))
  }

  /** The last notable happenings, the newest last. */
  narration(untilMs: number, count: number): Happening[] {
    return narrationOf(this.until(untilMs), untilMs, count, this.#forgottenTasks, this.#landmarks.until(untilMs))
  }

  /**
   * Everything that was observed up to this instant: as JSON lines that a simulator opens again (`sluice`), or for
   * Perfetto (`chrome`).
   * @throws RangeError if the beginning is not kept any more, without which a trace cannot be opened
   */
  trace(untilMs: number, format: TraceFormat): Blob {
    const seen = this.until(untilMs)
    if (format === 'chrome') {
      const traceEvents = chromeTraceOf(seen, Math.min(untilMs, this.headMs), this.#forgottenTasks)
      return new Blob([JSON.stringify({ displayTimeUnit: 'ms', traceEvents })], { type: 'application/json' })
    }
    if (seen[0]?.type !== 'worldStarted')
      throw new RangeError(
        `what happened before ${Math.ceil(this.history.fromMs / 1000)} s is not kept any more; pnpm fuzz --trace writes a whole run`,
      )
    const lines = [traceHeader(this.plan), ...seen.map((one) => traceLine(one))]
    return new Blob([`${lines.join('\n')}\n`], { type: 'application/x-ndjson' })
  }

  /** How many tasks were submitted before everything that is kept. */
  get #forgottenTasks(): number {
    return this.history.first.measures.submitted
  }

  /** The first instant after this one at which the condition is met; undefined if none comes soon. */
  async next(afterMs: number, condition: Condition): Promise<number | undefined> {
    for (let fromMs = afterMs; fromMs < afterMs + STEP_MS_MAX; ) {
      const untilMs = fromMs + SLICE_MS
      await this.reach(untilMs)
      const found = this.#first(fromMs, untilMs, condition)
      if (found !== undefined) return found
      if (this.hasEnded && this.headMs <= untilMs) return undefined
      fromMs = untilMs
    }
    return undefined
  }

  /** The first instant after `fromMs` and up to `untilMs` at which one of the conditions is met. */
  firstOf(fromMs: number, untilMs: number, conditions: readonly Condition[]): Met | undefined {
    let first: Met | undefined
    for (const condition of conditions) {
      const atMs = this.#first(fromMs, untilMs, condition)
      if (atMs !== undefined && (first === undefined || atMs < first.atMs)) first = { atMs, type: condition.type }
    }
    return first
  }

  #first(fromMs: number, untilMs: number, condition: Condition): number | undefined {
    const { seen } = this.history
    for (let i = this.history.indexAfter(fromMs); i < seen.length; i += 1) {
      const one = seen[i] as Seen
      if (one.atMs > untilMs) return undefined
      if (meets(condition, one)) return one.atMs
    }
    return undefined
  }
}
