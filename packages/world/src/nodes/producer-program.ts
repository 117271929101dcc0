import {
  type Client,
  ClosedError,
  createClient,
  type Platform,
  SluiceError,
  TaskCancelledError,
  TaskDeadError,
  type TaskHandle,
  uuidv7Source,
} from '@sluice/client'
import type { WireError } from '@sluice/protocol'
import { type Context, grained } from '../context.ts'
import type { Awaited } from '../observation.ts'
import type { RandomStream } from '../random.ts'
import type { ProducerGroup } from '../scenario.ts'
import { ArrivalProcess } from './arrivals.ts'
import { BROKER_URL } from './client-platform.ts'
import type { Process } from './process.ts'
import { readResult } from './task-text.ts'
import { makeWish, type Submission, type Wish } from './wish.ts'

/** The most retries that a budget saves up. */
const RETRIES_MAX = 10

/** What a producer writes down before it acts, and reads again after a crash. */
export interface ProducerNotes {
  /** Wishes whose outcome is not known, by id. */
  readonly submissions: Map<string, Submission>
  wishes: number
  /** Retries that the budget can spend. */
  retries: number
}

export interface ProducerProgramOptions {
  context: Context
  process: Process
  platform: Platform
  group: ProducerGroup
  notes: ProducerNotes
  watchesProgress: boolean
  onFailed: (reason: string) => void
}

/** Why an impatient producer gives a submission up. */
class GaveUp extends Error {}

/** One life of a producer's program. */
export class ProducerProgram {
  readonly #options: ProducerProgramOptions
  readonly #client: Client
  #other: Client | undefined
  #arrivals: ArrivalProcess
  readonly #nextId: () => string
  readonly #habits: RandomStream
  /** Resubmissions and cancellations without an answer. */
  readonly #asides = new Set<Awaited>()
  #isQuiet = false
  #isClosing = false

  constructor(options: ProducerProgramOptions) {
    const { context, process, platform, group, onFailed } = options
    this.#options = options
    const { node, incarnation } = process
    // The client draws its ids from the same numbers, so the ids that it will make are known before.
    const ids = (): RandomStream => context.random.once(`${node} life ${incarnation} own ids`)
    const own = { ...platform, randomBytes: bytesOf(ids()) }
    this.#nextId = uuidv7Source(group.unnamed ? { ...platform, randomBytes: bytesOf(ids()) } : platform)
    this.#habits = context.random.stream(`${process.node} impatience`)
    this.#client = this.#connect(node, group.unnamed ? own : platform, onFailed)
    this.#arrivals = this.#makeArrivals()
  }

  /** Continues with the notes, then with new wishes. */
  start(): void {
    const submissions = [...this.#options.notes.submissions.values()]
    for (const submission of submissions) this.#pursue(submission)
    this.#arrivals.start(this.#awaited)
  }

  /** Wishes arrive from now on as the group says now. */
  arriveAnew(): void {
    this.#arrivals.end()
    this.#arrivals = this.#makeArrivals()
    this.#arrivals.start(this.#awaited)
  }

  quiet(): void {
    this.#isQuiet = true
    this.#arrivals.end()
  }

  get asides(): readonly Awaited[] {
    return [...this.#asides]
  }

  close(): Promise<void> {
    this.#isClosing = true
    this.quiet()
    return Promise.all([this.#client.close(), this.#other?.close()]).then(() => {})
  }

  /** Wishes without an answer. One may have been submitted several times, and perhaps nobody waits for it any more. */
  get #awaited(): number {
    const submissions = [...this.#options.notes.submissions.values()]
    return new Set(submissions.map(({ wish }) => wish).filter(({ isSettled }) => !isSettled)).size
  }

  #makeArrivals(): ArrivalProcess {
    const { context, process, group } = this.#options
    return new ArrivalProcess({
      arrivals: group.arrivals,
      random: context.random.stream(`${process.node} arrivals`),
      durationMs: context.scenario.durationMs,
      nowMs: () => context.clock.nowMs,
      setTimer: (fn, ms) => process.setTimer(fn, ms),
      wish: () => this.#wish(),
    })
  }

  /** A second client of this program, with a session of its own. */
  #elsewhere(): Client {
    const { process, platform, onFailed } = this.#options
    this.#other ??= this.#connect(`${process.node} elsewhere`, platform, onFailed)
    return this.#other
  }

  #connect(name: string, platform: Platform, onFailed: (reason: string) => void): Client {
    const { watchedMax } = this.#options.group
    const client = createClient({
      url: BROKER_URL,
      name,
      platform,
      ...(watchedMax === undefined ? {} : { watchedMax }),
    })
    client.onStateChange((state) => {
      if (state !== 'failed') return
      this.#options.process.afterTurn(() => onFailed('the broker refused the connection for good'))
    })
    return client
  }

  /** Returns whether there may be more. */
  #wish(): boolean {
    const { context, process, group, notes } = this.#options
    const { tasksMax = Number.POSITIVE_INFINITY, impatientBackOff } = group
    if (this.#isClosing || notes.wishes >= tasksMax) return false
    notes.wishes += 1
    if (impatientBackOff?.kind === 'budget') {
      notes.retries = Math.min(RETRIES_MAX, notes.retries + impatientBackOff.ratio)
    }
    this.#submit(makeWish(context, group, process.node, notes.wishes))
    return notes.wishes < tasksMax
  }

  #submit(wish: Wish): void {
    const id = this.#nextId()
    wish.attempts += 1
    const submission = { wish, id, attempt: wish.attempts, isAccepted: false }
    this.#options.notes.submissions.set(id, submission)
    this.#pursue(submission, this.#options.group.unnamed)
  }

  #pursue(submission: Submission, isUnnamed = false): void {
    const { process, group } = this.#options
    const giveUp = new AbortController()
    if (group.patienceMs !== undefined) {
      process.setTimer(() => this.#loseHeart(submission, giveUp), group.patienceMs)
    }
    this.#follow(submission, giveUp.signal, isUnnamed).catch((error) =>
      this.#options.context.escaped(process.node, error),
    )
  }

  async #follow(submission: Submission, signal: AbortSignal, isUnnamed: boolean): Promise<void> {
    const { wish } = submission
    const handle = await this.#accepted(submission, signal, isUnnamed)
    if (!handle) return
    const { process } = this.#options
    if (wish.resubmitAfterMs !== undefined) process.setTimer(() => this.#submitAgain(submission), wish.resubmitAfterMs)
    if (wish.cancelAfterMs !== undefined) process.setTimer(() => this.#cancel(handle), wish.cancelAfterMs)
    if (wish.askAfterMs !== undefined) {
      await process.sleep(wish.askAfterMs)
      if (this.#isClosing) return
      const late = wish.isKept
        ? handle
        : (wish.isAskedElsewhere ? this.#elsewhere() : this.#client).handle(submission.id)
      await this.#askStatus(late)
      await this.#outcome(submission, late)
    } else {
      await this.#outcome(submission, handle)
    }
  }

  /** Submits. Undefined if the task was not accepted. */
  async #accepted(submission: Submission, signal: AbortSignal, isUnnamed: boolean): Promise<TaskHandle | undefined> {
    const { process, group, notes } = this.#options
    const { id, wish, attempt } = submission
    const { node } = process
    const { queue, options } = wish.task
    process.observe({ type: 'submitting', node, id, queue, body: wish.body, attempt })
    try {
      const handle = await this.#client.submit(queue, wish.body, {
        ...options,
        ...(isUnnamed ? {} : { id }),
        watch: wish.askAfterMs === undefined || wish.isKept,
        onBusy: group.onBusy === 'giveUp' ? 'throw' : 'wait',
        ...(group.patienceMs === undefined ? {} : { signal }),
      })
      if (handle.id !== id) throw new Error(`the client made a handle of task ${handle.id} for task ${id}`)
      submission.isAccepted = true
      process.observe({ type: 'accepted', node, id })
      return handle
    } catch (error) {
      if (error instanceof GaveUp) {
        notes.submissions.delete(id)
        process.observe({ type: 'outcomeUnknown', node, id, code: 'gaveUp' })
      } else if (error instanceof ClosedError) {
        process.observe({ type: 'refused', node, id, error: { code: 'closed', message: error.message } })
      } else {
        process.observe({ type: 'refused', node, id, error: wireError(error) })
        notes.submissions.delete(id)
        this.#settle(wish)
      }
      return undefined
    }
  }

  async #outcome(submission: Submission, handle: TaskHandle): Promise<void> {
    const { notes, watchesProgress } = this.#options
    if (watchesProgress) this.#watchProgress(handle)
    const isKnown = await this.#awaitOutcome(handle)
    // It is still noted: the next life of this program asks again.
    if (!isKnown) return
    notes.submissions.delete(submission.id)
    submission.wish.isFulfilled = true
    this.#settle(submission.wish)
  }

  /** Returns whether there will be no better answer. */
  async #awaitOutcome(handle: TaskHandle): Promise<boolean> {
    const { process } = this.#options
    const { node } = process
    const { id } = handle
    try {
      const result = readResult(await handle.result())
      process.observe({ type: 'outcome', node, id, status: 'succeeded', result })
    } catch (error) {
      if (error instanceof TaskDeadError) {
        const { reason, error: failure } = error
        process.observe({ type: 'outcome', node, id, status: 'dead', reason, ...(failure ? { failure } : {}) })
      } else if (error instanceof TaskCancelledError) {
        process.observe({ type: 'outcome', node, id, status: 'cancelled' })
      } else if (error instanceof ClosedError) {
        process.observe({ type: 'outcomeUnknown', node, id, code: 'closed' })
        return false
      } else {
        process.observe({ type: 'outcomeUnknown', node, id, code: wireError(error).code })
      }
    }
    return true
  }

  /** Nobody waits for it any more. */
  #settle(wish: Wish): void {
    if (wish.isSettled) return
    wish.isSettled = true
    this.#arrivals.answered()
  }

  /** Acts like a page that was reloaded, or a program that never saw the first answer. */
  #submitAgain({ id, wish, attempt }: Submission): void {
    const { process, context } = this.#options
    const { node } = process
    const { queue, options } = wish.task
    if (this.#isQuiet) return
    const body = wish.again === 'changed' ? `${wish.body}!` : wish.body
    const isAwaited = wish.again === 'awaited'
    process.observe({ type: 'submitting', node, id, queue, body, attempt })
    const aside: Awaited = { node, id, what: 'resubmission' }
    this.#asides.add(aside)
    this.#client
      .submit(queue, body, { ...options, id, watch: isAwaited, onBusy: 'throw' })
      .then(
        (handle) => {
          process.observe({ type: 'accepted', node, id })
          return isAwaited ? this.#awaitOutcome(handle) : undefined
        },
        (error) => {
          if (error instanceof ClosedError) return
          process.observe({ type: 'refused', node, id, error: wireError(error) })
        },
      )
      .catch((error) => context.escaped(node, error))
      .finally(() => {
        this.#asides.delete(aside)
      })
  }

  /** What it says is judged on the wire. */
  async #askStatus(handle: TaskHandle): Promise<void> {
    await handle.status().catch((error) => {
      if (!(error instanceof ClosedError)) wireError(error)
    })
  }

  #cancel(handle: TaskHandle): void {
    const { process, context } = this.#options
    const { node } = process
    const { id } = handle
    if (this.#isQuiet) return
    process.observe({ type: 'cancelling', node, id })
    const aside: Awaited = { node, id, what: 'cancellation' }
    this.#asides.add(aside)
    handle
      .cancel()
      .then(
        () => process.observe({ type: 'cancelAnswered', node, id, code: 'cancelled' }),
        (error) => {
          if (error instanceof ClosedError) return
          process.observe({ type: 'cancelAnswered', node, id, code: wireError(error).code })
        },
      )
      .catch((error) => context.escaped(node, error))
      .finally(() => {
        this.#asides.delete(aside)
      })
  }

  #watchProgress(handle: TaskHandle): void {
    const { process, context } = this.#options
    const { node } = process
    const watch = async (): Promise<void> => {
      for await (const progress of handle.progress()) {
        process.observe({ type: 'progressSeen', node, id: handle.id, progress })
      }
    }
    watch().catch((error) => context.escaped(node, error))
  }

  /** The outcome is of no use any more. The wish is submitted again, as often as its producer has patience. */
  #loseHeart(submission: Submission, giveUp: AbortController): void {
    const { process, group, notes } = this.#options
    const { wish } = submission
    if (this.#isClosing || wish.isFulfilled || !notes.submissions.has(submission.id)) return
    if (!submission.isAccepted) giveUp.abort(new GaveUp('the producer lost patience'))
    const { impatientRetriesMax = 0, impatientBackOff = { kind: 'none' } } = group
    if (submission.attempt !== wish.attempts || wish.attempts > impatientRetriesMax) {
      this.#settle(wish)
      return
    }
    switch (impatientBackOff.kind) {
      case 'none':
        this.#submit(wish)
        return
      case 'exponential': {
        const { baseMs, capMs } = impatientBackOff
        const span = Math.min(capMs, baseMs * 2 ** (wish.attempts - 1))
        process.setTimer(
          () => {
            if (!wish.isFulfilled && !this.#isClosing) this.#submit(wish)
          },
          grained(this.#habits.next() * span),
        )
        return
      }
      case 'budget':
        if (notes.retries < 1) {
          this.#settle(wish)
          return
        }
        notes.retries -= 1
        this.#submit(wish)
    }
  }
}

function bytesOf(random: RandomStream): (count: number) => Uint8Array {
  return (count) => random.bytes(count)
}

/** The code that a call was refused with. An error that is no refusal is a defect and is thrown again. */
function wireError(error: unknown): WireError {
  if (!(error instanceof SluiceError)) throw error
  const { code, message, retryAfterMs } = error
  return retryAfterMs === undefined ? { code, message } : { code, message, retryAfterMs }
}
