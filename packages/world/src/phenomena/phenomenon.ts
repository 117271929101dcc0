import type { Observation, ObservationType } from '../observation.ts'
import type { Scenario } from '../scenario.ts'

/** What one run showed, by name. */
export type Figures<Figure extends string = string> = Readonly<Record<Figure, number>>

/** The figures of one seed, by variant. */
export type Runs<Variant extends string = string, Figure extends string = string> = Readonly<
  Record<Variant, Figures<Figure>>
>

/** Both ends are included. */
export interface Bound {
  atLeast?: number
  atMost?: number
}

export function isWithin(
  { atLeast = Number.NEGATIVE_INFINITY, atMost = Number.POSITIVE_INFINITY }: Bound,
  figure: number,
) {
  return figure >= atLeast && figure <= atMost
}

/** One relation between the variants that must hold. */
export interface Expectation<Variant extends string = string, Figure extends string = string> {
  /** A noun phrase for the figure that is compared. */
  what: string
  /** The bound holds for each seed by itself, or for the figure made from each variant's mean over all seeds. */
  over: 'eachSeed' | 'mean'
  /** With fewer seeds the figure cannot be told from chance. 1 if it is left out. */
  seedsMin?: number
  figure(runs: Runs<Variant, Figure>): number
  bound: Bound
}

/** Something that queues do, shown by running the same product in variants that differ in one respect. */
export interface Phenomenon<Variant extends string = string, Figure extends string = string> {
  name: string
  /** One sentence. */
  lesson: string
  /** What is set up: load, capacity and what goes wrong. */
  setting: string
  scenarios: Readonly<Record<Variant, Scenario>>
  /** The meaning of each figure, with its unit. */
  figures: Readonly<Record<Figure, string>>
  /** The observations that `measure` receives. */
  looksAt: readonly ObservationType[]
  /** Uses only the observations of one run. */
  measure(seen: readonly Observation[], scenario: Scenario): Figures<Figure>
  expectations: readonly Expectation<Variant, Figure>[]
}
