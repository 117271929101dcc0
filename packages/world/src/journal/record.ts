const HEADER_BYTES = 20

export interface StoredBatch {
  batch: number
  /** The text that the product's encoder made. */
  events: Uint8Array
  bodies: Uint8Array
}

/** One batch as stored on the disk: length, checksum, number, and how much of the rest is events. */
export function writeRecord({ batch, events, bodies }: StoredBatch): Uint8Array {
  const record = new Uint8Array(HEADER_BYTES + events.length + bodies.length)
  const view = new DataView(record.buffer)
  record.set(events, HEADER_BYTES)
  record.set(bodies, HEADER_BYTES + events.length)
  view.setUint32(0, record.length)
  view.setFloat64(8, batch)
  view.setUint32(16, events.length)
  view.setUint32(4, checksumOf(record))
  return record
}

/** Undefined if the record was torn: it is too short, or its checksum does not match. */
export function readRecord(record: Uint8Array): StoredBatch | undefined {
  if (record.length < HEADER_BYTES) return undefined
  const view = new DataView(record.buffer, record.byteOffset, record.length)
  if (view.getUint32(0) !== record.length || view.getUint32(4) !== checksumOf(record)) return undefined
  const bodiesAt = HEADER_BYTES + view.getUint32(16)
  return {
    batch: view.getFloat64(8),
    events: record.subarray(HEADER_BYTES, bodiesAt),
    bodies: record.subarray(bodiesAt),
  }
}

/** FNV-1a over everything after the checksum. */
function checksumOf(record: Uint8Array): number {
  let hash = 0x811c9dc5
  for (let at = 8; at < record.length; at += 1) hash = Math.imul(hash ^ (record[at] as number), 0x01000193)
  return hash >>> 0
}
