import { type Body, jsonText } from '@sluice/protocol'

/** The encoded form of an input or an output: JSON text, or a body of another type. */
export type Encoded = string | Body

/** A value that cannot be sent as it is. */
export class UnsendableError extends Error {
  /** Where the value is, such as `input.tags[3]`. */
  readonly path: string

  constructor(path: string, kind: string) {
    super(`${path} is ${kind}, which JSON does not carry${cureOf(kind)}`)
    this.path = path
  }
}

const BYTES = 'application/octet-stream'

/**
 * Encodes a value: a Uint8Array as a copy of its bytes, anything else as JSON. A value that JSON would drop or change
 * silently is refused. Properties that are `undefined` are left out, as JSON does.
 * @param root the name that paths begin with
 * @throws UnsendableError naming the path; what `JSON.stringify` throws for a cycle; TypeError for bytes that were
 * transferred away
 */
export function encodeValue(value: unknown, root: string): Encoded {
  // A copy, because the program and other users of the buffer may change it.
  if (isBytes(value)) return { bytes: new Uint8Array(value), contentType: BYTES }
  return strictJson(value, root)
}

/** The JSON text of a value. Throws as `encodeValue` does, and also for bytes. */
export function strictJson(value: unknown, root: string): string {
  const problem = problemOf(value, [])
  if (problem === undefined) return jsonText(value)
  throw new UnsendableError(root + problem.path, problem.kind)
}

interface Problem {
  path: string
  kind: string
}

const USE_BYTES = ': send a Uint8Array by itself, or base64 text'
const USE_ITS_BYTES = ': send its bytes as a Uint8Array'

/** What to send instead, by the last word of the kind. */
const CURES: Readonly<Record<string, string>> = {
  Map: ': send Object.fromEntries(map) or an array of pairs',
  Set: ': send an array of its values',
  Error: ': send its message',
  Promise: ': await it first',
  array: ': send null',
  ArrayBuffer: USE_BYTES,
  Uint8Array: USE_BYTES,
}

function cureOf(kind: string): string {
  const word = kind.slice(kind.lastIndexOf(' ') + 1)
  return CURES[word] ?? (/.Array$|^DataView$/.test(word) ? USE_ITS_BYTES : '')
}

/** Objects with properties of their own: JSON would keep those and lose the rest. */
const LOSSY = new Set(['Map', 'Set', 'Error'])

/** Objects that JSON replaces by their primitive. */
const BOXES = new Set(['Number', 'String', 'Boolean'])

function problemOf(value: unknown, ancestors: object[]): Problem | undefined {
  switch (typeof value) {
    case 'string':
    case 'boolean':
    case 'undefined':
      return undefined
    case 'number':
      return Number.isFinite(value) ? undefined : here(String(value))
    case 'object':
      return value === null ? undefined : problemIn(value, ancestors)
    default:
      return here(`a ${typeof value}`)
  }
}

function problemIn(value: object, ancestors: object[]): Problem | undefined {
  if (Array.isArray(value)) return problemAmong(value, ancestors)
  const prototype: unknown = Object.getPrototypeOf(value)
  if (prototype !== Object.prototype && prototype !== null) {
    if (ArrayBuffer.isView(value)) return here(oneOf(tagOf(value)))
    if (value instanceof Date && Number.isNaN(value.getTime())) return here('an invalid Date')
  }
  const { toJSON } = value as { toJSON?: unknown }
  if (typeof toJSON === 'function') {
    const said: unknown = toJSON.call(value, '')
    // The result's own `toJSON` is not called.
    if (typeof said !== 'object' || said === null) return said === undefined ? undefined : problemOf(said, ancestors)
    return Array.isArray(said) ? problemAmong(said, ancestors) : problemOfProperties(said, ancestors)
  }
  if (prototype !== Object.prototype && prototype !== null) {
    const tag = tagOf(value)
    const isEmpty = tag !== 'Object' && !BOXES.has(tag) && Object.keys(value).length === 0
    if (isEmpty || LOSSY.has(tag)) return here(oneOf(tag))
  }
  return problemOfProperties(value, ancestors)
}

function problemAmong(items: readonly unknown[], ancestors: object[]): Problem | undefined {
  // JSON.stringify itself reports a cycle.
  if (ancestors.includes(items)) return undefined
  ancestors.push(items)
  for (let index = 0; index < items.length; index++) {
    const item = items[index]
    const problem = item === undefined ? here('undefined in an array') : problemOf(item, ancestors)
    if (problem !== undefined) return { ...problem, path: `[${index}]${problem.path}` }
  }
  ancestors.pop()
  return undefined
}

function problemOfProperties(value: object, ancestors: object[]): Problem | undefined {
  if (ancestors.includes(value)) return undefined
  ancestors.push(value)
  for (const key of Object.keys(value)) {
    const problem =
      key === '__proto__'
        ? here('a key that is refused')
        : problemOf((value as Record<string, unknown>)[key], ancestors)
    if (problem !== undefined) return { ...problem, path: `${stepOf(key)}${problem.path}` }
  }
  ancestors.pop()
  return undefined
}

const here = (kind: string): Problem => ({ path: '', kind })

const oneOf = (tag: string): string => `${/^[AEIO]/.test(tag) ? 'an' : 'a'} ${tag}`

const stepOf = (key: string): string => (/^[\w$]+$/.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`)

function tagOf(value: object): string {
  return value instanceof Error ? 'Error' : Object.prototype.toString.call(value).slice(8, -1)
}

/** A Uint8Array of any realm. */
function isBytes(value: unknown): value is Uint8Array {
  if (typeof value !== 'object' || value === null) return false
  return value instanceof Uint8Array || (ArrayBuffer.isView(value) && tagOf(value) === 'Uint8Array')
}
