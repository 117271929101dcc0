import type { ErrorCode, WireError } from './errors.ts'
import { DURATION_MS_MAX, type Limits } from './limits.ts'

/** A parsed JSON object with unknown content. Only known names are ever read from it. */
export type Fields = Record<string, unknown>

/**
 * Why a frame is refused. The decoder throws it inside and catches it at its entry points. It is deliberately not an
 * `Error`, so that a flood of bad frames does not cost stack traces.
 */
export class Refusal {
  readonly code: ErrorCode
  readonly message: string
  readonly limit: number | undefined
  field: string

  constructor(code: ErrorCode, message: string, field: string, limit?: number) {
    this.code = code
    this.message = message
    this.field = field
    this.limit = limit
  }

  toWire(): WireError {
    const error: WireError = { code: this.code, message: this.message, field: this.field }
    if (this.limit !== undefined) error.limit = this.limit
    return error
  }
}

/** Puts `prefix` before the field path of a caught refusal and returns what must be thrown again. */
export function within(caught: unknown, prefix: string): unknown {
  if (caught instanceof Refusal) caught.field = caught.field === '' ? prefix : `${prefix}.${caught.field}`
  return caught
}

export function badMessage(message: string, field: string, limit?: number): Refusal {
  return new Refusal('bad_message', message, field, limit)
}

export function tooLarge(message: string, field: string, limit: number): Refusal {
  return new Refusal('too_large', message, field, limit)
}

export function record(value: unknown): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badMessage('An object is needed here.', '')
  }
  return value as Fields
}

export function recordAt(fields: Fields, key: string): Fields {
  const value = fields[key]
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw badMessage('An object is needed here.', key)
  }
  return value as Fields
}

export function integer(value: unknown, key: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) {
    throw badMessage(`An integer from ${min} to ${max} is needed here.`, key)
  }
  if (value < min) throw badMessage(`The smallest value allowed here is ${min}.`, key, min)
  if (value > max) throw tooLarge(`The largest value allowed here is ${max}.`, key, max)
  // JSON can contain -0, which no counter should hold.
  return value === 0 ? 0 : value
}

export function integerAt(fields: Fields, key: string, min: number, max: number): number {
  return integer(fields[key], key, min, max)
}

export function optionalIntegerAt(fields: Fields, key: string, min: number, max: number): number | undefined {
  const value = fields[key]
  return value === undefined ? undefined : integer(value, key, min, max)
}

/** Refs, leases and indices. */
export function counterAt(fields: Fields, key: string): number {
  return integer(fields[key], key, 0, Number.MAX_SAFE_INTEGER)
}

export function durationAt(fields: Fields, key: string): number {
  return integer(fields[key], key, 0, DURATION_MS_MAX)
}

export function optionalDurationAt(fields: Fields, key: string): number | undefined {
  return optionalIntegerAt(fields, key, 0, DURATION_MS_MAX)
}

export function text(value: unknown, key: string, lengthMax: number): string {
  if (typeof value !== 'string') throw badMessage('A string is needed here.', key)
  if (value.length > lengthMax) throw tooLarge(`At most ${lengthMax} UTF-16 code units fit here.`, key, lengthMax)
  return value
}

export function textAt(fields: Fields, key: string, lengthMax: number): string {
  return text(fields[key], key, lengthMax)
}

export function optionalTextAt(fields: Fields, key: string, lengthMax: number): string | undefined {
  const value = fields[key]
  return value === undefined ? undefined : text(value, key, lengthMax)
}

export function booleanAt(fields: Fields, key: string): boolean {
  const value = fields[key]
  if (typeof value !== 'boolean') throw badMessage('true or false is needed here.', key)
  return value
}

export function optionalBooleanAt(fields: Fields, key: string): boolean | undefined {
  return fields[key] === undefined ? undefined : booleanAt(fields, key)
}

export function choice<T extends string>(value: unknown, key: string, choices: readonly T[]): T {
  for (const one of choices) if (one === value) return one
  throw badMessage(`One of ${choices.join(', ')} is needed here.`, key)
}

export function choiceAt<T extends string>(fields: Fields, key: string, choices: readonly T[]): T {
  return choice(fields[key], key, choices)
}

/** `setting`: the limit that bounds the list, where a broker can set it. */
export function listAt(fields: Fields, key: string, itemsMax: number, setting?: keyof Limits): unknown[] {
  const value = fields[key]
  if (!Array.isArray(value)) throw badMessage('An array is needed here.', key)
  if (value.length > itemsMax) throw tooManyItems(itemsMax, key, setting)
  return value
}

function tooManyItems(itemsMax: number, key: string, setting: keyof Limits | undefined): Refusal {
  return tooLarge(`At most ${itemsMax} items fit here${setting === undefined ? '' : ` (${setting})`}.`, key, itemsMax)
}

/** Decodes every item of the list at `key`. A refusal names the item's index. */
export function itemsAt<T>(
  fields: Fields,
  key: string,
  itemsMax: number,
  decodeItem: (item: unknown, index: number) => T,
  setting?: keyof Limits,
): T[] {
  const list = listAt(fields, key, itemsMax, setting)
  const items: T[] = []
  let index = 0
  try {
    for (; index < list.length; index++) items.push(decodeItem(list[index], index))
  } catch (caught) {
    throw within(caught, `${key}[${index}]`)
  }
  return items
}

/**
 * A list of leases or indices, at most `itemsMax` in total. An item is a number, or a pair: the first number and the
 * count of consecutive numbers.
 */
export function countersAt(fields: Fields, key: string, itemsMax: number): number[] {
  const list = listAt(fields, key, itemsMax)
  const counters: number[] = []
  let index = 0
  try {
    for (; index < list.length; index++) {
      const item = list[index]
      if (Array.isArray(item)) addRun(counters, item, itemsMax)
      else counters.push(integer(item, '', 0, Number.MAX_SAFE_INTEGER))
    }
  } catch (caught) {
    throw within(caught, `${key}[${index}]`)
  }
  if (counters.length > itemsMax) throw tooLarge(`At most ${itemsMax} items fit here.`, key, itemsMax)
  return counters
}

function addRun(counters: number[], run: unknown[], itemsMax: number): void {
  if (run.length !== 2) throw badMessage('A number, or a pair of first number and count, is needed here.', '')
  const count = integer(run[1], '', 1, itemsMax)
  const first = integer(run[0], '', 0, Number.MAX_SAFE_INTEGER - count + 1)
  if (counters.length + count > itemsMax) throw tooLarge(`At most ${itemsMax} items fit here.`, '', itemsMax)
  for (let number = first; number < first + count; number++) counters.push(number)
}
