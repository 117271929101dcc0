import type { ConnectionState, ConnectionTimings } from '@sluice/machines/states'
import { isTaskId, type SubmitOptions } from '@sluice/protocol'
import { uuidv7Source } from '@sluice/protocol/uuidv7'
import { Connection } from './connection.ts'
import { type Encoded, encodeValue, UnsendableError } from './encode-value.ts'
import { badMessage } from './errors.ts'
import { Handle, type TaskHandle } from './handle.ts'
import { type Logger, messageOf, safeLogger, tell } from './logger.ts'
import { defaultPlatform, type Platform } from './platform.ts'
import { Producer } from './producer.ts'
import { checkSignal, onAbort } from './signal.ts'
import { type TaskContract, validate } from './task-contract.ts'
import { type Terms, termsOf } from './terms.ts'
import type { TokenSource } from './token-source.ts'
import { atLeast } from './worker-options.ts'

export interface ClientOptions {
  /** `ws://` or `wss://`. */
  url: string
  /** For a broker with access control. A function is called again when a token expires. */
  token?: TokenSource
  /** A label for people, such as program name and host. */
  name?: string
  /** Default: `globalThis.WebSocket`, its timers and its randomness. */
  platform?: Platform
  /**
   * The maximum number of tasks whose outcome is tracked while nobody awaits it, 1 or more. Past it the oldest is
   * dropped, and its `result()` asks the broker again. Default 100,000.
   */
  watchedMax?: number
  timings?: Partial<ConnectionTimings>
  /** Default: warnings and errors go to the console. */
  logger?: Logger
  /** Closes the client without waiting when it fires. */
  signal?: AbortSignal
}

export interface SubmitCallOptions extends SubmitOptions {
  /** A UUIDv7. Submitting the same id with the same content again gets the same answer. Default: a new one. */
  id?: string
  /** Ends the wait. A submission that was sent already may still be accepted. */
  signal?: AbortSignal
  /** Whether the broker sends the outcome here as soon as there is one. Default true. */
  watch?: boolean
  /**
   * Whether `submit` waits while a queue is full (with back-off, until the signal fires) or throws `busy`. Default
   * `wait`.
   */
  onBusy?: 'wait' | 'throw'
}

/** Submits tasks and follows them. It reconnects by itself, and no reconnect loses or doubles a task. */
export interface Client {
  readonly state: ConnectionState
  /** @returns a function that ends the subscription */
  onStateChange(listener: (state: ConnectionState) => void): () => void
  /**
   * Resolves when the broker has made the task durable. The input is JSON, or a Uint8Array, which arrives as bytes. A
   * value that JSON would drop or change (a Map, a function, NaN) is refused with its path. `submit` waits while the
   * broker is away, the submit credit is used up, or the queue is full. Await it to get back pressure.
   * @throws ValidationError, SluiceError (`id_conflict`, `too_large`, `bad_message`, …), ClosedError, or the signal's
   * reason
   */
  submit<I, O>(
    contract: TaskContract<I, O, unknown, unknown>,
    input: NoInfer<I>,
    options?: SubmitCallOptions,
  ): Promise<TaskHandle<O>>
  submit(queue: string, input: unknown, options?: SubmitCallOptions): Promise<TaskHandle>
  /**
   * Submits all inputs. It rejects with the first error; other tasks may have been accepted.
   * @throws as `submit`
   */
  submitMany<I, O>(
    contract: TaskContract<I, O, unknown, unknown>,
    inputs: readonly NoInfer<I>[],
    options?: Omit<SubmitCallOptions, 'id'>,
  ): Promise<TaskHandle<O>[]>
  submitMany(queue: string, inputs: readonly unknown[], options?: Omit<SubmitCallOptions, 'id'>): Promise<TaskHandle[]>
  /** A handle for a task that was submitted elsewhere or earlier. It sends nothing until a method is called. */
  handle<O = unknown>(id: string, contract?: TaskContract<unknown, O, unknown, unknown>): TaskHandle<O>
  /**
   * Waits up to `drainMs` (default 5,000) for unanswered submissions, sends `bye` and closes. Everything that still
   * waits then rejects with ClosedError. Idempotent.
   */
  close(options?: { drainMs?: number }): Promise<void>
}

const WATCHED_MAX = 100_000
const DRAIN_MS = 5000

/**
 * Connects at once, in the background. A lost broker is waited for, and the logger is told.
 * @throws Error naming the option that cannot be used, or the reason why this runtime can never connect
 */
export function createClient(options: ClientOptions): Client {
  return new ProducerClient(options)
}

/** The client, and what the outbox asks of it. */
export class ProducerClient implements Client {
  readonly #producer: Producer
  readonly #nextId: () => string
  #lastTerms: Terms | undefined
  readonly #listeners = new Set<(state: ConnectionState) => void>()
  #forgetSignal: () => void = () => {}

  constructor(options: ClientOptions, shared?: Connection) {
    const platform = options.platform ?? defaultPlatform
    checkSignal(options.signal)
    const watchedMax = atLeast('watchedMax', options.watchedMax ?? WATCHED_MAX, 1)
    this.#nextId = uuidv7Source(platform)
    const logger = safeLogger(options.logger, platform.warn)
    const connection = shared ?? new Connection({ ...options, platform, logger })
    this.#producer = new Producer({ ...options, platform, watchedMax, logger, connection }, (state) => {
      if (state === 'stopped' || state === 'failed') this.#forgetSignal()
      for (const listener of this.#listeners) tell(logger, 'onStateChange', () => listener(state))
    })
    // A shared connection starts when all have joined it.
    if (shared === undefined) connection.start()
    if (this.#producer.failure !== undefined) throw this.#producer.failure
    this.#forgetSignal = onAbort(options.signal, () => void this.close({ drainMs: 0 }))
  }

  get state(): ConnectionState {
    return this.#producer.connection.state
  }

  onStateChange(listener: (state: ConnectionState) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  /** Why the connection failed for good. */
  get failure(): Error | undefined {
    return this.#producer.failure
  }

  /** The network or the page is back: a wait for the next attempt ends. */
  wake(): void {
    this.#producer.connection.wake()
  }

  /** Submits an input that is encoded already. The broker may hold the task from an earlier attempt. */
  submitEncoded(
    item: { id: string; queue: string; options?: SubmitOptions | undefined },
    input: Encoded,
    signal: AbortSignal,
  ): Promise<Handle> {
    const { limits } = this.#producer.connection
    const handle = new Handle(
      this.#producer,
      item.id,
      termsOf({ queue: item.queue }, item.options, limits.nameLengthMax),
    )
    handle.input = input
    handle.mayBeHeld = true
    return this.#producer.submit(handle, signal)
  }

  submit<O>(
    target: string | TaskContract<unknown, O, unknown, unknown>,
    input: unknown,
    options?: SubmitCallOptions,
  ): Promise<TaskHandle<O>> {
    try {
      if (typeof target === 'string') return this.#submit({ queue: target }, input, options)
      const checked = validate(target.input, input, `the input for ${target.queue}`)
      if (!(checked instanceof Promise)) return this.#submit(target, input, options)
      return checked.then(() => this.#submit(target, input, options))
    } catch (error) {
      return Promise.reject(error)
    }
  }

  submitMany<O>(
    target: string | TaskContract<unknown, O, unknown, unknown>,
    inputs: readonly unknown[],
    options?: Omit<SubmitCallOptions, 'id'>,
  ): Promise<TaskHandle<O>[]> {
    return Promise.all(inputs.map((input) => this.submit(target, input, options)))
  }

  handle<O>(id: string, contract?: TaskContract<unknown, O, unknown, unknown>): TaskHandle<O> {
    if (!isTaskId(id)) throw badMessage(`a task id is a UUIDv7 in lower case, not ${id}`, 'id')
    const handle = new Handle(this.#producer, id, {
      queue: contract?.queue,
      output: contract?.output,
      options: undefined,
      watched: true,
      throwsBusy: false,
      key: '',
    })
    handle.phase = 'accepted'
    return handle as TaskHandle<O>
  }

  close(options?: { drainMs?: number }): Promise<void> {
    return this.#producer.close(options?.drainMs ?? DRAIN_MS)
  }

  #submit<O>(
    contract: TaskContract<unknown, O, unknown, unknown>,
    input: unknown,
    call: SubmitCallOptions | undefined,
  ): Promise<TaskHandle<O>> {
    const { id } = call ?? {}
    checkSignal(call?.signal)
    if (id !== undefined && !isTaskId(id))
      throw badMessage(`a task id is a UUIDv7 in lower case, not ${String(id)}`, 'id')
    const handle = new Handle(this.#producer, id ?? this.#nextId(), this.#termsOf(contract, call))
    handle.input = encodeInput(input)
    // The caller's id may have been used in an earlier run, or by another submitter.
    handle.mayBeHeld = id !== undefined
    return this.#producer.submit(handle, call?.signal) as Promise<TaskHandle<O>>
  }

  /** Calls for the same queue without options share their terms. Nearly all calls are of this kind. */
  #termsOf(contract: TaskContract<unknown, unknown>, call: SubmitCallOptions | undefined): Terms {
    const last = this.#lastTerms
    const isPlain = call === undefined && contract.options === undefined
    if (isPlain && last !== undefined && last.queue === contract.queue && last.output === contract.output) return last
    const terms = termsOf(contract, call, this.#producer.connection.limits.nameLengthMax)
    if (isPlain) this.#lastTerms = terms
    return terms
  }
}

export function encodeInput(input: unknown): Encoded {
  try {
    return encodeValue(input, 'input')
  } catch (error) {
    throw badMessage(
      `the input cannot be sent: ${messageOf(error)}`,
      error instanceof UnsendableError ? error.path : 'input',
    )
  }
}
