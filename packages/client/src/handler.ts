import { type Body, bodyToJson, JSON_CONTENT_TYPE } from '@sluice/protocol'
import { type Encoded, encodeValue } from './encode-value.ts'
import { PermanentError } from './errors.ts'
import { messageOf, type TaskLogger } from './logger.ts'
import { type TaskContract, validate } from './task-contract.ts'
import { isThenable } from './thenable.ts'

const encoder = new TextEncoder()

/**
 * What a handler knows about its attempt: a plain object with these six properties, both in the process and in a
 * thread.
 */
export interface TaskContext {
  readonly id: string
  readonly queue: string
  /** 1 for the first delivery. */
  readonly attempt: number
  /**
   * Fires when the handler's result would not be used any more: the task was cancelled, its lease expired, its time
   * limit passed, or the worker hands it back. The reason is a LeaseLostError or a TimeLimitExceeded. A handler that
   * continues anyway still occupies its share of `concurrency`. If such handlers occupy all of it, the worker hands
   * waiting tasks back and takes no more until one returns.
   */
  readonly signal: AbortSignal
  /**
   * Reports progress: any JSON value of at most `progressBytesMax` bytes (1 KiB). Only the newest value is sent, at
   * most ten times a second. A value that does not fit is dropped, with a warning in the log.
   */
  readonly progress: (value: unknown) => void
  /** Adds task, queue and attempt to each line. Takes fields and a message, or a message alone. */
  readonly log: TaskLogger
}

/**
 * Returns the output, or throws; see RetryableError, PermanentError, retryAfter. The output is JSON, or a Uint8Array,
 * whose bytes are copied at once. If JSON would drop or change a value in it (a Map, a function, NaN), the task fails
 * for good, and the error has the path.
 */
export type Handler<I = unknown, O = unknown> = (input: I, ctx: TaskContext) => O | Promise<O>

/** A handler with the contract that checks its input and output. */
export interface ContractHandler<I, O> {
  contract: TaskContract<unknown, unknown, I, O>
  handle: Handler<I, O>
}

// biome-ignore lint/suspicious/noExplicitAny: a record of handlers with different inputs has no narrower type
export type AnyHandler = Handler<any, unknown> | ContractHandler<any, any>

/** Binds a handler to its contract, with the contract's types. */
export function handle<I, O>(
  contract: TaskContract<unknown, unknown, I, O>,
  handler: Handler<NoInfer<I>, NoInfer<O>>,
): ContractHandler<I, O> {
  return { contract, handle: handler }
}

/**
 * Runs one attempt. Input and output are bodies.
 * @throws what the handler throws; ValidationError or PermanentError if the input or the output cannot be used
 */
export function runHandler(handler: AnyHandler, body: Body, ctx: TaskContext): Body | Promise<Body> {
  const output = runAttempt(handler, inputOf(body), ctx)
  return output instanceof Promise ? output.then(bodyOf) : bodyOf(output)
}

/**
 * Runs one attempt, from the decoded input to the encoded output. It is synchronous if handler and schemas are, so that
 * a cheap handler costs no promise.
 * @throws as `runHandler`
 */
export function runAttempt(handler: AnyHandler, input: unknown, ctx: TaskContext): Encoded | Promise<Encoded> {
  if (typeof handler === 'function') {
    const output = handler(input, ctx)
    return isThenable(output) ? Promise.resolve(output).then(encodeOutput) : encodeOutput(output)
  }
  const { contract, handle } = handler
  const checked = validate<unknown>(contract.input, input, 'the input')
  const output: unknown =
    checked instanceof Promise ? checked.then((value) => handle(value, ctx)) : handle(checked, ctx)
  return isThenable(output)
    ? Promise.resolve(output).then((value) => finish(contract, value))
    : finish(contract, output)
}

function finish(contract: TaskContract<unknown, unknown>, output: unknown): Encoded | Promise<Encoded> {
  const checked = validate(contract.output, output, 'the output')
  // The receiver uses the result of its own schema, so the value is sent as the handler returned it.
  return checked instanceof Promise ? checked.then(() => encodeOutput(output)) : encodeOutput(output)
}

/** The error of an attempt whose input cannot be read. */
export function noInput(cause: unknown): PermanentError {
  return new PermanentError(`the input is not JSON: ${(cause as Error).message}`, { cause })
}

function inputOf(body: Body): unknown {
  if (body.contentType !== undefined && body.contentType !== JSON_CONTENT_TYPE) return body.bytes
  try {
    return bodyToJson(body)
  } catch (error) {
    throw noInput(error)
  }
}

function encodeOutput(output: unknown): Encoded {
  try {
    return encodeValue(output, 'output')
  } catch (error) {
    throw new PermanentError(`the output cannot be sent: ${messageOf(error)}`, { cause: error })
  }
}

function bodyOf(output: Encoded): Body {
  return typeof output === 'string' ? { bytes: encoder.encode(output) } : output
}
