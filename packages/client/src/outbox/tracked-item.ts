import type { OutboxItemState } from '@sluice/machines/states'
import { ClosedError, SluiceError, TaskCancelledError } from '../errors.ts'
import { ProgressReader } from '../handle.ts'
import type { ItemError } from './item.ts'
import { failureOf, refusalOf } from './item-error.ts'
import { OutboxError } from './outbox-error.ts'

/** Reads a stored result. */
export type ResultOf = (id: string) => Promise<{ value: unknown } | undefined>

interface Wait<T> {
  promise: Promise<T>
  resolve: (value: T) => void
  reject: (error: unknown) => void
}

function wait<T>(): Wait<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>()
  // The error also reaches the next caller, so nobody has to listen to this one.
  promise.catch(() => {})
  return { promise, resolve, reject }
}

const ACCEPTED: readonly OutboxItemState[] = ['accepted', 'running', 'done', 'failed']
const ENDED: readonly OutboxItemState[] = ['done', 'failed', 'cancelled', 'discarded']

/** What the handles of one item know and wait for. Other tabs may be the ones that act. */
export class TrackedItem {
  readonly id: string
  state: OutboxItemState
  #error: ItemError | undefined
  /** Why nothing more will be learned here. */
  #closed: Error | undefined
  #accepted: Wait<void> | undefined
  #outcome: Wait<unknown> | undefined
  readonly #readers = new Set<ProgressReader>()
  readonly #resultOf: ResultOf
  /** A result that could not be stored. */
  #result: { value: unknown } | undefined

  constructor(id: string, state: OutboxItemState, resultOf: ResultOf) {
    this.id = id
    this.state = state
    this.#resultOf = resultOf
  }

  get hasEnded(): boolean {
    return ENDED.includes(this.state)
  }

  /** Whether it waits for the tab that leads. */
  get isPending(): boolean {
    return !this.hasEnded && this.state !== 'parked' && this.state !== 'unsaved'
  }

  update(state: OutboxItemState, error: ItemError | undefined, progress: unknown, result?: { value: unknown }): void {
    // A message may be late. What has ended does not begin again, except by its removal.
    if (this.hasEnded && state !== 'discarded') return
    this.state = state
    this.#error = error
    if (result !== undefined) this.#result = result
    if (progress !== undefined && state === 'running') for (const reader of this.#readers) reader.push(progress)
    this.#settle()
  }

  close(error: Error): void {
    this.#closed = error
    this.#settle()
  }

  accepted(): Promise<void> {
    this.#accepted ??= wait()
    const { promise } = this.#accepted
    this.#settle()
    return promise
  }

  outcome(): Promise<unknown> {
    this.#outcome ??= wait()
    const { promise } = this.#outcome
    this.#settle()
    return promise
  }

  read(signal: AbortSignal | undefined): AsyncIterator<unknown> {
    const reader = new ProgressReader(signal, () => this.#readers.delete(reader))
    if (this.hasEnded || this.#closed !== undefined) reader.end()
    else if (!signal?.aborted) this.#readers.add(reader)
    return reader
  }

  #settle(): void {
    const refusal = this.#refusal()
    if (this.#accepted !== undefined) {
      // A task that was cancelled may have been accepted or not. Nobody waits for it any more.
      if (ACCEPTED.includes(this.state)) this.#accepted.resolve()
      else if (refusal !== undefined) this.#accepted.reject(refusal)
      else return
      this.#accepted = undefined
    }
    if (this.hasEnded || this.#closed !== undefined) {
      for (const reader of this.#readers) reader.end()
      this.#readers.clear()
    }
    const outcome = this.#outcome
    if (outcome === undefined) return
    if (this.state === 'done') void this.#readResult(outcome)
    else if (refusal !== undefined) outcome.reject(refusal)
    else return
    this.#outcome = undefined
  }

  /** Why there will be no result, or none for now. */
  #refusal(): Error | undefined {
    switch (this.state) {
      case 'parked':
        return refusalOf(this.#error ?? { code: 'internal', message: `item ${this.id} is parked` })
      case 'failed':
        return failureOf(this.id, this.#error ?? { code: 'internal', message: `task ${this.id} failed` })
      case 'cancelled':
        return new TaskCancelledError(this.id)
      case 'discarded':
        return unknownItem(this.id)
      default:
        return this.#closed
    }
  }

  async #readResult({ resolve, reject }: Wait<unknown>): Promise<void> {
    try {
      const result = this.#result ?? (await this.#resultOf(this.id))
      if (result === undefined) reject(unknownItem(this.id))
      else resolve(result.value)
    } catch (error) {
      reject(this.#closed ?? error)
    }
  }
}

export const unknownItem = (id: string): OutboxError =>
  new OutboxError('unknown_item', `the outbox has no item ${id}, or not any more`)

/** The id names another item, as the store has it. */
export const takenId = ({ id, queue }: { id: string; queue: string }): SluiceError =>
  new SluiceError({
    code: 'id_conflict',
    message: `the id ${id} is taken by an item for the queue ${queue}`,
    field: 'id',
  })

export const closedError = (): ClosedError => new ClosedError('the client was closed; what is saved stays saved')
