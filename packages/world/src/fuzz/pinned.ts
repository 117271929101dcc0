import { readdirSync, readFileSync } from 'node:fs'
import type { Experiment } from './shrink.ts'

/** A world in which a bug was found that is mended now, made as small as it would go. */
export interface Pinned extends Experiment {
  name: string
  /** What was wrong. */
  wrong: string
  /** The mutant that makes the same mistake again; left out where no mutant does. */
  mutant?: string
  /** The rule that it violates. */
  rule: string
}

const directory = new URL('../../pinned/', import.meta.url)

export const pinned: readonly Pinned[] = readdirSync(directory).map((file) => ({
  name: file.replace(/\.json$/, '').replaceAll('-', ' '),
  ...(JSON.parse(readFileSync(new URL(file, directory), 'utf8')) as Omit<Pinned, 'name'>),
}))
