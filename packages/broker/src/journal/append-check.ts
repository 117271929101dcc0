import { BATCH_BODY_BYTES_MAX, type Batch } from './journal.ts'

/** The last batch number that a body's ref can name. */
const BATCH_MAX = 2 ** 27 - 1

/** Why a batch may not follow the batch `last`, or undefined where it may. */
export function refusalOf({ batch, bodies }: Batch, last: number): string | undefined {
  if (batch !== last + 1) return `batch ${batch} does not follow batch ${last}`
  if (batch > BATCH_MAX) return `batch ${batch} is past ${BATCH_MAX}, the last that a body's ref can name`
  if (bodies.length > BATCH_BODY_BYTES_MAX)
    return `batch ${batch} holds ${bodies.length} bytes of bodies, where ${BATCH_BODY_BYTES_MAX} is the most`
  return undefined
}
