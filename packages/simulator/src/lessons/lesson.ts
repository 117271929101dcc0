import type { Observation, ObservationType, Scenario, TimedChange } from '@sluice/world'

/** What a run showed, by name. */
export type Figures<Figure extends string = string> = Readonly<Record<Figure, number>>

/** One or two of something; as many as it may be, where the number is not known. */
type Each<Count extends number, T> = Count extends 1 ? readonly [T] : Count extends 2 ? readonly [T, T] : readonly T[]

/** What runs in a lesson. A lesson has one run, or two that differ in one respect and stand side by side. */
export interface LessonRun {
  /** One word or two, such as `no jitter`. */
  label: string
  scenario: Scenario
  changes?: readonly TimedChange[]
}

/** The reader says before the run what will happen. Their guess is drawn beside the outcome. */
export type Prediction<Runs = readonly Figures[]> =
  | {
      kind: 'number'
      question: string
      /** Such as `tasks` or `ms`. */
      unit: string
      min: number
      max: number
      step: number
      /** From the figures of the runs, in their order. */
      outcome(runs: Runs): number
    }
  | Choice<Runs>

/** Choices carry an answer to each option, right or wrong. */
export interface Choice<Runs = readonly Figures[]> {
  kind: 'choice'
  question: string
  options: readonly { text: string; answer: string }[]
  /** The right option by its place, from the figures of the runs. */
  outcome(runs: Runs): number
}

/**
 * One lesson of at most five minutes: predict → run → say what happened → explain → change it → transfer. All text is
 * plain: a paragraph has one idea and a few short sentences. `First` and `Changed` are the numbers of runs.
 */
export interface Lesson<
  Figure extends string = string,
  First extends number = number,
  Changed extends number = number,
> {
  number: number
  /** For addresses, such as `acknowledgement-and-lease`. */
  name: string
  title: string
  /** A question or a promise of one line, for the list of lessons. */
  teaser: string
  /** The rules of SPEC.md that it shows, such as `LEASE-3`. */
  rules: readonly string[]
  /** A problem, before anything is explained. */
  problem: readonly string[]
  runs: Each<First, LessonRun>
  seed: number
  /** The run is shown up to this instant. */
  untilMs: number
  /** Simulated ms in one ms of a watch. The run then takes 10 to 40 s. */
  speed: number
  /** The observations that `measure` receives. */
  looksAt: readonly ObservationType[]
  /** Uses only the observations of one run, up to `untilMs`. */
  measure(seen: readonly Observation[], scenario: Scenario): Figures<Figure>
  /** The meaning of each figure, with its unit. */
  figures: Readonly<Record<Figure, string>>
  predict: Prediction<Each<First, Figures<Figure>>>
  /** What happened, asked before why. */
  observe: Choice<Each<First, Figures<Figure>>>
  explain: readonly string[]
  /** The reader changes one thing, guesses again, and sees it run. */
  change: {
    /** What changes, and why one would. */
    prompt: readonly string[]
    runs: Each<Changed, LessonRun>
    predict: Prediction<Each<Changed, Figures<Figure>>>
    explain: readonly string[]
  }
  /** The same idea in a case that the reader has not seen. `outcome` is constant here. */
  transfer: Choice
  notModelled: readonly string[]
  /** What the lesson says, as an assertion over the figures of its runs. It holds for each of 100 seeds. */
  claim: {
    text: string
    /** Figures of `runs` and of `change.runs`. */
    holds(runs: Each<First, Figures<Figure>>, changed: Each<Changed, Figures<Figure>>): boolean
  }
}
