import { crc32 } from 'node:zlib'

/** It depends on the batch's number too, so that a batch under another number does not match. */
export function checksum(batch: number, bytes: Uint8Array): number {
  // A checksum begins with 32 bits, and numbers go on past them.
  return crc32(bytes, batch >>> 0)
}
