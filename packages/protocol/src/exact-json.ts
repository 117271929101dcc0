/**
 * What a reviver receives for a primitive, and its counterpart for `JSON.stringify` (ECMAScript, JSON.parse source
 * text access).
 */
interface SourceTextJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
  rawJSON(text: string): unknown
}

const exact = JSON as unknown as SourceTextJson

/**
 * `JSON.parse` for a value that is only passed on. A number that JavaScript would write differently, such as one of
 * twenty digits, becomes an object that `JSON.stringify` writes as it was.
 * @throws SyntaxError if it is not JSON, RangeError if it nests some thousands deep
 */
export function parseExact(text: string): unknown {
  return exact.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? exact.rawJSON(source) : value,
  )
}
