interface IdPlatform {
  /** The wall clock in ms since 1970. */
  epochMs(): number
  randomBytes(count: number): Uint8Array
}

/** Makes task ids: UUIDv7 (RFC 9562 §5.7) with 74 random bits, sorted to the millisecond. */
export function taskIdSource({ epochMs, randomBytes }: IdPlatform): () => string {
  return () => {
    const bytes = new Uint8Array(16)
    bytes.set(randomBytes(10), 6)
    new DataView(bytes.buffer).setBigUint64(
      0,
      (BigInt(Math.floor(epochMs())) << 16n) | BigInt((bytes[6]! << 8) | bytes[7]!),
    )
    bytes[6] = (bytes[6]! & 0x0f) | 0x70
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`
  }
}
