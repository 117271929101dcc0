import type { ClientMessage, TaskStatus, WireError } from '@sluice/protocol'
import { SluiceError } from './errors.ts'

interface Request {
  message: Extract<ClientMessage, { type: 'query' | 'cancel' }>
  resolve: (status: TaskStatus | undefined) => void
  reject: (error: Error) => void
}

/**
 * Queries and cancellations without an answer. Both can be repeated without harm, so all of them are sent again after a
 * reconnect.
 */
export class Requests {
  readonly #waiting = new Map<number, Request>()

  /** All unanswered messages. */
  messages(): ClientMessage[] {
    return [...this.#waiting.values()].map((request) => request.message)
  }

  add(message: Request['message']): Promise<TaskStatus | undefined> {
    return new Promise((resolve, reject) => {
      this.#waiting.set(message.ref, { message, resolve, reject })
    })
  }

  forget(ref: number): void {
    this.#waiting.delete(ref)
  }

  /** @returns whether the ref was one of these */
  answer(ref: number, status: TaskStatus | undefined, error?: WireError): boolean {
    const request = this.#waiting.get(ref)
    if (request === undefined) return false
    this.#waiting.delete(ref)
    if (error === undefined) request.resolve(status)
    else request.reject(new SluiceError(error))
    return true
  }

  failAll(error: Error): void {
    const waiting = [...this.#waiting.values()]
    this.#waiting.clear()
    for (const request of waiting) request.reject(error)
  }
}
