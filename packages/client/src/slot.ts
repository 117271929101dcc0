import { nextSlotState, type SlotEvent, type SlotState } from '@sluice/machines'
import type { Body } from '@sluice/protocol'
import type { TaskContext } from './handler.ts'
import { type Logger, withFields } from './logger.ts'

/** What a slot needs from its worker. */
export interface SlotHost {
  readonly logger: Logger
  report(slot: Slot, value: unknown): void
}

/** One delivery and its handler's context in one object; what few handlers ask for is made when they ask. */
export class Slot implements TaskContext {
  readonly id: string
  readonly queue: string
  readonly attempt: number
  readonly lease: number
  readonly timeLimitMs: number | undefined
  readonly #host: SlotHost
  body: Body | undefined
  cancelTimeLimit: (() => void) | undefined
  #state: SlotState = nextSlotState('idle', 'deliver')
  #controller: AbortController | undefined
  #abortReason: Error | undefined

  constructor(
    host: SlotHost,
    queue: string,
    task: Body & { id: string; lease: number; attempt: number },
    timeLimitMs: number | undefined,
  ) {
    this.#host = host
    this.id = task.id
    this.queue = queue
    this.attempt = task.attempt
    this.lease = task.lease
    this.timeLimitMs = timeLimitMs
    this.body = task
  }

  get state(): SlotState {
    return this.#state
  }

  move(event: SlotEvent): void {
    this.#state = nextSlotState(this.#state, event)
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason)
    }
    return this.#controller.signal
  }

  get progress(): (value: unknown) => void {
    return (value) => this.#host.report(this, value)
  }

  get log(): Logger {
    return withFields(this.#host.logger, { task: this.id, queue: this.queue, attempt: this.attempt })
  }

  /** The handler's result will not be used. */
  abort(reason: Error): void {
    this.move('abort')
    this.#abortReason = reason
    this.#controller?.abort(reason)
  }
}
