/**
 * A 31-bit FNV-1a digest: enough to tell a resubmission from an accident that reuses an id, not meant against an
 * attacker, who could only spoil ids of his own.
 */
export function digestOf(bytes: Uint8Array, seed: number): number {
  let hash = seed
  for (let i = 0; i < bytes.length; i += 1) hash = Math.imul(hash ^ (bytes[i] as number), 0x01000193)
  return (hash ^ bytes.length) & 0x7fffffff
}

const OFFSET_BASIS = 0x811c9dc5 | 0

export function digestOfText(text: string): number {
  let hash = OFFSET_BASIS
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}
