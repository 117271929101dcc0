import { readdirSync, readFileSync } from 'node:fs'
import type { Experiment } from './shrink.ts'

/** A world that showed a bug which is fixed now, made as small as possible. */
export interface Pinned extends Experiment {
  name: string
  /** What was wrong. */
  wrong: string
  /** The mutant that makes the same mistake again; left out if no mutant does. */
  mutant?: string
  /** The rule that it violates. */
  rule: string
}

const directory = new URL('../../pinned/', import.meta.url)

export const pinned: readonly Pinned[] = readdirSync(directory).map((file) => ({
  name: file.replace(/\.json$/, '').replaceAll('-', ' '),
  ...(JSON.parse(readFileSync(new URL(file, directory), 'utf8')) as Omit<Pinned, 'name'>),
}))
