/** What a reviver is told of a primitive, and its counterpart for `JSON.stringify` (ECMAScript, JSON.parse source text access). */
interface SourceTextJson {
  parse(text: string, reviver: (key: string, value: unknown, context: { source?: string }) => unknown): unknown
  rawJSON(text: string): unknown
}

const exact = JSON as unknown as SourceTextJson

/**
 * `JSON.parse` for a value that is only handed on: a number that JavaScript would spell otherwise, such as one of twenty digits,
 * becomes an object that `JSON.stringify` writes as it was written here.
 * @throws SyntaxError where it is no JSON, RangeError where it nests some thousands deep
 */
export function parseExact(text: string): unknown {
  return exact.parse(text, (_key, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? exact.rawJSON(source) : value,
  )
}
