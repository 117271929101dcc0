import type { Observation, ObservationType, Scenario } from '@sluice/world'
import type { Figures } from '../lessons/lesson.ts'

/** A knob that the player may turn: one number in the scenario. */
export interface Knob {
  label: string
  unit: string
  min: number
  max: number
  step: number
  /** What one unit costs of the budget, above `free`. */
  cost: number
  free: number
  read(scenario: Scenario): number
  /** Returns the scenario with this value. It changes nothing in what it is given. */
  write(scenario: Scenario, value: number): Scenario
}

export interface Goal<Figure extends string = string> {
  text: string
  holds(figures: Figures<Figure>): boolean
}

/** A level of service to reach within a budget. The solution is shared as a link. */
export interface Challenge<Figure extends string = string> {
  name: string
  title: string
  /** The situation and the aim, in plain words. */
  text: readonly string[]
  scenario: Scenario
  knobs: readonly Knob[]
  budget: number
  seeds: readonly number[]
  looksAt: readonly ObservationType[]
  /** Uses only the observations of one whole run. */
  measure(seen: readonly Observation[], scenario: Scenario): Figures<Figure>
  /** The meaning of each figure, with its unit. */
  figures: Readonly<Record<Figure, string>>
  /** Each must hold for every seed. */
  goals: readonly Goal<Figure>[]
  /** The values of one solution, by the place of each knob. A test checks it; nobody is shown it. */
  solution: readonly number[]
}
