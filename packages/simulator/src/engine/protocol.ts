import type { Change } from '@sluice/world'
import type { ChartsView } from '../view/charts.ts'
import type { Condition } from '../view/conditions.ts'
import type { GanttView } from '../view/gantt.ts'
import type { MeasuresView } from '../view/measures.ts'
import type { Happening } from '../view/narration.ts'
import type { StoryView } from '../view/story-view.ts'
import type { Plan } from './plan.ts'
import type { Shown, TraceFormat } from './playable.ts'

/** What the page may ask of the Worker that holds a run. Times are world times in ms. */
export interface EngineCalls {
  /** Starts this run. It replaces the one before. */
  open(plan: Plan): void
  /**
   * Shows the instant, or the nearest one that is known, and lets the world run on behind it. With conditions it shows
   * the first instant after `fromMs` at which one of them is met, if that comes earlier.
   */
  show(
    atMs: number,
    pause?: { fromMs: number; conditions: readonly Condition[] },
  ): Shown & { met: Condition['type'] | undefined }
  /** The next instant at which the condition is met. */
  next(afterMs: number, condition: Condition): number | undefined
  /** From this instant the run goes on differently. Returns the plan of the new run. */
  change(atMs: number, change: Change): Plan
  charts(atMs: number): ChartsView
  measures(atMs: number): MeasuresView
  /** The attempts of this span, as they are known at its end. */
  gantt(fromMs: number, untilMs: number): GanttView
  /** What has happened to the task with this id up to the instant. */
  story(id: string, untilMs: number): StoryView
  /** The last notable happenings, the newest last. */
  narration(untilMs: number, count: number): Happening[]
  /** Everything up to the instant, as a file. */
  trace(untilMs: number, format: TraceFormat): Blob
  /** Shows a trace in the place of a run. Returns the plan of the run that it was taken from. */
  openTrace(text: string): Plan
}

export type CallName = keyof EngineCalls

export interface Call<Name extends CallName = CallName> {
  number: number
  name: Name
  args: Parameters<EngineCalls[Name]>
}

export type Answer = { number: number; result: unknown } | { number: number; error: string }
