import type { Observation, ObservationType } from '../observation.ts'
import type { Scenario } from '../scenario.ts'

/** What one run showed, by name. */
export type Figures<Figure extends string = string> = Readonly<Record<Figure, number>>

/** The figures of one seed, by variant. */
export type Runs<Variant extends string = string, Figure extends string = string> = Readonly<
  Record<Variant, Figures<Figure>>
>

/** Both ends belong to it. */
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

/** One relation between the variants that has to hold. */
export interface Expectation<Variant extends string = string, Figure extends string = string> {
  /** A noun phrase for the figure that is compared. */
  what: string
  /** The bound holds for each seed by itself, or for the figure made from each variant's mean over all seeds. */
  over: 'eachSeed' | 'mean'
  /** With fewer seeds the figure cannot be told from chance. 1 where it is left out. */
  seedsMin?: number
  figure(runs: Runs<Variant, Figure>): number
  bound: Bound
}

/** Something that queues do, shown by running the same product under surroundings that differ in one respect. */
export interface Phenomenon<Variant extends string = string, Figure extends string = string> {
  name: string
  /** One sentence. */
  lesson: string
  /** What is set up: load, capacity and what goes wrong. */
  setting: string
  scenarios: Readonly<Record<Variant, Scenario>>
  /** What each figure is, with its unit. */
  figures: Readonly<Record<Figure, string>>
  /** The observations that `measure` is given. */
  looksAt: readonly ObservationType[]
  /** Looks at nothing but what was seen in one run. */
  measure(seen: readonly Observation[], scenario: Scenario): Figures<Figure>
  expectations: readonly Expectation<Variant, Figure>[]
}
