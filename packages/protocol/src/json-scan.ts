const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/**
 * Whether the JSON in `bytes[start, end)` nests no deeper than `depthMax`. It works on any bytes, valid JSON or not,
 * and without recursion, so that it can run before `JSON.parse`.
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

/** Whether `source` has at most `max` opening brackets, anywhere. */
export function opensAtMost(source: string, max: number): boolean {
  let count = 0
  for (const bracket of ['[', '{']) {
    for (let at = source.indexOf(bracket); at >= 0; at = source.indexOf(bracket, at + 1)) {
      count++
      if (count > max) return false
    }
  }
  return true
}

/** The raw texts of the inline bodies of each message, by its index in the frame. */
export type BodyTexts = ReadonlyMap<number, string[]>

/** Frame array, message object, list of bodies: an inline body is an item at this depth. */
export const BODY_DEPTH = 3

/**
 * One pass over the text of a frame, before `JSON.parse`. It checks the depth (`null` if it exceeds `depthMax`) and
 * cuts out the inline bodies as they were written, because parse and stringify may lose digits of numbers. It
 * tolerates invalid JSON: its result then means nothing, and `JSON.parse` refuses the text next.
 */
export function scanTextFrame(source: string, depthMax: number): BodyTexts | null {
  const bodies = new Map<number, string[]>()
  let depth = 0
  let message = 0
  /** Whether the frame is an array, whether its current message is an object, and the last key of that message. */
  let inFrame = false
  let inMessage = false
  let key = ''
  let keyNext = false
  let texts: string[] | null = null
  let bodyStart = 0

  for (let i = 0; i < source.length; i++) {
    const code = source.charCodeAt(i)
    if (code === QUOTE) {
      const start = i
      for (i++; i < source.length; i++) {
        const inside = source.charCodeAt(i)
        if (inside === QUOTE) break
        if (inside === BACKSLASH) i++
      }
      if (keyNext && depth === 2) key = keyText(source.slice(start, i + 1))
    } else if (code === COLON) {
      if (depth === 2) keyNext = false
    } else if (code === COMMA) {
      if (depth === 1) message++
      else if (depth === 2) keyNext = inMessage
      else if (depth === BODY_DEPTH && texts !== null) {
        texts.push(source.slice(bodyStart, i).trim())
        bodyStart = i + 1
      }
    } else if (code === OPEN_BRACE || code === OPEN_BRACKET) {
      depth++
      if (depth > depthMax) return null
      if (depth === 1) inFrame = code === OPEN_BRACKET
      else if (depth === 2) {
        inMessage = inFrame && code === OPEN_BRACE
        keyNext = inMessage
        key = ''
      } else if (depth === BODY_DEPTH && inMessage && key === 'bodies' && code === OPEN_BRACKET) {
        // If a key occurs twice, the second one counts, as in `JSON.parse`.
        texts = []
        bodies.set(message, texts)
        bodyStart = i + 1
      }
    } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
      if (depth === BODY_DEPTH && texts !== null) {
        const last = source.slice(bodyStart, i).trim()
        if (last !== '' || texts.length > 0) texts.push(last)
        texts = null
      }
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
      // A surrogate pair is two units and four bytes.
      bytes += 2
      i++
    } else {
      bytes += 2
    }
  }
  return bytes
}
