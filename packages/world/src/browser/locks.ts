import type { Locks } from '@sluice/client/outbox'
import type { Process } from '../nodes/process.ts'

interface Request {
  readonly process: Process
  readonly name: string
  readonly onStolen: () => void
  readonly grant: () => void
}

/**
 * The locks of one origin, as the Web Locks API has them: first come, first served. A lock is held until it is released,
 * until its process has ended, or until somebody takes it by force. A tab that is frozen keeps it, and may be given it.
 */
export class DeviceLocks {
  readonly #holders = new Map<string, Request>()
  #waiting: Request[] = []

  /** The locks as one program has them. */
  of(process: Process): Locks {
    return {
      request: (name, onStolen, { signal, steal = false }) =>
        new Promise((resolve, reject) => {
          signal.throwIfAborted()
          const request: Request = {
            process,
            name,
            onStolen,
            grant: () => {
              this.#holders.set(name, request)
              process.enter(() => resolve({ release: () => this.#release(request) }))
            },
          }
          const holder = this.#holders.get(name)
          if (holder === undefined) request.grant()
          else if (steal) {
            request.grant()
            holder.process.enter(holder.onStolen)
          } else {
            this.#waiting.push(request)
            signal.addEventListener('abort', () => {
              const isWaiting = this.#waiting.includes(request)
              this.#waiting = this.#waiting.filter((other) => other !== request)
              if (isWaiting) reject(signal.reason as Error)
            })
          }
        }),
    }
  }

  /** Its locks are free, and it waits for none. */
  ended(process: Process): void {
    this.#waiting = this.#waiting.filter((request) => request.process !== process)
    for (const holder of [...this.#holders.values()]) if (holder.process === process) this.#release(holder)
  }

  /** The device is without power. */
  clear(): void {
    this.#holders.clear()
    this.#waiting = []
  }

  #release(request: Request): void {
    const { name } = request
    if (this.#holders.get(name) !== request) return
    this.#holders.delete(name)
    const next = this.#waiting.find((other) => other.name === name)
    if (next === undefined) return
    this.#waiting = this.#waiting.filter((other) => other !== next)
    next.grant()
  }
}
