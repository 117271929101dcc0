import type { Batch } from './journal.ts'

/** Why a journal with this `batchBytesMax` may not append the batch after the batch `last`. Undefined if it may. */
export function refusalOf({ batch, bodies }: Batch, last: number, batchBytesMax: number): string | undefined {
  if (batch !== last + 1) return `batch ${batch} does not follow batch ${last}`
  if (bodies.length > batchBytesMax)
    return `batch ${batch} holds ${bodies.length} bytes of bodies, where ${batchBytesMax} is the most`
  return undefined
}
