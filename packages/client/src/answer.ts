import type { FailedLease } from '@sluice/protocol'
import type { Encoded } from './encode-value.ts'

/** What the broker is told of a lease. */
export type Answer =
  | { kind: 'complete'; output: Encoded }
  | { kind: 'fail'; failure: FailedLease }
  | { kind: 'release' }
