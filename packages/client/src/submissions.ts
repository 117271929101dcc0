import type { Bodies, EndedTask } from '@sluice/protocol'
import type { Handle } from './handle.ts'

/** A submission with fewer than one in this many tasks left gives up the empty places. */
const SPARSE = 16

/** The tasks of one submit message, by their place. A place is empty once nothing more is expected for it. */
export class Submission {
  readonly ref: number
  /** The number of tasks in the message. */
  count = 0
  /** The number of characters in their inputs. */
  chars = 0
  /** Whether the broker has answered the message. */
  answered = false
  readonly #all: Submissions
  #handles: (Handle | undefined)[] | Map<number, Handle> = []
  /** The number of places that are not empty. */
  #open = 0

  constructor(all: Submissions, ref: number) {
    this.#all = all
    this.ref = ref
  }

  get isOver(): boolean {
    return this.answered && this.#open === 0
  }

  /** Call this before anything is answered. */
  add(handle: Handle): void {
    handle.submission = this
    handle.place = this.count
    ;(this.#handles as Handle[]).push(handle)
    this.count += 1
    this.#open += 1
    this.#all.size += 1
  }

  at(place: number): Handle | undefined {
    const handles = this.#handles
    return Array.isArray(handles) ? handles[place] : handles.get(place)
  }

  /** Nothing more is expected for the task at `place`. */
  leave(place: number): void {
    const handles = this.#handles
    this.at(place)!.submission = undefined
    if (Array.isArray(handles)) handles[place] = undefined
    else handles.delete(place)
    this.#open -= 1
    this.#all.size -= 1
    if (this.isOver) this.#all.close(this)
  }

  /** Frees the empty places if hardly any others are left. */
  compact(): void {
    const handles = this.#handles
    if (!Array.isArray(handles) || this.#open * SPARSE > this.count) return
    const left = new Map<number, Handle>()
    for (const handle of handles) if (handle !== undefined) left.set(handle.place, handle)
    this.#handles = left
  }

  /** The handles in their order, with undefined for empty places. */
  get handles(): Iterable<Handle | undefined> {
    const handles = this.#handles
    return Array.isArray(handles) ? handles : handles.values()
  }
}

/**
 * Submissions over this connection that are not answered or have no outcome yet. The broker names these tasks by
 * submission and place, so no id is looked up.
 */
export class Submissions {
  readonly #byRef = new Map<number, Submission>()
  /** The number of tasks in all of them. */
  size = 0

  open(ref: number): Submission {
    const submission = new Submission(this, ref)
    this.#byRef.set(ref, submission)
    return submission
  }

  get(ref: number): Submission | undefined {
    return this.#byRef.get(ref)
  }

  close(submission: Submission): void {
    this.#byRef.delete(submission.ref)
  }

  handle(ref: number, index: number): Handle | undefined {
    return this.#byRef.get(ref)?.at(index)
  }

  /** Results have arrived for the tasks at these places. */
  succeeded(ref: number, places: readonly number[], bodies: Bodies, contentType: string | undefined): void {
    const submission = this.#byRef.get(ref)
    if (submission === undefined) return
    for (let index = 0; index < places.length; index++) {
      submission.at(places[index]!)?.onResult(bodies, index, contentType)
    }
    submission.compact()
  }

  /** A task has ended without a result. */
  ended(task: EndedTask & { ref: number; index: number }): void {
    const { ref, index } = task
    const submission = this.#byRef.get(ref)
    submission?.at(index)?.onEnded(task)
    submission?.compact()
  }

  /** The first accepted task that nobody waits for. */
  firstUnawaited(): Handle | undefined {
    for (const submission of this.#byRef.values()) {
      for (const handle of submission.handles) if (handle?.phase === 'accepted' && !handle.awaited) return handle
    }
    return undefined
  }

  /** Removes and returns all tasks, in the order of submission. */
  drain(): Handle[] {
    const handles: Handle[] = []
    for (const submission of this.#byRef.values()) {
      for (const handle of submission.handles) {
        if (handle === undefined) continue
        handle.submission = undefined
        handles.push(handle)
      }
    }
    this.#byRef.clear()
    this.size = 0
    return handles
  }
}
