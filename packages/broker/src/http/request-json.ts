import { parseExact } from '@sluice/protocol'
import { HttpRefusal } from './error-response.ts'

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** Whether text may hold a number with more digits than a JavaScript number keeps, or an exponent past its range. */
const MAY_LOSE_DIGITS = /\d[\d.]{15}|\d[eE][-+]?\d/

/**
 * The JSON of a request, with exact numbers as `parseExact` gives them, because a body is passed on and not computed
 * with.
 * @throws HttpRefusal if the bytes are not UTF-8 or not JSON, or nest deeper than `depthMax`
 */
export function requestJson(bytes: ArrayBuffer, depthMax: number): unknown {
  if (bytes.byteLength === 0) {
    const message =
      'The request has no body: send JSON, such as {"queue":"greet","body":{"name":"Ada"}} to POST /v1/tasks.'
    throw new HttpRefusal({ code: 'bad_message', field: 'body', message })
  }
  let text: string
  let value: unknown
  try {
    text = utf8.decode(bytes)
    value = JSON.parse(text)
  } catch (caught) {
    const why = caught instanceof SyntaxError ? `JSON: ${caught.message}` : 'UTF-8'
    throw new HttpRefusal({ code: 'bad_message', field: 'body', message: `The body is not ${why}.` })
  }
  // The code below recurses into the value.
  if (isDeeperThan(value, depthMax)) {
    const message = `Objects and arrays nest at most ${depthMax} deep.`
    throw new HttpRefusal({ code: 'too_large', field: 'body', limit: depthMax, message })
  }
  return MAY_LOSE_DIGITS.test(text) ? parseExact(text) : value
}

/** Whether objects and arrays nest deeper in a JSON value. Works level by level, without recursion. */
export function isDeeperThan(value: unknown, depthMax: number): boolean {
  let level = [value].filter(isContainer)
  for (let depth = 0; level.length > 0; depth += 1) {
    if (depth === depthMax) return true
    level = level.flatMap((container) => Object.values(container).filter(isContainer))
  }
  return false
}

function isContainer(value: unknown): value is object {
  return typeof value === 'object' && value !== null
}
