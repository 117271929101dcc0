import { BROKER_API_MUTANTS } from './broker-api-mutants.ts'
import { BROKER_CORE_MUTANTS } from './broker-core-mutants.ts'
import { CLIENT_MUTANTS } from './client-mutants.ts'
import { ENGINE_MUTANTS } from './engine-mutants.ts'
import { JOURNAL_MUTANTS } from './journal-mutants.ts'
import { MACHINES_MUTANTS } from './machines-mutants.ts'
import type { Mutant } from './mutant.ts'
import { OUTBOX_MUTANTS } from './outbox-mutants.ts'

/** Every planted bug. A checker must catch each of them before a thousand seeds have run. */
export const MUTANTS: readonly Mutant[] = [
  ...ENGINE_MUTANTS,
  ...BROKER_CORE_MUTANTS,
  ...BROKER_API_MUTANTS,
  ...JOURNAL_MUTANTS,
  ...CLIENT_MUTANTS,
  ...OUTBOX_MUTANTS,
  ...MACHINES_MUTANTS,
]
