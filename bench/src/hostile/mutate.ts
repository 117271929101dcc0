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

/** Values at which readers of fields stumble, and those of the right kind that mean something else. */
const ODD_VALUES = [null, true, -1, 1.5, 1e308, '', 'x', [], {}, [[]], { a: 1 }]
const NUMBERS = [0, 1, 2, 3, 5, 10, 1000, 2 ** 31, 2 ** 53 - 1]
const KEEPS_KIND = 0.8
const DESCENDS = 0.9

/** JSON with one change: a value replaced, mostly by one of its kind, left out, or said twice. `texts` replace texts. */
export function altered(value: unknown, random: () => number, texts: readonly string[]): unknown {
  const pick = <T>(list: readonly T[]): T => list[wholeBetween(random, 0, list.length)] as T
  const isKept = random() < KEEPS_KIND
  if (isKept && typeof value === 'number') return pick(NUMBERS)
  if (isKept && typeof value === 'string') return pick(texts)
  const keys = typeof value === 'object' && value !== null ? Object.keys(value) : []
  if (keys.length === 0 || random() > DESCENDS) return pick(ODD_VALUES)
  const key = pick(keys)
  const inner = (value as Record<string, unknown>)[key]
  if (!Array.isArray(value)) {
    const { [key]: _, ...rest } = value as Record<string, unknown>
    return random() < DESCENDS ? { ...rest, [key]: altered(inner, random, texts) } : rest
  }
  if (random() < DESCENDS) return value.with(Number(key), altered(inner, random, texts))
  return random() < 0.5 ? [...value, inner] : value.toSpliced(Number(key), 1)
}
