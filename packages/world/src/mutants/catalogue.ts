import { BROKER_MUTANTS } from './broker-mutants.ts'
import { CLIENT_MUTANTS } from './client-mutants.ts'
import { ENGINE_MUTANTS } from './engine-mutants.ts'
import type { Mutant } from './mutant.ts'

/** Every planted bug: each is to be caught by a checker before a thousand seeds have run. */
export const MUTANTS: readonly Mutant[] = [...ENGINE_MUTANTS, ...BROKER_MUTANTS, ...CLIENT_MUTANTS]
