import { wholeBetween } from '../torture/random.ts'

/** Bytes on which readers of lengths, numbers and text stumble. */
const ODD = [0x00, 0x01, 0x7f, 0x80, 0xff, 0x22, 0x5c, 0x5b, 0x7b, 0x0d, 0x0a, 0x20, 0x2d, 0x39]
const CHANGES_MAX = 4

/** A copy with one to four changes: bytes altered, taken out, put in or said twice, or the end cut off. */
export function mutated(original: Uint8Array, random: () => number): Uint8Array {
  let bytes = Buffer.from(original)
  for (let left = wholeBetween(random, 1, CHANGES_MAX + 1); left > 0; left -= 1) bytes = changed(bytes, random)
  return bytes
}

function changed(bytes: Buffer, random: () => number): Buffer<ArrayBuffer> {
  const at = wholeBetween(random, 0, Math.max(1, bytes.length))
  const end = Math.min(bytes.length, at + wholeBetween(random, 1, 9))
  const [before, span, behind] = [bytes.subarray(0, at), bytes.subarray(at, end), bytes.subarray(end)]
  switch (wholeBetween(random, 0, 6)) {
    case 0:
      return Buffer.concat([before, span.map((byte) => byte ^ (1 << wholeBetween(random, 0, 8))), behind])
    case 1:
      return Buffer.concat([before, span.map(() => ODD[wholeBetween(random, 0, ODD.length)] as number), behind])
    case 2:
      return Buffer.concat([before, behind])
    case 3:
      return Buffer.concat([before, span, span, behind])
    case 4:
      return Buffer.concat([before, Buffer.from(Array.from(span, () => wholeBetween(random, 0, 256))), span, behind])
    default:
      return Buffer.from(before)
  }
}
