import type { FailedLease } from '@sluice/protocol'
import type { Output } from './handler.ts'

/** What the broker is told of a lease. */
export type Answer = { kind: 'complete'; output: Output } | { kind: 'fail'; failure: FailedLease } | { kind: 'release' }
