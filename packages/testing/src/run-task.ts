import {
  type AnyHandler,
  type ContractHandler,
  type Handler,
  LeaseLostError,
  type Logger,
  runHandler,
  type TaskContext,
  taskLogger,
} from '@sluice/client'
import { type Body, bodyToJson, JSON_CONTENT_TYPE, jsonBody } from '@sluice/protocol'

export interface AttemptOptions {
  /** Default `test-task`. */
  id?: string
  /** Default: the contract's, or `test`. */
  queue?: string
  /** 1 is the first delivery. Default 1. */
  attempt?: number
}

export interface LogLine {
  level: keyof Logger
  fields: object
  message: string
}

/** A handler at work on one task. */
export interface Attempt<O> {
  /**
   * The result as its submitter gets it, through JSON. It rejects with what the handler throws, or with the ValidationError
   * of the contract's schema.
   */
  readonly result: Promise<O>
  /** What the handler has reported so far, in order. */
  readonly progress: readonly unknown[]
  /** What the handler has logged so far, in order. */
  readonly logs: readonly LogLine[]
  /** Fires the handler's signal, as a lost lease does. Default reason: a LeaseLostError. */
  abort(reason?: Error): void
}

/**
 * Runs a handler on one task, without a broker. The input reaches it as it would from a queue: through JSON, or as bytes, and
 * checked by the contract.
 */
export function runTask<I, O>(
  handler: Handler<I, O> | ContractHandler<I, O>,
  input: unknown,
  options: AttemptOptions = {},
): Attempt<O> {
  const contractQueue = typeof handler === 'function' ? undefined : handler.contract.queue
  const { id = 'test-task', queue = contractQueue ?? 'test', attempt = 1 } = options
  const progress: unknown[] = []
  const logs: LogLine[] = []
  const controller = new AbortController()
  const context: TaskContext = {
    id,
    queue,
    attempt,
    signal: controller.signal,
    progress: (value) => {
      progress.push(value)
    },
    log: taskLogger((level, fields, message) => logs.push({ level, fields, message })),
  }
  const result = run(handler, input, context) as Promise<O>
  // Who looks at the logs of a failure need not wait for it.
  result.catch(() => {})
  return { result, progress, logs, abort: (reason = new LeaseLostError('expired')) => controller.abort(reason) }
}

async function run(handler: AnyHandler, input: unknown, context: TaskContext): Promise<unknown> {
  const body: Body =
    input instanceof Uint8Array ? { bytes: input, contentType: 'application/octet-stream' } : jsonBody(input)
  const output = await runHandler(handler, body, context)
  return output.contentType === undefined || output.contentType === JSON_CONTENT_TYPE
    ? bodyToJson(output)
    : output.bytes
}
