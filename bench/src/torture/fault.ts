import type { Configuration, Scale } from '../bench.ts'
import type { Figure } from '../figure.ts'

/** What one round showed. */
export interface Round {
  /** One line for the person who watches. */
  summary: string
  /** What went against a promise, each with what is needed to look into it. */
  findings: string[]
}

/** A fault that is being done again and again. */
export interface FaultRun extends AsyncDisposable {
  readonly configuration: Configuration
  /** Rounds count from 0. Equal seeds give equal choices, as far as processes and clocks allow. */
  run(round: number, seed: number): Promise<Round>
  /** Looks once more at the whole, after the last round. */
  end?(): Promise<string[]>
  /** Of all rounds so far, which are one at least. */
  figures(): Figure[]
}

/** One way in which processes and disks misbehave. */
export interface Fault {
  readonly name: string
  readonly about: string
  /** Why this machine cannot do it; undefined where it can. */
  obstacle?(): string | undefined
  /** Sets up what lives through all rounds. `quick` shows in seconds that it works, with fewer and smaller rounds. */
  begin(scale: Scale, seed: number): Promise<FaultRun>
}

/** An error that should not have been, in one line: what it is, and where it came from. */
export function wordsOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const [, place = ''] = /\n\s+(at .*)/.exec(error.stack ?? '') ?? []
  return `${error.name}: ${error.message} ${place}`
}
