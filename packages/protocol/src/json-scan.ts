const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/**
 * Whether the JSON in `bytes[start, end)` nests no deeper than `depthMax`. Works on any bytes, valid JSON or not, without
 * recursion, so that it can stand before `JSON.parse`.
 */
export function isShallow(bytes: Uint8Array, start: number, end: number, depthMax: number): boolean {
  let depth = 0
  for (let i = start; i < end; i++) {
    const code = bytes[i]!
    if (code === QUOTE) {
      for (i++; i < end; i++) {
        const inside = bytes[i]!
        if (inside === QUOTE) break
        if (inside === BACKSLASH) i++
      }
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      if (++depth > depthMax) return false
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      depth--
    }
  }
  return true
}

/** Where the raw text of each inline body stands: `message index.list name.item index` → its text. */
export type BodyTexts = ReadonlyMap<string, string>

/** Frame array, message object, list array, item object: a `body` is a field at this depth. */
export const ITEM_DEPTH = 4

/**
 * One pass over the text of a frame, before `JSON.parse`: checks the depth (`null` when it is past `depthMax`) and cuts out the
 * inline bodies as they were written, for a body that goes through parse and stringify may lose digits of its numbers.
 * Tolerates invalid JSON; what it finds there means nothing, and `JSON.parse` refuses it next.
 */
export function scanTextFrame(source: string, depthMax: number): BodyTexts | null {
  const bodies = new Map<string, string>()
  // Per depth up to ITEM_DEPTH: is it an object; which item of an array; which key of an object.
  const isObject: boolean[] = [false, false, false, false, false]
  const index: number[] = [0, 0, 0, 0, 0]
  const key: string[] = ['', '', '', '', '']
  let depth = 0
  let keyNext = false
  let bodyStart = -1

  const endBody = (end: number): void => {
    if (bodyStart < 0 || depth !== ITEM_DEPTH) return
    bodies.set(`${index[1]}.${key[2]}.${index[3]}`, source.slice(bodyStart, end).trim())
    bodyStart = -1
  }

  for (let i = 0; i < source.length; i++) {
    const code = source.charCodeAt(i)
    if (code === QUOTE) {
      const start = i
      for (i++; i < source.length; i++) {
        const inside = source.charCodeAt(i)
        if (inside === QUOTE) break
        if (inside === BACKSLASH) i++
      }
      if (keyNext && depth <= ITEM_DEPTH) key[depth] = keyText(source.slice(start, i + 1))
    } else if (code === COLON) {
      keyNext = false
      if (
        depth === ITEM_DEPTH &&
        key[ITEM_DEPTH] === 'body' &&
        !isObject[1] &&
        isObject[2] &&
        !isObject[3] &&
        isObject[ITEM_DEPTH]
      ) {
        bodyStart = i + 1
      }
    } else if (code === COMMA) {
      endBody(i)
      if (depth <= ITEM_DEPTH) {
        keyNext = isObject[depth] === true
        index[depth] = index[depth]! + 1
      }
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth++
      if (depth > depthMax) return null
      keyNext = code === OPEN_BRACE
      if (depth <= ITEM_DEPTH) {
        isObject[depth] = keyNext
        index[depth] = 0
      }
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      endBody(i)
      if (depth > 0) depth--
    }
  }
  return bodies
}

function keyText(literal: string): string {
  if (!literal.includes('\\')) return literal.slice(1, -1)
  try {
    return String(JSON.parse(literal))
  } catch {
    return ''
  }
}

/** Bytes of `source` in UTF-8. A lone surrogate counts as the three bytes of its replacement, as a WebSocket sends it. */
export function utf8Length(source: string): number {
  let bytes = source.length
  for (let i = 0; i < source.length; i++) {
    const code = source.charCodeAt(i)
    if (code < 0x80) continue
    if (code < 0x800) {
      bytes += 1
    } else if (code >= 0xd800 && code < 0xdc00 && (source.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      // A pair is two units and four bytes.
      bytes += 2
      i++
    } else {
      bytes += 2
    }
  }
  return bytes
}
