import { nextSlotState, type SlotEvent, type SlotState } from '@sluice/machines'
import type { Bodies, Start } from '@sluice/protocol'
import type { Answer } from './answer.ts'
import type { Delivery } from './delivery.ts'
import type { TaskContext } from './handler.ts'
import { type Logger, type TaskLogger, taskLogger } from './logger.ts'
import type { Platform } from './platform.ts'

/** What a slot needs from its worker. */
export interface SlotHost {
  readonly platform: Pick<Platform, 'onTransition'>
  readonly logger: Logger
  report(slot: Slot, value: unknown): void
}

/** One lease, with the delivery and later the answer in one object. What few handlers use is made on demand. */
export class Slot {
  readonly lease: number
  readonly delivery: Delivery<Slot>
  /** The place in its delivery. */
  readonly place: number
  readonly #host: SlotHost
  /** The bodies of its message, until the handler has its input. */
  bodies: Bodies | undefined
  /** The answer for the broker, until the broker has confirmed it or the lease is lost. */
  answer: Answer | undefined
  cancelTimeLimit: (() => void) | undefined
  #state: SlotState = 'idle'
  #controller: AbortController | undefined
  #abortReason: Error | undefined
  #log: TaskLogger | undefined

  constructor(host: SlotHost, delivery: Delivery<Slot>, place: number, bodies: Bodies) {
    this.#host = host
    this.delivery = delivery
    this.place = place
    this.lease = delivery.message.leases[place]!
    this.bodies = bodies
    this.move('deliver')
  }

  get id(): string {
    return this.delivery.message.ids[this.place]!
  }

  get queue(): string {
    return this.delivery.message.queue
  }

  get attempt(): number {
    return this.delivery.message.attempts?.[this.place] ?? 1
  }

  get contentType(): string | undefined {
    return this.delivery.message.contentType
  }

  get timeLimitMs(): number | undefined {
    return this.delivery.message.timeLimitMs
  }

  /** How its handler must be started. Undefined if there is no requirement. */
  get start(): Start | undefined {
    return this.delivery.message.start
  }

  get state(): SlotState {
    return this.#state
  }

  move(event: SlotEvent): void {
    const from = this.#state
    this.#state = nextSlotState(from, event)
    const { platform } = this.#host
    if (platform.onTransition !== undefined)
      platform.onTransition({ machine: 'workerSlot', id: String(this.lease), from, to: this.#state, event })
  }

  /** The decoded JSON input, or its bytes for any other content type. */
  takeInput(): unknown {
    if (this.contentType !== undefined) return this.takeBytes()
    const bodies = this.bodies!
    this.bodies = undefined
    return bodies.json(this.place)
  }

  /**
   * A copy of the input's bytes: a handler that changes or transfers them must not affect other inputs in the frame.
   */
  takeBytes(): Uint8Array {
    const bodies = this.bodies!
    this.bodies = undefined
    return bodies.at(this.place).slice()
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortReason !== undefined) this.#controller.abort(this.#abortReason)
    }
    return this.#controller.signal
  }

  report(value: unknown): void {
    this.#host.report(this, value)
  }

  get log(): TaskLogger {
    const { logger } = this.#host
    const fields = { task: this.id, queue: this.queue, attempt: this.attempt }
    this.#log ??= taskLogger((level, own, message) => logger[level]({ ...fields, ...own }, message))
    return this.#log
  }

  /** The handler's context: a plain object, so that it can be copied, listed and printed. */
  context(): TaskContext {
    const slot = this
    return {
      id: this.id,
      queue: this.queue,
      attempt: this.attempt,
      get signal() {
        return slot.signal
      },
      progress: (value) => this.report(value),
      get log() {
        return slot.log
      },
    }
  }

  /** The handler's result will not be used. */
  abort(reason: Error): void {
    this.move('abort')
    this.cancelTimeLimit?.()
    this.#abortReason = reason
    this.#controller?.abort(reason)
  }
}
