/** Checks whether a value from a file has the required form. */
export type Shape = (value: unknown, path: string) => void

/** For a field that may be left out. */
export interface Optional {
  readonly optional: Shape
}

/** A shape for each field of T. A new field of T needs a shape before this compiles. */
export type Fields<T> = {
  readonly [K in keyof T]-?: Record<string, never> extends Pick<T, K> ? Optional : Shape
}

/** What is wrong, in one line that names the field. */
export class ShapeError extends Error {
  override readonly name = 'ShapeError'
}

function wrong(path: string, expected: string, value: unknown): never {
  throw new ShapeError(`${path} has to be ${expected}, not ${shown(value)}`)
}

function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? 'absent'
  return text.length > 60 ? `${text.slice(0, 60)}…` : text
}

export function optional(shape: Shape): Optional {
  return { optional: shape }
}

export function number(min: number, max = Number.POSITIVE_INFINITY): Shape {
  const expected = max === Number.POSITIVE_INFINITY ? `a number of at least ${min}` : `a number from ${min} to ${max}`
  return (value, path) => {
    if (typeof value !== 'number' || !(value >= min && value <= max)) wrong(path, expected, value)
  }
}

export function whole(min: number): Shape {
  return (value, path) => {
    if (!Number.isSafeInteger(value) || (value as number) < min) wrong(path, `a whole number of at least ${min}`, value)
  }
}

export const text: Shape = (value, path) => {
  if (typeof value !== 'string') wrong(path, 'a text', value)
}

export const truth: Shape = (value, path) => {
  if (typeof value !== 'boolean') wrong(path, 'true or false', value)
}

export function oneOf<T extends string>(...values: readonly T[]): Shape {
  return (value, path) => {
    if (!values.includes(value as T)) wrong(path, `one of ${values.join(', ')}`, value)
  }
}

export function list(item: Shape, min = 0): Shape {
  return (value, path) => {
    if (!Array.isArray(value) || value.length < min)
      wrong(path, min === 0 ? 'a list' : `a list of ${min} at least`, value)
    for (const [at, one] of (value as unknown[]).entries()) item(one, `${path}[${at}]`)
  }
}

function objectAt(value: unknown, path: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(path, 'an object', value)
  return value as Record<string, unknown>
}

/** An object whose keys are names. */
export function byName(item: Shape): Shape {
  return (value, path) => {
    for (const [name, one] of Object.entries(objectAt(value, path))) item(one, `${path}.${name}`)
  }
}

export function object<T>(fields: Fields<T>): Shape {
  const shapes = Object.entries(fields) as [string, Shape | Optional][]
  return (value, path) => {
    const given = objectAt(value, path)
    for (const name of Object.keys(given)) {
      if (Object.hasOwn(fields, name)) continue
      throw new ShapeError(`${path} has no field ${name}; it may have ${shapes.map(([known]) => known).join(', ')}`)
    }
    for (const [name, shape] of shapes) {
      if (typeof shape === 'function') shape(given[name], `${path}.${name}`)
      else if (given[name] !== undefined) shape.optional(given[name], `${path}.${name}`)
    }
  }
}

/** An object of one of several kinds. Its field `tag` names the kind. */
export function tagged<Tag extends string, T extends { readonly [K in Tag]: string }>(
  tag: Tag,
  kinds: { readonly [Kind in T[Tag]]: Fields<Omit<Extract<T, { readonly [K in Tag]: Kind }>, Tag>> },
): Shape {
  const names = Object.keys(kinds)
  const shapes = new Map(
    names.map((kind) => [kind, object({ [tag]: text, ...kinds[kind as T[Tag]] } as unknown as Fields<object>)]),
  )
  return (value, path) => {
    const kind = objectAt(value, path)[tag]
    oneOf(...names)(kind, `${path}.${tag}`)
    shapes.get(kind as string)?.(value, path)
  }
}
