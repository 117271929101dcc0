/**
 * A 31-bit digest of `bytes` from `start` to before `end`. It tells a resubmission from an accidental reuse of an id.
 * It does not protect against attackers, who could only spoil ids of their own. It is FNV-1a's loop on four bytes at a
 * time, with a shift that mixes the high bits of a word into the low ones.
 */
export function digestOf(bytes: Uint8Array, start: number, end: number, seed: number): number {
  let hash = seed
  let at = start
  for (const last = end - 3; at < last; at += 4) {
    const word =
      (bytes[at] as number) |
      ((bytes[at + 1] as number) << 8) |
      ((bytes[at + 2] as number) << 16) |
      ((bytes[at + 3] as number) << 24)
    hash = Math.imul(hash ^ word, 0x01000193)
    hash ^= hash >>> 15
  }
  for (; at < end; at += 1) hash = Math.imul(hash ^ (bytes[at] as number), 0x01000193)
  return (hash ^ (end - start)) & 0x7fffffff
}

const OFFSET_BASIS = 0x811c9dc5 | 0

export function digestOfText(text: string): number {
  let hash = OFFSET_BASIS
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193)
  return hash
}
