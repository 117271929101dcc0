import { utf8Length } from '@sluice/protocol'
import type { Encoded } from './encode-value.ts'

/** The size of an output if it exceeds `bytesMax`, otherwise 0. */
export function bytesPast(output: Encoded, bytesMax: number): number {
  // UTF-8 takes at most three bytes for a UTF-16 unit.
  if (typeof output === 'string' && output.length * 3 <= bytesMax) return 0
  const bytes = typeof output === 'string' ? utf8Length(output) : output.bytes.length
  return bytes > bytesMax ? bytes : 0
}
