import { BATCH_BODY_BYTES_MAX, type Batch } from './journal.ts'

/** Why a batch may not follow the batch `last`, or undefined where it may. */
export function refusalOf({ batch, bodies }: Batch, last: number): string | undefined {
  if (batch !== last + 1) return `batch ${batch} does not follow batch ${last}`
  if (bodies.length > BATCH_BODY_BYTES_MAX)
    return `batch ${batch} holds ${bodies.length} bytes of bodies, where ${BATCH_BODY_BYTES_MAX} is the most`
  return undefined
}
