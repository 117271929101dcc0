import {
  ClosedError,
  type Platform,
  SluiceError,
  TaskCancelledError,
  TaskDeadError,
  uuidv7Source,
} from '@sluice/client'
import { createOutboxClient, type OutboxClient, OutboxError, type OutboxHandle } from '@sluice/client/outbox'
import type { Device } from '../browser/device.ts'
import { type Context, grained } from '../context.ts'
import type { BrowserGroup } from '../scenario.ts'
import { ArrivalProcess } from './arrivals.ts'
import { BROKER_URL } from './client-platform.ts'
import type { Process } from './process.ts'
import { readResult } from './task-text.ts'
import { makeWish, type Wish } from './wish.ts'

/** The names that submissions of one device share. */
const ORDERING_KEYS = 3
const INTENTS = 8
/** How long a user waits before they try again what the storage has refused. */
const AGAIN_MS_MEAN = 1000

/** A submission as its user remembers it. */
interface ItemNote {
  readonly id: string
  readonly wish: Wish
  readonly orderingKey: string | undefined
  readonly intent: string | undefined
  /** The page has said that it is saved. */
  isSaved: boolean
  /** It was parked and has been sent again. */
  isRetried: boolean
}

export interface TabNotes {
  /** Submissions whose end the user has not seen, by id. */
  readonly items: Map<string, ItemNote>
  wishes: number
}

export interface TabProgramOptions {
  context: Context
  process: Process
  platform: Platform
  group: BrowserGroup
  device: Device
  isFrozen: () => boolean
  notes: TabNotes
}

/** One life of a page that submits through an outbox. */
export class TabProgram {
  readonly #options: TabProgramOptions
  readonly #client: OutboxClient
  readonly #arrivals: ArrivalProcess
  readonly #nextId: () => string
  #isClosing = false

  constructor(options: TabProgramOptions) {
    const { context, process, platform, group, device, isFrozen } = options
    this.#options = options
    this.#nextId = uuidv7Source(platform)
    this.#client = createOutboxClient({
      url: BROKER_URL,
      owner: device.name,
      name: process.node,
      store: device.storage.open(process),
      group: {
        locks: device.locks.of(process),
        channel: (name) => device.channels.join(name, process, isFrozen),
      },
      platform,
      ...(group.whenUnsaved === undefined ? {} : { whenUnsaved: group.whenUnsaved }),
      ...(group.keepEnded === undefined ? {} : { keepEnded: group.keepEnded }),
    })
    let isLeading = false
    this.#client.onStatus(({ role }) => {
      if (role === 'leading' && !isLeading)
        process.observe({ type: 'leading', node: process.node, device: device.name })
      isLeading = role === 'leading'
    })
    this.#arrivals = new ArrivalProcess({
      arrivals: group.arrivals,
      random: context.random.stream(`${process.node} arrivals`),
      durationMs: context.scenario.durationMs,
      nowMs: () => context.clock.nowMs,
      setTimer: (fn, ms) => process.setTimer(fn, ms),
      wish: () => this.#wish(),
    })
  }

  /** Continues with what its user remembers, then with new wishes. */
  start(): void {
    const notes = [...this.#options.notes.items.values()]
    for (const note of notes) this.#pursue(note)
    this.#arrivals.start(notes.length)
  }

  quiet(): void {
    this.#arrivals.end()
  }

  pause(): void {
    this.#client.pause()
  }

  resume(): void {
    this.#client.resume()
  }

  close(): Promise<void> {
    this.#isClosing = true
    this.quiet()
    return this.#client.close()
  }

  /** Returns whether there may be more. */
  #wish(): boolean {
    const { context, process, group, device, notes } = this.#options
    const { itemsMax = Number.POSITIVE_INFINITY } = group
    if (this.#isClosing || notes.wishes >= itemsMax) return false
    notes.wishes += 1
    const wish = makeWish(context, group, process.node, notes.wishes)
    const chance = context.random.once(`item ${wish.name}`)
    const named = (share: number | undefined, what: string, count: number): string | undefined => {
      const isNamed = chance.chance(share ?? 0)
      const name = `${what} ${chance.integer(1, count)} of ${device.name}`
      return isNamed ? name : undefined
    }
    const note: ItemNote = {
      id: this.#nextId(),
      wish,
      orderingKey: named(group.orderingKeys, 'key', ORDERING_KEYS),
      intent: named(group.intents, 'intent', INTENTS),
      isSaved: false,
      isRetried: false,
    }
    notes.items.set(note.id, note)
    this.#pursue(note)
    return notes.wishes < itemsMax
  }

  #pursue(note: ItemNote): void {
    const { context, process } = this.#options
    this.#follow(note).catch((error) => context.escaped(process.node, error))
  }

  async #follow(note: ItemNote): Promise<void> {
    const { process, notes } = this.#options
    const handle = note.isSaved ? this.#client.handle(note.id) : await this.#submit(note)
    if (handle === undefined) return
    const { cancelAfterMs } = note.wish
    if (cancelAfterMs !== undefined) process.setTimer(() => this.#cancel(handle), cancelAfterMs)
    handle.accepted.then(
      () => process.observe({ type: 'accepted', node: process.node, id: handle.id }),
      () => {},
    )
    if (!(await this.#outcome(note, handle))) return
    notes.items.delete(note.id)
    this.#arrivals.answered()
  }

  /** Undefined if this page cannot go on with it. */
  async #submit(note: ItemNote): Promise<OutboxHandle | undefined> {
    const { process, device, notes } = this.#options
    const { node } = process
    const { id, wish, orderingKey, intent } = note
    const { queue, options } = wish.task
    process.observe({ type: 'submitting', node, id, queue, body: wish.body, attempt: 1 })
    for (;;) {
      try {
        const handle = await this.#client.submit(queue, wish.body, {
          ...options,
          id,
          ...(orderingKey === undefined ? {} : { orderingKey }),
          ...(intent === undefined ? {} : { intent }),
        })
        note.isSaved = handle.state !== 'unsaved'
        process.observe({ type: 'saved', node, device: device.name, id: handle.id, isSaved: note.isSaved })
        if (handle.id === id) return handle
        // The item of another submission. The maker of that one follows it.
        process.observe({ type: 'outcomeUnknown', node, id, code: 'sameIntent' })
        notes.items.delete(id)
        this.#arrivals.answered()
        return undefined
      } catch (error) {
        const code = codeOf(error)
        process.observe({ type: 'unsaved', node, id, code })
        if (code === 'closed') {
          process.observe({ type: 'outcomeUnknown', node, id, code })
          return undefined
        }
        if (!code.startsWith('store_')) throw error
      }
      await this.#aWhile()
      if (this.#isClosing) return undefined
    }
  }

  /** Returns whether there will be no better answer. */
  async #outcome(note: ItemNote, handle: OutboxHandle): Promise<boolean> {
    const { process } = this.#options
    const { node } = process
    const { id } = handle
    for (;;) {
      try {
        process.observe({ type: 'outcome', node, id, status: 'succeeded', result: readResult(await handle.result()) })
        return true
      } catch (error) {
        if (error instanceof TaskDeadError) {
          const { reason, error: failure } = error
          process.observe({ type: 'outcome', node, id, status: 'dead', reason, ...(failure ? { failure } : {}) })
          return true
        }
        const code = error instanceof TaskCancelledError ? 'cancelled' : codeOf(error)
        if (handle.state === 'parked') await this.#decide(note, handle)
        else if (code.startsWith('store_')) await this.#aWhile()
        else {
          process.observe({ type: 'outcomeUnknown', node, id, code })
          return code !== 'closed'
        }
        if (this.#isClosing) return false
      }
    }
  }

  /** A parked item is sent once more, and discarded the next time. */
  async #decide(note: ItemNote, handle: OutboxHandle): Promise<void> {
    const { process } = this.#options
    const { id } = note
    await this.#aWhile()
    if (this.#isClosing || handle.state !== 'parked') return
    process.observe({ type: 'deciding', node: process.node, id, what: note.isRetried ? 'discard' : 'retry' })
    try {
      await (note.isRetried ? this.#client.discard(id) : this.#client.retry(id))
      note.isRetried = true
    } catch (error) {
      codeOf(error)
    }
  }

  #cancel(handle: OutboxHandle): void {
    const { process, context } = this.#options
    handle
      .cancel()
      .then(
        () => process.observe({ type: 'cancelSaved', node: process.node, id: handle.id }),
        (error) => void codeOf(error),
      )
      .catch((error) => context.escaped(process.node, error))
  }

  #aWhile(): Promise<void> {
    const { context, process } = this.#options
    return process.sleep(grained(context.random.stream(`${process.node} patience`).exponential(AGAIN_MS_MEAN)))
  }
}

/** The code that a call was refused with. An error that is no refusal is a defect and is thrown again. */
function codeOf(error: unknown): string {
  if (error instanceof ClosedError) return 'closed'
  if (error instanceof SluiceError || error instanceof OutboxError) return error.code
  throw error
}
