const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const INVALID = 255

const VALUES = new Uint8Array(128).fill(INVALID)
for (let i = 0; i < 64; i++) VALUES[ALPHABET.charCodeAt(i)] = i

/** Base64 with the standard alphabet and padding (RFC 4648 §4). */
export function toBase64(bytes: Uint8Array): string {
  let out = ''
  let i = 0
  for (; i + 2 < bytes.length; i += 3) {
    const word = (bytes[i]! << 16) | (bytes[i + 1]! << 8) | bytes[i + 2]!
    out += ALPHABET[word >> 18]! + ALPHABET[(word >> 12) & 63]! + ALPHABET[(word >> 6) & 63]! + ALPHABET[word & 63]!
  }
  if (i + 1 === bytes.length) {
    const word = bytes[i]! << 16
    out += `${ALPHABET[word >> 18]}${ALPHABET[(word >> 12) & 63]}==`
  } else if (i + 2 === bytes.length) {
    const word = (bytes[i]! << 16) | (bytes[i + 1]! << 8)
    out += `${ALPHABET[word >> 18]}${ALPHABET[(word >> 12) & 63]}${ALPHABET[(word >> 6) & 63]}=`
  }
  return out
}

/** The bytes, or `null` if `source` is not padded base64 with the standard alphabet in its canonical form. */
export function fromBase64(source: string): Uint8Array | null {
  if (source.length % 4 !== 0) return null
  const padding = source.endsWith('==') ? 2 : source.endsWith('=') ? 1 : 0
  const bytes = new Uint8Array((source.length / 4) * 3 - padding)
  const end = source.length - padding
  let word = 0
  let bits = 0
  let at = 0
  for (let i = 0; i < end; i++) {
    const code = source.charCodeAt(i)
    const value = code < 128 ? VALUES[code]! : INVALID
    if (value === INVALID) return null
    word = ((word << 6) | value) & 0xfff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at++] = (word >> bits) & 0xff
    }
  }
  // The bits after the last byte must be zero. Otherwise two texts would mean the same bytes.
  return (word & ((1 << bits) - 1)) === 0 ? bytes : null
}
