import type { Change } from '@sluice/world'
import type { ChartsView } from '../view/charts.ts'
import type { Condition } from '../view/conditions.ts'
import type { MeasuresView } from '../view/measures.ts'
import type { Plan, Shown } from './run.ts'

/** What the page may ask of the Worker that holds a run. Times are world times in ms. */
export interface EngineCalls {
  /** Starts this run. It replaces the one before. */
  open(plan: Plan): void
  /**
   * Shows the instant, or the nearest one that is known, and lets the world run on behind it. With conditions it shows
   * the first instant after `fromMs` at which one of them is met, if that comes earlier.
   */
  show(atMs: number, pause?: { fromMs: number; conditions: readonly Condition[] }): Shown & { isMet: boolean }
  /** The next instant at which the condition is met. */
  next(afterMs: number, condition: Condition): number | undefined
  /** From this instant the run goes on differently. Returns the plan of the new run. */
  change(atMs: number, change: Change): Plan
  charts(atMs: number): ChartsView
  measures(atMs: number): MeasuresView
}

export type CallName = keyof EngineCalls

export interface Call<Name extends CallName = CallName> {
  number: number
  name: Name
  args: Parameters<EngineCalls[Name]>
}

export type Answer = { number: number; result: unknown } | { number: number; error: string }
