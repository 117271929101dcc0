import type { ClientMessage, WireError } from '@sluice/protocol'
import type { Connection } from './connection.ts'
import { SluiceError } from './errors.ts'
import type { Handle } from './handle.ts'

const NONE: readonly Handle[] = []

/**
 * Tasks whose outcome the broker tells by id: those that were submitted elsewhere, or before the connection was lost,
 * or dropped and asked for again. Tasks submitted over this connection are in `Submissions`. A task may have several
 * handles, and a new submission among them. What happens to one does not affect the others.
 */
export class Watches {
  readonly #connection: Connection
  readonly #handles = new Map<string, Handle[]>()
  /** Ids that the broker must be asked for. */
  #asked: string[] = []
  readonly #sent = new Map<number, string[]>()

  constructor(connection: Connection) {
    this.#connection = connection
  }

  /** The number of tasks. */
  get size(): number {
    return this.#handles.size
  }

  /** The number of ids that wait to be asked for. */
  get waiting(): number {
    return this.#asked.length
  }

  has(id: string): boolean {
    return this.#handles.has(id)
  }

  get(id: string): readonly Handle[] {
    return this.#handles.get(id) ?? NONE
  }

  /** `ask`: the broker does not tell us the outcome of this task by itself. */
  add(handle: Handle, ask: boolean): void {
    const handles = this.#handles.get(handle.id)
    const isAsked = handles?.some(dependsOnId) ?? false
    if (handles === undefined) this.#handles.set(handle.id, [handle])
    else if (!handles.includes(handle)) handles.push(handle)
    if (ask && !isAsked && this.#connection.open) {
      this.#asked.push(handle.id)
      this.#connection.requestFlush()
    }
  }

  forget(handle: Handle): void {
    this.#keep(
      handle.id,
      this.get(handle.id).filter((other) => other !== handle),
    )
  }

  /** Removes and returns the handles of a task that has its outcome. */
  take(id: string): readonly Handle[] {
    const handles = this.get(id)
    this.#handles.delete(id)
    return handles
  }

  /** The first handle of an accepted task that nobody waits for. */
  firstUnawaited(): Handle | undefined {
    for (const handles of this.#handles.values()) {
      if (handles.every(({ phase, awaited }) => phase === 'accepted' && !awaited)) return handles[0]
    }
    return undefined
  }

  collect(out: ClientMessage[]): void {
    const { listedMax } = this.#connection
    for (let from = 0; from < this.#asked.length; from += listedMax) {
      const ids = this.#asked.slice(from, from + listedMax)
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
      // This refuses one of them. `watched` answers the others.
      const id = ids[Number(index)]
      if (id !== undefined) this.#fail(id, error)
    }
    return true
  }

  disconnected(): void {
    this.#asked = []
    this.#sent.clear()
  }

  /** After a welcome: asks for every accepted task. The others are submitted again anyway. */
  renew(): void {
    this.disconnected()
    for (const [id, handles] of this.#handles) if (handles.some(dependsOnId)) this.#asked.push(id)
  }

  failAll(error: Error): void {
    const handles = [...this.#handles.values()].flat()
    this.#handles.clear()
    for (const handle of handles) handle.fail(error)
  }

  /** A submission of that id that is under way has an answer of its own. */
  #fail(id: string, error: WireError): void {
    const handles = this.get(id)
    this.#keep(
      id,
      handles.filter((handle) => !dependsOnId(handle)),
    )
    for (const handle of handles) if (dependsOnId(handle)) handle.fail(new SluiceError(error))
  }

  #keep(id: string, handles: Handle[]): void {
    if (handles.length > 0) this.#handles.set(id, handles)
    else this.#handles.delete(id)
  }
}

/** Whether a handle learns of its task by id alone. */
function dependsOnId({ phase, submission }: Handle): boolean {
  return phase === 'accepted' && submission === undefined
}
