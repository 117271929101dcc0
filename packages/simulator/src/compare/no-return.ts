import type { Change, Observation, ObservationType, Scenario } from '@sluice/world'
import { phenomena } from '@sluice/world/phenomena'
import type { Plan } from '../engine/run.ts'
import type { Figures } from '../lessons/lesson.ts'
import { coarseFirst } from './coarse-first.ts'

/** What is done at the instant, besides that the cause ends. */
export type Remedy = 'none' | 'worker'

export const REMEDIES: readonly { remedy: Remedy; words: string }[] = [
  { remedy: 'none', words: 'the cause stops, and nothing else changes' },
  { remedy: 'worker', words: 'the cause stops, and a second worker comes' },
]

/** A run that breaks down, of which the futures are asked. */
export interface Case {
  name: string
  title: string
  text: readonly string[]
  variants: readonly { label: string; scenario: Scenario }[]
  seed: number
  /** When the cause begins and ends in the run that nobody touches. */
  trigger: { fromMs: number; untilMs: number; words: string }
  /** Futures are asked for at these instants. */
  instants: readonly number[]
  /** The run that nobody touches is drawn up to here. */
  drawnUntilMs: number
  /** A future is judged at this time. */
  untilMs: number
  looksAt: readonly ObservationType[]
  measure(seen: readonly Observation[], scenario: Scenario): Figures
  recovers(figures: Figures): boolean
  /** What it means to recover. */
  recovery: string
}

/** From the first one to below the last one. */
function range(from: number, below: number, step: number): number[] {
  return Array.from({ length: Math.ceil((below - from) / step) }, (_, at) => from + at * step)
}

function metastable(): Case {
  const phenomenon = phenomena.find(({ name }) => name === 'metastable failure')
  if (phenomenon === undefined) throw new Error('the metastable failure is not there')
  const { scenarios, looksAt, measure } = phenomenon
  const [atOnce, budget] = [scenarios['at once'] as Scenario, scenarios.budget as Scenario]
  const planned = atOnce.script?.[0]
  if (planned?.fault.type !== 'pause') throw new Error('the metastable failure has no trigger')
  const { atMs, fault } = planned
  return {
    name: 'metastable',
    title: 'A shop that never comes back',
    text: [
      'One worker does 11 orders a second, and 7 arrive. Then it stands still for three seconds. Users wait for one second and try again, up to three times.',
      'The cause is over soon. But the retries are more work than the worker can do, and all of it is too late for the users, so they retry.',
    ],
    variants: [
      { label: 'retries at once', scenario: atOnce },
      { label: 'retry budget', scenario: budget },
    ],
    seed: 1,
    trigger: { fromMs: atMs, untilMs: atMs + fault.forMs, words: 'the worker stands still' },
    // They lie closer together where the cause has just begun.
    instants: [...range(2000, 4000, 500), ...range(4000, 6000, 250), ...range(6000, 12_500, 500)],
    drawnUntilMs: 20_000,
    untilMs: atOnce.durationMs,
    looksAt,
    measure: (seen, scenario) => measure(seen, scenario),
    recovers: ({ atLast = 0 }) => atLast >= 0.9,
    recovery: 'At least 90 % of the users are served in time in the last seven seconds.',
  }
}

export const cases: readonly Case[] = [metastable()]

/** @throws RangeError if there is no case of this name */
export function caseOf(name: string): Case {
  const found = cases.find((one) => one.name === name)
  if (found === undefined) throw new RangeError(`there is no case ${name}`)
  return found
}

/** One of the futures of a case: the same past, and other chance from the instant on, at which the cause ends. */
export function futureOf(
  { variants, seed }: Case,
  future: { variant: number; remedy: Remedy; atMs: number; seed: number },
): Plan {
  const variant = variants[future.variant]
  if (variant === undefined) throw new RangeError(`there is no variant ${future.variant}`)
  const changes: Change[] = [{ type: 'endFaults' }, { type: 'reseed', seed: future.seed }]
  if (future.remedy === 'worker') changes.push({ type: 'workers', group: 0, count: 2 })
  return {
    scenario: variant.scenario,
    seed,
    changes: changes.map((change) => ({ atMs: future.atMs, change })),
  }
}

/** A future that was asked for, in the order in which a picture of the whole appears soonest. */
export interface Question {
  variant: number
  atMs: number
  seed: number
}

export function questionsOf(own: Case, seeds: number): Question[] {
  const order = coarseFirst(own.instants)
  return Array.from({ length: seeds }, (_, at) => at + 1).flatMap((seed) =>
    order.flatMap((atMs) => own.variants.map((_, variant) => ({ variant, atMs, seed }))),
  )
}

export interface Share {
  atMs: number
  recovered: number
  asked: number
  /** NaN where nothing was asked yet. */
  share: number
  /** What so few futures leave open: the true share is in here 9 times of 10. */
  low: number
  high: number
}

/** The share of futures that recover, by instant, of one variant. */
export function sharesOf(
  instants: readonly number[],
  variant: number,
  answers: readonly (Question & { recovers: boolean })[],
): Share[] {
  return instants.map((atMs) => {
    const own = answers.filter((answer) => answer.variant === variant && answer.atMs === atMs)
    const recovered = own.filter(({ recovers }) => recovers).length
    return { atMs, recovered, asked: own.length, share: recovered / own.length, ...interval(recovered, own.length) }
  })
}

/** Of the normal distribution: 90 % lie within so many standard deviations. */
const Z = 1.645

/** The Wilson interval of a share. */
function interval(recovered: number, asked: number): { low: number; high: number } {
  if (asked === 0) return { low: 0, high: 1 }
  const share = recovered / asked
  const middle = (share + Z ** 2 / (2 * asked)) / (1 + Z ** 2 / asked)
  const half = (Z * Math.sqrt((share * (1 - share)) / asked + Z ** 2 / (4 * asked ** 2))) / (1 + Z ** 2 / asked)
  return { low: Math.max(0, middle - half), high: Math.min(1, middle + half) }
}

/**
 * When collapse became inevitable: the last instant at which at least half of the futures recover, and the first from
 * which on at most one in twenty does. Undefined if it never does, or if not every instant was asked.
 */
export function noReturnOf(shares: readonly Share[]): { openUntilMs: number; lostFromMs: number } | undefined {
  if (shares.some(({ asked }) => asked === 0)) return undefined
  const lastOpen = shares.findLastIndex(({ share }) => share >= 0.5)
  const lastAlive = shares.findLastIndex(({ share }) => share > 0.05)
  const lost = shares[lastAlive + 1]
  if (lost === undefined) return undefined
  return { openUntilMs: shares[lastOpen]?.atMs ?? lost.atMs, lostFromMs: lost.atMs }
}
