export const JSON_CONTENT_TYPE = 'application/json'

/** One body: opaque bytes and a content type. Messages keep bodies in columns; see `Bodies`. */
export interface Body {
  bytes: Uint8Array
  /** Absent means `application/json`. */
  contentType?: string
}

const CONTENT_TYPE = /^[\x21-\x7e](?:[\x20-\x7e]*[\x21-\x7e])?$/

/** Whether a text can be a content type: printable ASCII without a space at either end. Its length is for the limits to judge. */
export function isContentType(text: string): boolean {
  return CONTENT_TYPE.test(text)
}

const encoder = new TextEncoder()
// `ignoreBOM` keeps a byte order mark in the text, so that `JSON.parse` refuses it. A body is never changed on its
// way.
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * A value as JSON text. `undefined`, which cannot be converted to JSON, becomes `null`. Throws what `JSON.stringify`
 * throws: a TypeError for a cycle or a bigint.
 */
export function jsonText(value: unknown): string {
  return JSON.stringify(value) ?? 'null'
}

/** The body of a JSON value: its text in UTF-8. Throws as `jsonText` does. */
export function jsonBody(value: unknown): Body {
  return { bytes: encoder.encode(jsonText(value)) }
}

/**
 * The JSON value of a body. Throws a TypeError if the bytes are not UTF-8. Throws a SyntaxError if they are not JSON,
 * or contain the key `__proto__`, which would become a prototype when the value is merged into another one.
 */
export function bodyToJson(body: Body): unknown {
  return parseJson(decoder.decode(body.bytes))
}

/** `JSON.parse` that refuses the key `__proto__` with a SyntaxError. */
export function parseJson(source: string): unknown {
  const value: unknown = JSON.parse(source)
  if (hidesProtoKey(source) && hasProtoKey(value)) {
    throw new SyntaxError('The JSON contains the key __proto__, which is not allowed')
  }
  return value
}

/** Whether JSON text needs the slow check of `hasProtoKey`. The key can be written with escapes. */
export function hidesProtoKey(source: string): boolean {
  return source.includes('__proto__') || source.includes('\\u')
}

/**
 * Whether an object in a JSON value has the key `__proto__`. It works without recursion, because the value may be
 * deep.
 */
export function hasProtoKey(value: unknown): boolean {
  const waiting: unknown[] = [value]
  while (waiting.length > 0) {
    const next = waiting.pop()
    if (typeof next !== 'object' || next === null) continue
    if (!Array.isArray(next) && Object.hasOwn(next, '__proto__')) return true
    for (const inner of Object.values(next)) waiting.push(inner)
  }
  return false
}
