import { crc32 } from 'node:zlib'

/** Includes the batch's number, so that a batch stored under another number does not match. */
export function checksum(batch: number, bytes: Uint8Array): number {
  // The checksum starts with the low 32 bits. Batch numbers may be larger.
  return crc32(bytes, batch >>> 0)
}
