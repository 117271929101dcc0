import type { Planted } from '../mutants/plant.ts'
import type { Runs } from '../phenomena/phenomenon.ts'
import type { Examination, Explanation } from './examine.ts'
import type { Experiment } from './shrink.ts'

/** What a thread is asked to do, one thing at a time. A seed without a scenario means the swarm's scenario. */
export type Order =
  | { kind: 'examine'; seed: number; scenario: Experiment['scenario'] | undefined; untilViolated: boolean }
  | { kind: 'explain'; seed: number; scenario?: Experiment['scenario'] | undefined; rule: string; budgetMs: number }
  /** One seed of a phenomenon, in all its variants. */
  | { kind: 'measure'; seed: number; phenomenon: string }

/** What a thread sends: first, unasked, that it has loaded what it runs; then an answer to each order. */
export type Word = { kind: 'loaded' } | Answer

export type Answer =
  | { kind: 'examined'; examination: Examination }
  | { kind: 'explained'; explanation?: Explanation }
  | { kind: 'measured'; runs: Runs }

/** The data that a thread is started with. */
export interface ThreadData {
  /** The module with a bug in it. It replaces the original before anything of the product is loaded. */
  planted?: Planted
}
