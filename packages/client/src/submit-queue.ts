import {
  Bodies,
  type ClientMessage,
  type Limits,
  retryOf,
  type Submit,
  utf8Length,
  type WireError,
} from '@sluice/protocol'
import type { Connection } from './connection.ts'
import { Deque } from './deque.ts'
import type { Encoded } from './encode-value.ts'
import { SluiceError } from './errors.ts'
import { FullQueues } from './full-queues.ts'
import type { Handle } from './handle.ts'
import type { Logger } from './logger.ts'
import type { Platform } from './platform.ts'
import { RetryBudget } from './retry-budget.ts'
import type { Submission, Submissions } from './submissions.ts'
import type { Terms } from './terms.ts'
import type { Watches } from './watches.ts'

/**
 * The maximum number of tasks in one submit message. It makes the cost of a message negligible, and the answer still
 * comes soon.
 */
const SUBMIT_TASKS_MAX = 500
/**
 * The maximum number of characters in the inputs of unanswered submissions, plus one more input. A socket takes any
 * amount, and later messages (a cancellation, a heartbeat) would wait behind it.
 */
const UNANSWERED_CHARS_MAX = 16 * 1024 * 1024
/**
 * The range of the jitter on top of a refusal's `retryAfterMs`, and the wait of retries that exceed the budget, in ms.
 */
const BUSY_JITTER_MS = 500
const BUDGET_WAIT_MS = 1000
/** A generous bound on what a task adds to a message besides its body. */
const TASK_OVERHEAD_BYTES = 64

/** A submit message that is being built. */
interface Group {
  message: Submit
  add: (input: Encoded) => void
  submission: Submission
  bytes: number
}

/** What a submit queue shares with its producer. */
export interface SubmitQueueOptions {
  platform: Platform
  connection: Connection
  submissions: Submissions
  watches: Watches
  logger: Logger
  /** Called when the caller of a submission stops waiting for it. */
  onGivenUp: () => void
}

/**
 * Submissions that are not accepted. They wait in `#queue` until the credit permits sending them, then among the
 * submissions until they are answered. If the broker has no room, they wait in `#parked` until the retry.
 */
export class SubmitQueue {
  /** The submit credit: how many unanswered tasks the broker accepts. */
  credit = 0
  readonly #platform: Platform
  readonly #connection: Connection
  readonly #submissions: Submissions
  readonly #watches: Watches
  readonly #onGivenUp: () => void
  readonly #budget: RetryBudget
  readonly #full: FullQueues
  readonly #queue = new Deque<Handle>()
  readonly #parked = new Map<Handle[], () => void>()
  #unanswered = 0
  #unansweredChars = 0
  /** Tasks in `#queue` whose callers have given up. */
  #givenUp = 0

  constructor({ platform, connection, submissions, watches, logger, onGivenUp }: SubmitQueueOptions) {
    this.#platform = platform
    this.#connection = connection
    this.#submissions = submissions
    this.#watches = watches
    this.#onGivenUp = onGivenUp
    this.#full = new FullQueues(logger)
    this.#budget = new RetryBudget(platform.now())
  }

  /** Whether everything that was sent is answered. */
  get isAnswered(): boolean {
    return this.#unanswered === 0
  }

  /** Whether nobody waits for an answer. */
  get isIdle(): boolean {
    if (this.#unanswered > 0 || this.#queue.size > 0) return false
    for (const handles of this.#parked.keys()) if (handles.some(({ accept }) => accept !== undefined)) return false
    return true
  }

  /** Whether too much is unanswered to send more. */
  get isFull(): boolean {
    return this.#unansweredChars >= UNANSWERED_CHARS_MAX
  }

  /** Tasks that may be sent now. */
  get waiting(): number {
    return Math.min(this.#queue.size, this.credit - this.#unanswered)
  }

  /** Adds a submission, unless its signal has fired. */
  add(handle: Handle, signal: AbortSignal | undefined): void {
    if (signal !== undefined && !this.#leaveOn(signal, handle)) return
    this.#queue.push(handle)
    this.#connection.requestFlush()
  }

  /** After a welcome: sends what the old connection left unanswered again, before all others. */
  resend(unanswered: readonly Handle[], credit: number): void {
    this.credit = credit
    this.#unanswered = 0
    this.#unansweredChars = 0
    for (const handle of unanswered) {
      handle.phase = 'queued'
      handle.mayBeHeld = true
    }
    this.#queue.unshiftAll(this.#stillWanted(unanswered))
  }

  /** Removes and returns everything that was not sent, or was refused and waits. */
  drain(): Handle[] {
    const handles = [...this.#queue.drain(), ...[...this.#parked.keys()].flat()]
    for (const cancel of this.#parked.values()) cancel()
    this.#parked.clear()
    return handles
  }

  /** Pushes everything that the credit permits. */
  collect(out: ClientMessage[]): void {
    const { limits } = this.#connection
    const tasksMax = Math.min(SUBMIT_TASKS_MAX, limits.batchItemsMax)
    const bytesMax = limits.frameBytesMax >> 1
    const open = new Map<string, Group>()
    let group: Group | undefined
    let groupKey = ''
    while (this.#unanswered < this.credit) {
      const handle = this.#queue.shift()
      if (handle === undefined) break
      if (handle.accept === undefined) {
        this.#givenUp -= 1
        this.leave(handle)
        continue
      }
      const input = handle.input!
      const bytes = bytesWithin(input, limits)
      if (bytes === undefined) {
        this.#reject(handle, {
          code: 'too_large',
          message: `the input has ${bytesOf(input)} bytes, at most ${limits.bodyBytesMax} are allowed`,
          field: 'bodies',
          limit: limits.bodyBytesMax,
        })
        continue
      }
      const key = typeof input === 'string' ? handle.terms.key : `${handle.terms.key} bytes`
      if (group === undefined || groupKey !== key) {
        groupKey = key
        group = open.get(groupKey)
      }
      if (
        group === undefined ||
        group.message.ids.length === tasksMax ||
        group.bytes + bytes + TASK_OVERHEAD_BYTES > bytesMax
      ) {
        group = this.#openGroup(out, handle.terms, input)
        open.set(groupKey, group)
      }
      group.message.ids.push(handle.id)
      group.add(input)
      group.submission.add(handle)
      group.bytes += bytes + TASK_OVERHEAD_BYTES
      group.submission.chars += lengthOf(input)
      this.#unanswered += 1
      this.#unansweredChars += lengthOf(input)
      handle.phase = 'sent'
      if (handle.mayBeHeld && handle.terms.watched) this.#watches.add(handle, false)
      if (this.#unansweredChars >= UNANSWERED_CHARS_MAX) break
    }
  }

  /** A message for inputs of the same kind as `first`: texts, or bytes of one content type. */
  #openGroup(out: ClientMessage[], terms: Terms, first: Encoded): Group {
    const ref = this.#connection.nextRef()
    const texts: string[] = []
    const pieces: Uint8Array[] = []
    const lengths: number[] = []
    const bodies = typeof first === 'string' ? Bodies.ofTexts(texts) : Bodies.ofPieces(pieces, lengths)
    const message: Submit = { type: 'submit', ref, queue: terms.queue!, ids: [], bodies }
    if (typeof first !== 'string' && first.contentType !== undefined) message.contentType = first.contentType
    if (terms.options !== undefined) message.options = terms.options
    if (!terms.watched) message.watch = false
    out.push(message)
    const add = (input: Encoded): void => {
      if (typeof input === 'string') texts.push(input)
      else {
        pieces.push(input.bytes)
        lengths.push(input.bytes.length)
      }
    }
    return { message, add, submission: this.#submissions.open(ref), bytes: 0 }
  }

  /** The broker's answer to a submission. */
  answered(ref: number, refused: readonly { index: number; error: WireError }[]): void {
    const submission = this.#submissions.get(ref)
    if (submission === undefined || submission.answered) return
    submission.answered = true
    const { count } = submission
    this.#unanswered -= count
    this.#unansweredChars -= submission.chars
    const retried: Handle[] = []
    let retryAfterMs = 0
    let why = ''
    for (const { index, error } of refused) {
      const handle = submission.at(index)
      if (handle === undefined) continue
      if (retryOf(error.code) === 'no' || handle.accept === undefined || handle.terms.throwsBusy) {
        this.#reject(handle, error)
      } else {
        submission.leave(index)
        handle.phase = 'refused'
        retried.push(handle)
        why = error.message
        retryAfterMs = Math.max(retryAfterMs, error.retryAfterMs ?? 0)
      }
    }
    for (let place = 0; place < count; place++) {
      const handle = submission.at(place)
      if (handle?.phase !== 'sent') continue
      this.#full.accepted(handle.terms.queue!)
      this.#accept(handle)
    }
    if (submission.isOver) this.#submissions.close(submission)
    this.#budget.earn(count - refused.length)
    if (retried.length === 0) return
    this.#full.refused(retried[0]!.terms.queue!, retried.length, why, this.#platform.now())
    this.#park(retried, retryAfterMs)
  }

  #accept(handle: Handle): void {
    // Nobody has the handle of a submission that was given up, and nobody waits for an unwatched task.
    if (handle.accept === undefined || !handle.terms.watched) this.leave(handle)
    handle.accepted()
  }

  #reject(handle: Handle, error: WireError): void {
    handle.phase = 'refused'
    handle.input = undefined
    this.leave(handle)
    handle.settle(new SluiceError(error))
  }

  /** Nothing more is expected for it. */
  leave(handle: Handle): void {
    handle.submission?.leave(handle.place)
    this.#watches.forget(handle)
  }

  /** Retries refused submissions after the broker's delay plus a full jitter, and within the retry budget. */
  #park(handles: Handle[], retryAfterMs: number): void {
    const delayMs = retryAfterMs + this.#platform.random() * BUSY_JITTER_MS
    const cancel = this.#platform.setTimer(() => {
      this.#parked.delete(handles)
      const wanted = this.#stillWanted(handles)
      const granted = this.#budget.spend(wanted.length, this.#platform.now())
      for (const handle of wanted.slice(0, granted)) handle.phase = 'queued'
      this.#queue.unshiftAll(wanted.slice(0, granted))
      if (granted < wanted.length) this.#park(wanted.slice(granted), BUDGET_WAIT_MS)
      this.#connection.requestFlush()
    }, delayMs)
    this.#parked.set(handles, cancel)
  }

  /** @returns false if the signal has fired already */
  #leaveOn(signal: AbortSignal, handle: Handle): boolean {
    if (signal.aborted) {
      handle.settle(this.#connection.reasonOf(signal))
      return false
    }
    const abort = (): void => this.#giveUp(handle, this.#connection.reasonOf(signal))
    const accept = handle.accept!
    const reject = handle.reject!
    handle.accept = (accepted) => {
      signal.removeEventListener('abort', abort)
      accept(accepted)
    }
    handle.reject = (error) => {
      signal.removeEventListener('abort', abort)
      reject(error)
    }
    signal.addEventListener('abort', abort, { once: true })
    return true
  }

  /**
   * The caller stops waiting. An unsent submission is never sent. Such submissions are removed before they outnumber
   * the others.
   */
  #giveUp(handle: Handle, reason: unknown): void {
    handle.settle(reason)
    handle.input = undefined
    if (handle.phase === 'queued') {
      this.#givenUp += 1
      if (this.#givenUp * 2 > this.#queue.size) {
        this.#givenUp = 0
        this.#queue.unshiftAll(this.#stillWanted(this.#queue.drain()))
      }
    }
    this.#onGivenUp()
  }

  #stillWanted(handles: readonly Handle[]): Handle[] {
    return handles.filter((handle) => {
      if (handle.accept === undefined) this.leave(handle)
      return handle.accept !== undefined
    })
  }
}

/** The bytes of an input; for text at most three times too many. Undefined if it exceeds the limit on bodies. */
function bytesWithin(input: Encoded, { bodyBytesMax }: Limits): number | undefined {
  // UTF-8 takes at most three bytes for a UTF-16 unit.
  if (typeof input === 'string' && input.length * 3 <= bodyBytesMax) return input.length * 3
  const bytes = bytesOf(input)
  return bytes > bodyBytesMax ? undefined : bytes
}

const bytesOf = (input: Encoded): number => (typeof input === 'string' ? utf8Length(input) : input.bytes.length)

const lengthOf = (input: Encoded): number => (typeof input === 'string' ? input.length : input.bytes.length)
