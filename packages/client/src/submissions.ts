import type { Bodies } from '@sluice/protocol'
import type { Handle } from './handle.ts'

/** The tasks of one submit message, by their place in it. A place is empty once nothing more is expected for it. */
export class Submission {
  readonly ref: number
  readonly handles: (Handle | undefined)[] = []
  /** Places that are not empty. */
  open = 0
  /** Whether the broker has answered the message. */
  answered = false
  readonly #all: Submissions
  /** The first place that may not be empty. */
  #first = 0

  constructor(all: Submissions, ref: number) {
    this.#all = all
    this.ref = ref
  }

  add(handle: Handle): void {
    handle.submission = this
    handle.place = this.handles.length
    this.handles.push(handle)
    this.open += 1
    this.#all.size += 1
  }

  /** Nothing more is expected for the task at `place`. */
  leave(place: number): void {
    this.handles[place]!.submission = undefined
    this.handles[place] = undefined
    this.open -= 1
    this.#all.size -= 1
    if (this.open === 0 && this.answered) this.#all.close(this)
  }

  /** The first accepted task for which nobody waits. */
  firstUnawaited(): Handle | undefined {
    const { handles } = this
    while (this.#first < handles.length && handles[this.#first] === undefined) this.#first += 1
    for (let place = this.#first; place < handles.length; place++) {
      const handle = handles[place]
      if (handle !== undefined && handle.phase === 'accepted' && !handle.awaited) return handle
    }
    return undefined
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
    return this.#byRef.get(ref)?.handles[index]
  }

  /** Results have arrived for the tasks at these places. */
  succeeded(ref: number, places: readonly number[], bodies: Bodies, contentType: string | undefined): void {
    const submission = this.#byRef.get(ref)
    if (submission === undefined) return
    for (let index = 0; index < places.length; index++) {
      submission.handles[places[index]!]?.onResult(bodies, index, contentType)
    }
  }

  firstUnawaited(): Handle | undefined {
    for (const submission of this.#byRef.values()) {
      const handle = submission.firstUnawaited()
      if (handle !== undefined) return handle
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
