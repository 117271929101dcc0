import type { Encoded } from '../encode-value.ts'

/** The value that was encoded: bytes as they are, a text as the JSON that it is. */
export function inputOf(body: Encoded): unknown {
  return typeof body === 'string' ? JSON.parse(body) : body.bytes
}
