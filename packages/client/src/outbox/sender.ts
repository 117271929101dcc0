import type { ProducerClient } from '../client.ts'
import { type Encoded, encodeValue } from '../encode-value.ts'
import { ClosedError } from '../errors.ts'
import type { TaskHandle } from '../handle.ts'
import { type Logger, messageOf } from '../logger.ts'
import type { Platform } from '../platform.ts'
import { inputOf } from './input-of.ts'
import { ITEM_VERSION, type OutboxItem } from './item.ts'
import { itemErrorOf } from './item-error.ts'
import type { Link } from './link.ts'
import type { LiveItem } from './live-item.ts'
import { LiveItems } from './live-items.ts'
import { OrderingKeys } from './ordering-keys.ts'
import type { OutboxClientOptions } from './outbox-client.ts'
import { OutboxError } from './outbox-error.ts'
import { Outcomes } from './outcomes.ts'
import { SavedReader } from './saved-reader.ts'
import type { OutboxStore } from './store.ts'

/** Bounds on what was handed to the connection and is not accepted: items, and the bytes of their inputs. */
const SENDING_MAX = 1000
const SENDING_BYTES_MAX = 16 * 1024 * 1024
/** The number of followed items that are read at once. */
const PAGE = 500
/** The wait before a store that failed is asked again: from, up to, in ms. */
const AGAIN_MS = 250
const AGAIN_MS_MAX = 10_000
/** The wait before the broker is asked again for outcomes that it refused to tell without saying when, in ms. */
const FOLLOW_AGAIN_MS = 1000
/** The wait before a full store is given an outcome again, in ms. */
const UNSTORED_AGAIN_MS = 30_000
/** How often the whole store is looked at. A tab may end between its change and the message that tells of it. */
const SWEEP_MS = 60_000

export interface SenderOptions extends Pick<OutboxClientOptions, 'upgrade'> {
  store: OutboxStore
  owner: string
  link: Link
  platform: Platform
  logger: Logger
  inputVersion: number
  keepEnded: number
  /** An item is in another state. `result` is given if the result could not be stored. */
  onChange: (live: LiveItem, result?: { value: unknown }) => void
  onRemoved: (ids: readonly string[]) => void
  /** The store failed, or works again. */
  onStorage: (error: unknown) => void
}

/**
 * Sends what one owner has saved in one store, and follows it to its outcome. It begins when it is made and works until
 * `end`; after every wait it looks whether it is over.
 */
export class Sender {
  readonly #options: SenderOptions
  readonly #live: LiveItems
  readonly #outcomes: Outcomes
  readonly #keys = new OrderingKeys()
  /** Items of a key whose turn has come. */
  #due: OutboxItem[] = []
  readonly #saved: SavedReader
  #sending = 0
  #sendingBytes = 0
  /** Whether everything that was accepted or is to be cancelled was taken up. */
  #isFollowed = false
  #isPumping = false
  #pumpsAgain = false
  /** The client that the items in hand were given to. */
  #client: ProducerClient | undefined
  #failures = 0
  #cancelAgain: () => void = () => {}
  #cancelFollowing: (() => void) | undefined
  #cancelSweep: () => void = () => {}
  #isOver = false

  constructor(options: SenderOptions) {
    this.#options = options
    const { store, owner, keepEnded, onRemoved } = options
    this.#live = new LiveItems(store.isDurable, options.platform, options.onChange)
    this.#saved = new SavedReader(store, owner)
    this.#outcomes = new Outcomes({
      store,
      owner,
      keepEnded,
      live: this.#live,
      setTimer: (fn, ms) => options.platform.setTimer(fn, ms),
      isCurrent: (client) => !this.#isOver && client === this.#client && client === options.link.client,
      onEnded: (item) => {
        this.#nextOf(item)
        this.#pump()
      },
      onRemoved,
      onUnfollowed: (live, afterMs = FOLLOW_AGAIN_MS) => this.#followLater(live, afterMs),
      onUnstored: (item, error, isLasting) => {
        this.#storeFailed(error)
        if (isLasting) {
          this.#followSoon(UNSTORED_AGAIN_MS)
          return
        }
        this.#isFollowed = false
        this.#saved.rewind(item.seq - 1)
      },
    })
    this.#outcomes.prune().catch((error: unknown) => this.#storeFailed(error))
    if (store.isDurable) this.#sweepLater()
    if (options.link.isReady) this.ready()
  }

  /** Ends the work. What was sent and not accepted is still saved. */
  end(): void {
    this.#outcomes.noteAccepted()
    this.#isOver = true
    this.#cancelAgain()
    this.#cancelFollowing?.()
    this.#cancelSweep()
    for (const live of this.#live) {
      live.sending.abort()
      this.#live.giveBack(live)
    }
    this.#live.clear()
  }

  /** The connection is ready, the first time or again. */
  ready(): void {
    const { client } = this.#options.link
    if (this.#isOver || client === undefined) return
    if (client === this.#client) {
      for (const live of this.#live)
        if (live.state === 'saved' || live.state === 'unsaved') this.#live.move(live, 'send')
    } else {
      // Another client knows nothing of what was in hand. All of it is read from the store again.
      this.#client = client
      this.#restart()
    }
    this.#pump()
  }

  /** The connection is lost. */
  down(): void {
    for (const live of this.#live) this.#live.giveBack(live)
  }

  /** Another part of the program, or another tab, has changed these items in the store. */
  look(items: readonly OutboxItem[]): void {
    this.#saved.doubt()
    for (const item of items) {
      if (item.state === 'saved') {
        this.#keys.readmit(item.id)
        this.#saved.rewind(item.seq - 1)
      } else if (item.state === 'cancelling') this.#cancel(item)
    }
    this.#pump()
  }

  /** These items are removed from the store. */
  forget(ids: readonly string[]): void {
    this.#saved.doubt()
    for (const id of ids) {
      const live = this.#live.get(id)
      if (live !== undefined) {
        live.sending.abort()
        this.#live.drop(live)
        this.#nextOf(live.item)
      }
      const next = this.#keys.discard(id)
      if (next !== undefined) this.#due.push(next)
    }
    this.#pump()
  }

  /** Ends the wait for a store that has failed. */
  wake(): void {
    this.#cancelAgain()
    this.#pump()
  }

  /** The state of an item that is in hand. */
  get(id: string): LiveItem | undefined {
    return this.#live.get(id)
  }

  // ─── sending ─────────────────────────────────────────────────────────────────────────────────────────────────────

  #restart(): void {
    this.#keys.clear()
    this.#due = []
    this.#live.clear()
    this.#sending = 0
    this.#sendingBytes = 0
    this.#saved.restart()
    this.#isFollowed = false
  }

  #pump(): void {
    if (this.#isPumping) this.#pumpsAgain = true
    else void this.#run()
  }

  /** One round at a time. A round that is asked for during another one follows it. */
  async #run(): Promise<void> {
    this.#isPumping = true
    try {
      do {
        this.#pumpsAgain = false
        await this.#round()
      } while (this.#pumpsAgain)
      this.#storeWorks()
    } catch (error) {
      this.#storeFailed(error)
    } finally {
      this.#isPumping = false
    }
  }

  async #round(): Promise<void> {
    const { link } = this.#options
    const client = this.#client
    const isOut = (): boolean => this.#isOver || client === undefined || client !== this.#client || !link.isReady
    if (isOut()) return
    if (!this.#isFollowed) await this.#followAll()
    while (!isOut()) {
      const due = this.#due.splice(0)
      if (due.length > 0) {
        await this.#sendDue(due, isOut)
        continue
      }
      const room = SENDING_MAX - this.#sending
      if (room <= 0 || this.#sendingBytes >= SENDING_BYTES_MAX) return
      const items = await this.#saved.next(room)
      if (isOut()) return
      if (items.length === 0) {
        if (!this.#saved.isRewound && this.#due.length === 0) return
        continue
      }
      const taken = this.#withinBytes(items)
      const sent = this.#sendAll(
        taken.filter((item) => !this.#live.has(item.id) && this.#admit(item)),
        isOut,
      )
      this.#saved.took(taken, room - taken.length)
      await sent
    }
  }

  /** Whether a saved item may leave now. It is not parked any more if it was. */
  #admit(item: OutboxItem): boolean {
    this.#keys.readmit(item.id)
    return this.#keys.admit(item)
  }

  /** As many of the items as the bound on bytes leaves room for, at least one. */
  #withinBytes(items: readonly OutboxItem[]): readonly OutboxItem[] {
    let bytes = this.#sendingBytes
    const past = items.findIndex((item) => {
      bytes += item.bodyBytes
      return bytes > SENDING_BYTES_MAX
    })
    return past === -1 ? items : items.slice(0, Math.max(1, past))
  }

  /** Items that have waited for their key may have changed since they were read. */
  async #sendDue(due: readonly OutboxItem[], isOut: () => boolean): Promise<void> {
    const items = await this.#readOf(due, isOut, (ids) => this.#options.store.get(ids))
    if (items === undefined) return
    const saved: OutboxItem[] = []
    for (const [index, item] of items.entries()) {
      if (item?.state === 'saved' && !this.#live.has(item.id)) saved.push(item)
      else this.#nextOf(due[index]!)
    }
    await this.#sendAll(saved, isOut)
  }

  async #sendAll(items: readonly OutboxItem[], isOut: () => boolean): Promise<void> {
    if (items.length === 0) return
    const bodies = await this.#readOf(items, isOut, (ids) => this.#options.store.bodies(ids))
    if (bodies === undefined) return
    for (const [index, item] of items.entries()) {
      const body = bodies[index]
      // Without a body it was removed; an item in hand was cancelled meanwhile.
      if (body === undefined || this.#live.has(item.id)) this.#nextOf(item)
      else void this.#send(item, body)
    }
  }

  /**
   * What the store has of items whose turn has come. If they cannot leave after all, it is still their turn: the cursor
   * has passed them, and they hold their keys.
   */
  async #readOf<T>(
    items: readonly OutboxItem[],
    isOut: () => boolean,
    read: (ids: string[]) => Promise<T>,
  ): Promise<T | undefined> {
    const client = this.#client
    let result: T | undefined
    try {
      result = await read(items.map(({ id }) => id))
      if (isOut()) result = undefined
    } finally {
      if (result === undefined && client === this.#client) this.#due.unshift(...items)
    }
    return result
  }

  async #send(item: OutboxItem, body: Encoded): Promise<void> {
    const live = this.#live.take(item)
    this.#sending += 1
    this.#sendingBytes += item.bodyBytes
    this.#live.move(live, 'send')
    const client = this.#client!
    let handle: TaskHandle | undefined
    let refusal: unknown
    try {
      const input = this.#isCurrent(item) ? body : await this.#upgrade(live, body)
      if (input !== undefined) handle = await client.submitEncoded(live.item, input, live.sending.signal)
    } catch (error) {
      refusal = error
    }
    if (this.#isOver || client !== this.#client) return
    this.#sending -= 1
    this.#sendingBytes -= item.bodyBytes
    if (handle !== undefined) this.#accepted(live, handle, client)
    else if (refusal === undefined || live.sending.signal.aborted) this.#withdrawn(live)
    else await this.#refused(live, client, refusal)
    this.#pump()
  }

  #isCurrent(item: OutboxItem): boolean {
    return item.version === ITEM_VERSION && item.inputVersion === this.#options.inputVersion
  }

  /** @returns the input of today's version; undefined if the item is gone meanwhile */
  async #upgrade(live: LiveItem, body: Encoded): Promise<Encoded | undefined> {
    const { inputVersion, upgrade, store } = this.#options
    const { item } = live
    if (item.version > ITEM_VERSION || item.inputVersion > inputVersion)
      throw new OutboxError('newer_item', 'a newer version of this site has saved this item: reload the page')
    if (upgrade === undefined) return body
    let input: Encoded
    try {
      input = encodeValue(await upgrade(item, inputOf(body)), 'input')
    } catch (error) {
      throw new OutboxError('upgrade_failed', `the item cannot be brought up to date: ${messageOf(error)}`)
    }
    const [changed] = await store.change(
      [{ id: item.id, from: ['saved'], to: 'saved', body: input, inputVersion }],
      'strict',
    )
    if (changed !== undefined) live.item = changed
    return changed && input
  }

  #accepted(live: LiveItem, handle: TaskHandle, client: ProducerClient): void {
    // If the wish to cancel came while it was on its way, the cancellation follows it.
    if (live.state !== 'cancelling') this.#outcomes.accepted(live)
    this.#nextOf(live.item)
    this.#outcomes.follow(live, handle, client)
  }

  /** It was taken back before it was accepted. */
  #withdrawn(live: LiveItem): void {
    this.#nextOf(live.item)
    if (live.state !== 'cancelling') this.#live.drop(live)
  }

  async #refused(live: LiveItem, client: ProducerClient, error: unknown): Promise<void> {
    const { store, link } = this.#options
    const isStore = error instanceof OutboxError && error.code.startsWith('store_')
    // The answer to the cancellation ends it.
    if (live.state === 'cancelling') return
    // The connection has failed, not the item. The next client reads it from the store again.
    if (link.client !== client || error instanceof ClosedError || isStore) {
      this.#live.giveBack(live)
      this.#live.delete(live)
      if (isStore) {
        this.#nextOf(live.item)
        this.#saved.rewind(live.item.seq - 1)
        this.#storeFailed(error)
      }
      return
    }
    const itemError = itemErrorOf(error)
    this.#options.logger.warn({ item: live.id, code: itemError.code }, `an item is parked: ${itemError.message}`)
    this.#keys.hold(live.item)
    try {
      const [parked] = await store.change([{ id: live.id, from: ['saved'], to: 'parked', error: itemError }], 'strict')
      if (this.#isOver || parked === undefined) return
      live.item = parked
      if (live.state !== 'sending') this.#live.move(live, 'send')
      this.#live.move(live, 'refuse')
      this.#live.delete(live)
    } catch (failure) {
      // It is sent, and refused, once more when the store works again.
      this.#live.delete(live)
      this.#keys.readmit(live.id)
      this.#saved.rewind(live.item.seq - 1)
      this.#storeFailed(failure)
    }
  }

  #nextOf(item: OutboxItem): void {
    const next = this.#keys.release(item)
    if (next !== undefined) this.#due.push(next)
  }

  // ─── outcomes ────────────────────────────────────────────────────────────────────────────────────────────────────

  /** Takes up everything that was accepted or is to be cancelled, and holds the keys of what is parked. */
  async #followAll(): Promise<void> {
    const { store, owner } = this.#options
    const client = this.#client
    const parked = new Set<string>()
    for (let after = 0; ; ) {
      const items = await store.list({ owner, states: ['accepted', 'cancelling', 'parked'], after, limit: PAGE })
      if (this.#isOver || client !== this.#client || client === undefined) return
      for (const item of items) {
        after = item.seq
        const live = this.#live.get(item.id)
        if (item.state === 'parked') {
          parked.add(item.id)
          await this.#takeParked(item)
        } else if (item.state === 'cancelling') {
          if (live?.state !== 'cancelling') this.#cancel(item)
        } else if (live === undefined) this.#outcomes.follow(this.#live.take(item), client.handle(item.id), client)
      }
      if (items.length < PAGE) break
    }
    for (const id of this.#keys.held) {
      if (parked.has(id) || this.#live.has(id)) continue
      const next = this.#keys.discard(id)
      if (next !== undefined) this.#due.push(next)
    }
    this.#isFollowed = true
  }

  #sweepLater(): void {
    this.#cancelSweep = this.#options.platform.setTimer(() => {
      this.#isFollowed = false
      this.#saved.rewind(0)
      this.#pump()
      this.#sweepLater()
    }, SWEEP_MS)
  }

  /** The broker tells nothing of this task now, such as when too many watch it. */
  #followLater(live: LiveItem, afterMs: number): void {
    this.#live.drop(live)
    this.#followSoon(afterMs)
  }

  #followSoon(afterMs: number): void {
    this.#cancelFollowing ??= this.#options.platform.setTimer(() => {
      this.#cancelFollowing = undefined
      this.#isFollowed = false
      this.#pump()
    }, afterMs)
  }

  /** An item that was too new for the program that parked it is not parked for this one. */
  async #takeParked(item: OutboxItem): Promise<void> {
    const { store, inputVersion } = this.#options
    const isOurs = item.version <= ITEM_VERSION && item.inputVersion <= inputVersion
    if (item.error?.code !== 'newer_item' || !isOurs) this.#keys.hold(item)
    else await store.change([{ id: item.id, from: ['parked'], to: 'saved' }], 'strict')
  }

  #cancel(item: OutboxItem): void {
    // Without a client it is found in the store as soon as there is one.
    if (this.#client === undefined) return
    const live = this.#live.get(item.id) ?? this.#live.take(item)
    live.item = item
    this.#outcomes.cancel(live, this.#client)
    this.#nextOf(item)
  }

  // ─── a store that fails ──────────────────────────────────────────────────────────────────────────────────────────

  #storeWorks(): void {
    if (this.#failures === 0) return
    this.#failures = 0
    this.#options.onStorage(undefined)
  }

  #storeFailed(error: unknown): void {
    if (this.#isOver) return
    this.#options.onStorage(error)
    const delayMs = Math.min(AGAIN_MS_MAX, AGAIN_MS * 2 ** this.#failures)
    this.#failures += 1
    this.#cancelAgain()
    this.#cancelAgain = this.#options.platform.setTimer(() => this.#pump(), delayMs)
  }
}
