import type { SubmitOptions } from '@sluice/protocol'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ValidationError } from './errors.ts'
import { isThenable } from './thenable.ts'

/**
 * What producer and worker agree on: the queue, the types, and optionally how to check them. `I` is submitted and `O` is the result;
 * where a schema transforms, the handler receives something else, or returns something else.
 */
export interface TaskContract<I, O, Received = I, Returned = O> {
  readonly queue: string
  readonly input?: StandardSchemaV1<I, Received>
  readonly output?: StandardSchemaV1<Returned, O>
  /** Defaults of every submission; the call's own options win, field by field. */
  readonly options?: SubmitOptions
}

/**
 * Defines a task once for both sides. Without schemas the types are a promise that nobody checks.
 *
 * A value is checked by both ends, but only the receiving end uses what the schema made of it, so that a schema
 * that transforms is applied once.
 */
export function defineTask<I, O, Received = I, Returned = O>(
  contract: TaskContract<I, O, Received, Returned>,
): TaskContract<I, O, Received, Returned> {
  return contract
}

/**
 * Checks a value; synchronous where the schema is.
 * @throws ValidationError naming the path of each issue
 */
export function validate<T>(
  schema: StandardSchemaV1<unknown, T> | undefined,
  value: unknown,
  what: string,
): T | Promise<T> {
  if (schema === undefined) return value as T
  const result = schema['~standard'].validate(value)
  return isThenable(result) ? Promise.resolve(result).then((r) => accepted(r, what)) : accepted(result, what)
}

function accepted<T>(result: StandardSchemaV1.Result<T>, what: string): T {
  if (result.issues !== undefined) throw new ValidationError(what, result.issues)
  return result.value
}
