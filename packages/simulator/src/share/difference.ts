/**
 * How one piece of plain data differs from another, as short as possible.
 * - `[value]`: it is this value instead.
 * - `0`: it is not there.
 * - `{ key: difference, … }`: these fields, or places of a list, differ. `#` is the new length of a list.
 */
export type Difference = readonly [unknown] | 0 | { readonly [key: string]: Difference | number }

const LENGTH = '#'
/** More places than this no list of a scenario has. */
const LENGTH_MAX = 10_000

type Composite = Record<string, unknown> | unknown[]

/** Undefined if they are equal. Both must be what JSON can say. */
export function differenceOf(from: unknown, to: unknown): Difference | undefined {
  if (Object.is(from, to)) return undefined
  if (!isComposite(from) || !isComposite(to) || Array.isArray(from) !== Array.isArray(to)) return [to]
  const fields: Record<string, Difference | number> = {}
  for (const key of Object.keys(from)) if (!(key in to) && !Array.isArray(to)) fields[key] = 0
  for (const [key, value] of Object.entries(to)) {
    if (value === undefined) continue
    const difference = key in from ? differenceOf((from as Record<string, unknown>)[key], value) : ([value] as const)
    if (difference !== undefined) fields[key] = difference
  }
  if (Array.isArray(from) && Array.isArray(to) && from.length !== to.length) fields[LENGTH] = to.length
  if (Object.keys(fields).length === 0) return undefined
  // To say it anew may be shorter.
  return JSON.stringify(fields).length < JSON.stringify([to]).length ? fields : [to]
}

/**
 * What `differenceOf` was given as `to`.
 * @throws RangeError naming the field that the difference speaks of and that is not there
 */
export function applied(from: unknown, difference: Difference | undefined, path = 'scenario'): unknown {
  if (difference === undefined) return from
  if (Array.isArray(difference)) return difference[0]
  if (typeof difference !== 'object') throw new RangeError(`${path}: ${String(difference)} says nothing`)
  if (!isComposite(from)) throw new RangeError(`${path}: there are no fields in it that could differ`)
  const to = (Array.isArray(from) ? [...from] : { ...from }) as Record<string, unknown>
  for (const [key, change] of Object.entries(difference)) {
    if (Array.isArray(to) && key === LENGTH) {
      if (!Number.isInteger(change) || (change as number) < 0 || (change as number) > LENGTH_MAX)
        throw new RangeError(`${path}: ${String(change)} is no length`)
      to.length = change as number
    } else if (change === 0) delete to[key]
    else if (key === '__proto__' || (Array.isArray(to) && !isPlace(key)))
      throw new RangeError(`${path}: ${key} is no place in it`)
    else to[key] = Array.isArray(change) ? change[0] : applied(to[key], change as Difference, `${path}.${key}`)
  }
  return to
}

function isComposite(value: unknown): value is Composite {
  return typeof value === 'object' && value !== null
}

function isPlace(key: string): boolean {
  return /^\d{1,4}$/.test(key)
}
