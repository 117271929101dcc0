import type { Figure } from './figure.ts'

export type Scale = 'full' | 'quick'

/** What was run, in words and numbers that a reader needs to run it again. */
export type Configuration = Record<string, string | number>

export interface Measured {
  configuration: Configuration
  figures: Figure[]
}

/** One measurement. `quick` runs the same code on a small scale: it shows that all of it works, and its figures mean nothing. */
export interface Bench {
  name: string
  run(scale: Scale): Promise<Measured>
}
