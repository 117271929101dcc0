import type { ClientMessage, WireError } from '@sluice/protocol'
import type { Connection } from './connection.ts'
import { SluiceError } from './errors.ts'
import type { Handle } from './handle.ts'

/**
 * The tasks whose outcome the broker tells by id: those submitted elsewhere, or before the connection was lost, or let go and
 * asked for again. What was submitted over this connection is in `Submissions`.
 */
export class Watches {
  readonly #connection: Connection
  readonly #handles = new Map<string, Handle>()
  /** Ids the broker has to be asked for. */
  #asked: string[] = []
  readonly #sent = new Map<number, string[]>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  get size(): number {
    return this.#handles.size
  }

  /** Ids waiting to be asked for. */
  get waiting(): number {
    return this.#asked.length
  }

  get(id: string): Handle | undefined {
    return this.#handles.get(id)
  }

  /** `ask` where the broker does not tell us of this task by itself. */
  add(handle: Handle, ask: boolean): void {
    const known = this.#handles.get(handle.id)
    if (known === handle) return
    if (known !== undefined) {
      known.join(handle)
      return
    }
    this.#handles.set(handle.id, handle)
    if (ask && this.#connection.open) {
      this.#asked.push(handle.id)
      this.#connection.requestFlush()
    }
  }

  forget(handle: Handle): void {
    if (this.#handles.get(handle.id) === handle) this.#handles.delete(handle.id)
  }

  /** The handle of a task that has its outcome. */
  take(id: string): Handle | undefined {
    const handle = this.#handles.get(id)
    this.#handles.delete(id)
    return handle
  }

  /** The first accepted task for which nobody waits. */
  firstUnawaited(): Handle | undefined {
    for (const handle of this.#handles.values()) if (handle.phase === 'accepted' && !handle.awaited) return handle
    return undefined
  }

  collect(out: ClientMessage[], batchItemsMax: number): void {
    for (let from = 0; from < this.#asked.length; from += batchItemsMax) {
      const ids = this.#asked.slice(from, from + batchItemsMax)
      const ref = this.#connection.nextRef()
      this.#sent.set(ref, ids)
      out.push({ type: 'watch', ref, ids })
    }
    this.#asked = []
  }

  answered(ref: number, unknown: readonly number[]): void {
    const ids = this.#sent.get(ref)
    if (ids === undefined) return
    this.#sent.delete(ref)
    for (const index of unknown) {
      const id = ids[index]
      if (id !== undefined) this.#fail(id, { code: 'unknown_task', message: `the broker holds no task ${id}` })
    }
  }

  /** @returns whether the ref was one of these */
  refused(ref: number, error: WireError): boolean {
    const ids = this.#sent.get(ref)
    if (ids === undefined) return false
    const [, index] = /^ids\[(\d+)\]$/.exec(error.field ?? '') ?? []
    if (index === undefined) {
      this.#sent.delete(ref)
      for (const id of ids) this.#fail(id, error)
    } else {
      // One of them; the others are answered by `watched`.
      const id = ids[Number(index)]
      if (id !== undefined) this.#fail(id, error)
    }
    return true
  }

  disconnected(): void {
    this.#asked = []
    this.#sent.clear()
  }

  /** After a welcome: asks for every task that the broker has accepted; the others are submitted again anyway. */
  renew(): void {
    this.disconnected()
    for (const handle of this.#handles.values()) if (handle.phase === 'accepted') this.#asked.push(handle.id)
  }

  failAll(error: Error): void {
    const handles = [...this.#handles.values()]
    this.#handles.clear()
    for (const handle of handles) handle.fail(error)
  }

  #fail(id: string, error: WireError): void {
    this.take(id)?.fail(new SluiceError(error))
  }
}
