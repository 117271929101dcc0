import type { SubmitOptions } from '@sluice/protocol'
import type { StandardSchemaV1 } from '@standard-schema/spec'
import { ValidationError } from './errors.ts'
import { isThenable } from './thenable.ts'

/**
 * What producer and worker agree on: the queue, the types, and optional schemas. `I` is submitted and `O` is the
 * result. If a schema transforms, the handler receives or returns another type.
 */
export interface TaskContract<I, O, Received = I, Returned = O> {
  readonly queue: string
  readonly input?: StandardSchemaV1<I, Received>
  readonly output?: StandardSchemaV1<Returned, O>
  /** Defaults of every submission. The call's own options win, field by field. */
  readonly options?: SubmitOptions
}

/**
 * Defines a task once for both sides. Without schemas nothing checks the types at run time. Both ends check a value,
 * but only the receiver uses the schema's result, so that a transforming schema is applied once.
 */
export function defineTask<I, O, Received = I, Returned = O>(
  contract: TaskContract<I, O, Received, Returned>,
): TaskContract<I, O, Received, Returned> {
  return contract
}

/**
 * Checks a value. It is synchronous if the schema is.
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
