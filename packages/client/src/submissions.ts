import type { Bodies, EndedTask } from '@sluice/protocol'
import type { Handle } from './handle.ts'

/** A submission of which fewer than one in so many tasks is left does not keep a place for each. */
const SPARSE = 16

/** The tasks of one submit message, by their place in it. A place is empty once nothing more is expected for it. */
export class Submission {
  readonly ref: number
  /** How many tasks the message has. */
  count = 0
  /** How many characters their inputs have. */
  chars = 0
  /** Whether the broker has answered the message. */
  answered = false
  readonly #all: Submissions
  #handles: (Handle | undefined)[] | Map<number, Handle> = []
  /** Places that are not empty. */
  #open = 0

  constructor(all: Submissions, ref: number) {
    this.#all = all
    this.ref = ref
  }

  get isOver(): boolean {
    return this.answered && this.#open === 0
  }

  /** Before anything is answered. */
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

  /** Gives up the room of the empty places where hardly any other is left. */
  compact(): void {
    const handles = this.#handles
    if (!Array.isArray(handles) || this.#open * SPARSE > this.count) return
    const left = new Map<number, Handle>()
    for (const handle of handles) if (handle !== undefined) left.set(handle.place, handle)
    this.#handles = left
  }

  /** In their order, and undefined for empty places. */
  get handles(): Iterable<Handle | undefined> {
    const handles = this.#handles
    return Array.isArray(handles) ? handles : handles.values()
  }
}

/**
 * What was submitted over this connection and is not answered or has no outcome yet. The broker names these tasks by
 * submission and place, so that no id has to be looked up for any of them.
 */
export class Submissions {
  readonly #byRef = new Map<number, Submission>()
  /** Tasks in all of them. */
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

  /** The first accepted task for which nobody waits. */
  firstUnawaited(): Handle | undefined {
    for (const submission of this.#byRef.values()) {
      for (const handle of submission.handles) if (handle?.phase === 'accepted' && !handle.awaited) return handle
    }
    return undefined
  }

  /** Takes every task out, in the order of submission. */
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
