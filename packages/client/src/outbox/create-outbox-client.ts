import type { ConnectionState, OutboxItemState } from '@sluice/machines/states'
import { isTaskId } from '@sluice/protocol'
import { uuidv7Source } from '@sluice/protocol/uuidv7'
import { checkUrl } from '../connection.ts'
import { badMessage, SluiceError } from '../errors.ts'
import { type Logger, messageOf, safeLogger, tell } from '../logger.ts'
import { defaultPlatform, type Platform } from '../platform.ts'
import { checkSignal } from '../signal.ts'
import { type TaskContract, validate } from '../task-contract.ts'
import type { TokenSource } from '../token-source.ts'
import { atLeast } from '../worker-options.ts'
import { Batcher } from './batcher.ts'
import { inputOf } from './input-of.ts'
import { ALL_STATES, type NewItem, type OutboxItem } from './item.ts'
import { ItemViews } from './item-views.ts'
import { Leadership, outboxLockName } from './leadership.ts'
import { Link } from './link.ts'
import { tellDiscard, tellStep } from './live-item.ts'
import { MemoryItems } from './memory-items.ts'
import { checkText, type ItemSource, newItem } from './new-item.ts'
import type {
  ExportedItem,
  ItemView,
  OutboxChange,
  OutboxClient,
  OutboxClientOptions,
  OutboxHandle,
  OutboxStatus,
  OutboxSubmitOptions,
} from './outbox-client.ts'
import { OutboxError } from './outbox-error.ts'
import { handleOf } from './outbox-handle.ts'
import { type Publication, Publisher } from './publisher.ts'
import { Sender, type SenderOptions } from './sender.ts'
import { allAccepted, removeAll } from './sign-out.ts'
import type { ItemChange, ItemQuery } from './store.ts'
import type { Channel } from './surroundings.ts'
import { isTabMessage, type TabMessage } from './tab-message.ts'
import { closedError, takenId, unknownItem } from './tracked-item.ts'
import { TrackedItems } from './tracked-items.ts'

const KEEP_ENDED = 1000
/** The number of items in one transaction. A larger one would keep other tabs waiting. */
const SAVES_MAX = 500
const LIST_LIMIT = 100

/**
 * Takes part in the outbox of `owner` at once: sends what was saved before, or waits until the tab that does so is gone.
 * @throws Error naming the option that cannot be used
 */
export function createOutboxClient(options: OutboxClientOptions): OutboxClient {
  return new DurableClient(options)
}

class DurableClient implements OutboxClient {
  readonly owner: string
  readonly #options: OutboxClientOptions
  readonly #platform: Platform
  readonly #logger: Logger
  readonly #source: ItemSource
  readonly #keepEnded: number
  readonly #saves: Batcher<NewItem, OutboxItem>
  readonly #tracked: TrackedItems
  readonly #publisher: Publisher
  readonly #leadership: Leadership
  readonly #link: Link
  readonly #channel: Channel | undefined
  readonly #memory: MemoryItems
  readonly #views: ItemViews
  readonly #changeListeners = new Set<(change: OutboxChange) => void>()
  readonly #statusListeners = new Set<(status: OutboxStatus) => void>()
  #sender: Sender | undefined
  #status: OutboxStatus = { connection: 'idle', role: 'waiting', auth: 'ok', storage: 'ok' }
  #closing: Promise<void> | undefined

  constructor(options: OutboxClientOptions) {
    const { platform = defaultPlatform, store, group } = options
    checkUrl(options.url)
    this.owner = checkText('owner', options.owner)
    this.#options = options
    this.#platform = platform
    this.#logger = safeLogger(options.logger, platform.warn)
    const inputVersion = atLeast('inputVersion', options.inputVersion ?? 1, 1)
    this.#source = { owner: this.owner, inputVersion, nextId: uuidv7Source(platform) }
    this.#keepEnded = atLeast('keepEnded', options.keepEnded ?? KEEP_ENDED, 0)
    const { whenUnsaved = 'throw' } = options
    if (whenUnsaved !== 'throw' && whenUnsaved !== 'memory')
      throw new Error(`whenUnsaved has to be throw or memory, not ${String(whenUnsaved)}`)
    this.#views = new ItemViews(store.isDurable)
    this.#publisher = new Publisher(platform, (publication) => this.#publish(publication))
    this.#saves = new Batcher(SAVES_MAX, (items) => store.add(items))
    this.#link = new Link({
      url: options.url,
      token: options.token,
      name: options.name,
      timings: options.timings,
      platform,
      logger: this.#logger,
      onState: (state) => this.#connectionChanged(state),
      onReady: () => {
        this.#sender?.ready()
        this.#memory.ready()
      },
      onAuth: (auth) => {
        this.#setAuth(auth)
        this.#post({ type: 'auth', auth })
      },
    })
    this.#memory = new MemoryItems({
      platform,
      store,
      sender: (memory) => new Sender({ ...this.#senderOptions, store: memory }),
      onWanted: () => this.#wantLink(),
      onSaved: (items) => this.#saved(items),
    })
    this.#leadership = new Leadership({
      // Items in memory belong to one tab, which sends them itself.
      locks: store.isDurable ? group?.locks : undefined,
      lockName: outboxLockName(this.owner),
      platform,
      ask: () => {
        this.#post({ type: 'ask' })
        this.#tracked.refresh()
      },
      onLead: () => this.#lead(),
      onLost: () => this.#follow(),
    })
    this.#tracked = new TrackedItems({
      store,
      platform,
      memory: this.#memory,
      shown: (item) => this.#views.of(item),
      onStorage: (error) => this.#setStorage(error),
      onPending: (isAny) => {
        this.#leadership.isAnxious = isAny
      },
    })
    this.#channel = store.isDurable ? group?.channel(outboxLockName(this.owner)) : undefined
    if (this.#channel !== undefined) this.#channel.onmessage = (message) => this.#hear(message)
    this.#leadership.start()
  }

  get status(): OutboxStatus {
    return this.#status
  }

  // ─── submitting ──────────────────────────────────────────────────────────────────────────────────────────────────

  async submit<O>(
    target: string | TaskContract<unknown, O, unknown, unknown>,
    input: unknown,
    options: OutboxSubmitOptions = {},
  ): Promise<OutboxHandle<O>> {
    this.#checkOpen()
    const contract = typeof target === 'string' ? { queue: target } : target
    await validate(contract.input, input, `the input for ${contract.queue}`)
    const { output } = contract as TaskContract<unknown, unknown>
    const item = newItem(this.#source, contract as TaskContract<unknown, unknown>, input, options)
    let saved: OutboxItem
    try {
      if (!this.#options.store.isDurable && this.#options.whenUnsaved !== 'memory')
        throw new OutboxError('store_unavailable', 'this browser keeps no data for this site, so nothing can be saved')
      saved = await this.#saves.add(item)
    } catch (error) {
      if (!(error instanceof OutboxError) || error.code === 'closed') throw error
      this.#setStorage(error)
      if (this.#options.whenUnsaved !== 'memory') throw error
      saved = await this.#memory.add(item)
      // It may be an older item of the same intent.
      const state = saved.state === 'saved' ? 'unsaved' : saved.state
      this.#publisher.change({ ...saved, state })
      return handleOf(this.#tracked.track(saved.id, state), output, this.#cancelItem)
    }
    this.#setStorage(undefined)
    if (saved.id === item.id && saved.queue !== item.queue) throw takenId(saved)
    const tracked = this.#tracked.track(saved.id, this.#views.of(saved).state)
    if (saved.id === item.id && tracked.state === 'saved') tellStep(this.#platform, item.id, 'unsaved', 'save')
    this.#saved([saved])
    return handleOf(tracked, output, this.#cancelItem)
  }

  handle<O>(id: string, contract?: TaskContract<unknown, O, unknown, unknown>): OutboxHandle<O> {
    if (!isTaskId(id)) throw badMessage(`a task id is a UUIDv7 in lower case, not ${id}`, 'id')
    const tracked = this.#tracked.track(id, 'saved')
    if (this.#closing !== undefined) tracked.close(closedError())
    else this.#tracked.read([id])
    return handleOf(tracked, contract?.output, this.#cancelItem)
  }

  #saved(items: readonly OutboxItem[]): void {
    for (const item of items) this.#publisher.change(this.#views.of(item))
    this.#sender?.look(items)
    // The leader may be another tab. It need not wait for the next frame.
    if (this.#sender === undefined) this.#publisher.flush()
  }

  // ─── the items ───────────────────────────────────────────────────────────────────────────────────────────────────

  async list(query: Partial<Omit<ItemQuery, 'owner'>> = {}): Promise<ItemView[]> {
    this.#checkOpen()
    const { states = ALL_STATES, limit = LIST_LIMIT } = query
    const page = { ...query, owner: this.owner, states, limit: atLeast('limit', limit, 1) }
    const items = await this.#options.store.list(page)
    return items.map((item) => this.#views.of(item))
  }

  async get(id: string): Promise<ItemView | undefined> {
    this.#checkOpen()
    const unsaved = await this.#memory.get(id)
    if (unsaved !== undefined) return { ...unsaved, state: this.#views.shown(unsaved.state, true) }
    const [item] = await this.#options.store.get([id])
    return item?.owner === this.owner ? this.#views.of(item) : undefined
  }

  async counts(): Promise<Readonly<Record<OutboxItemState, number>>> {
    this.#checkOpen()
    return this.#views.counts(await this.#options.store.counts(this.owner), this.#memory.size)
  }

  readonly #cancelItem = async (id: string): Promise<void> => {
    this.#checkOpen()
    const changes: ItemChange[] = [
      { id, from: ['saved', 'accepted'], to: 'cancelling' },
      // The broker has refused it, so there is nothing to cancel there.
      { id, from: ['parked'], to: 'cancelled' },
    ]
    const changed = await this.#change(id, changes)
    if (changed?.state === 'cancelled') tellStep(this.#platform, id, 'parked', 'cancel')
    if (changed?.state === 'cancelled') this.#sender?.forget([id])
    if (changed !== undefined) return
    const item = await this.get(id)
    if (item === undefined) throw unknownItem(id)
    if (item.state === 'done' || item.state === 'failed')
      throw new SluiceError({ code: 'task_finished', message: `task ${id} has ended (${item.state})` })
  }

  async retry(id: string): Promise<void> {
    this.#checkOpen()
    if ((await this.#change(id, [{ id, from: ['parked'], to: 'saved' }])) === undefined) throw unknownItem(id)
    tellStep(this.#platform, id, 'parked', this.#memory.keeps(id) ? 'readmit' : 'retry')
  }

  /** Applies one of the changes, wherever the item is kept. */
  async #change(id: string, changes: readonly ItemChange[]): Promise<OutboxItem | undefined> {
    if ((await this.#memory.get(id)) !== undefined) {
      for (const change of changes) {
        const changed = await this.#memory.change(change)
        if (changed === undefined) continue
        const state = changed.state === 'saved' ? 'unsaved' : changed.state
        this.#publisher.change({ ...changed, state: this.#views.shown(state) })
        return changed
      }
      return undefined
    }
    const changed = (await this.#options.store.change(changes, 'strict')).find((item) => item !== undefined)
    if (changed !== undefined) this.#saved([changed])
    return changed
  }

  async discard(id: string): Promise<void> {
    const item = await this.get(id)
    if (item === undefined) throw unknownItem(id)
    if (item.state === 'accepted' || item.state === 'running' || item.state === 'cancelling')
      throw new SluiceError({ code: 'task_finished', message: `the broker has task ${id}: cancel it instead` })
    const isInMemory = await this.#memory.remove(id)
    if (!isInMemory) await this.#options.store.remove([id], 'strict')
    this.#removed([id])
    tellDiscard(this.#platform, item, isInMemory)
  }

  async export(id: string): Promise<ExportedItem> {
    const item = await this.get(id)
    const [body] = await this.#options.store.bodies([id])
    const input = (await this.#memory.body(id)) ?? body
    if (item === undefined || input === undefined) throw unknownItem(id)
    return { item, input: inputOf(input) }
  }

  #removed(ids: readonly string[]): void {
    this.#publisher.remove(ids)
    this.#sender?.forget(ids)
    this.#publisher.flush()
  }

  // ─── telling ─────────────────────────────────────────────────────────────────────────────────────────────────────

  onChange(listener: (change: OutboxChange) => void): () => void {
    this.#changeListeners.add(listener)
    return () => this.#changeListeners.delete(listener)
  }

  onStatus(listener: (status: OutboxStatus) => void): () => void {
    this.#statusListeners.add(listener)
    return () => this.#statusListeners.delete(listener)
  }

  #publish(publication: Publication): void {
    this.#apply(publication)
    this.#post({ type: 'changed', ...publication })
  }

  #apply(publication: Publication): void {
    const { removed } = publication
    const resultOf = new Map(publication.results)
    const items = publication.items.map((item) => this.#views.told(item))
    for (const item of items)
      this.#tracked.update(item, resultOf.has(item.id) ? { value: resultOf.get(item.id) } : undefined)
    for (const id of removed) {
      this.#views.forget(id)
      this.#tracked.discard(id)
    }
    const change: OutboxChange = { items, removed }
    for (const listener of this.#changeListeners) tell(this.#logger, 'onChange', () => listener(change))
  }

  #setStatus(status: Partial<OutboxStatus>): void {
    const next = { ...this.#status, ...status }
    const { connection, role, auth, storage } = this.#status
    if (next.connection === connection && next.role === role && next.auth === auth && next.storage === storage) return
    this.#status = next
    for (const listener of this.#statusListeners) tell(this.#logger, 'onStatus', () => listener(next))
  }

  #setAuth(auth: OutboxStatus['auth']): void {
    if (auth === this.#status.auth) return
    this.#views.auth = auth
    this.#setStatus({ auth })
    this.#tracked.reshow((state, id) => this.#views.shown(state, this.#memory.has(id)))
  }

  #setStorage(error: unknown): void {
    if (error === undefined) this.#setStatus({ storage: 'ok' })
    else if (this.#status.role !== 'closed') {
      this.#logger.warn({ err: error }, `the outbox cannot use its storage: ${messageOf(error)}`)
      this.#setStatus({ storage: error instanceof OutboxError ? error.code : 'store_failed' })
    }
  }

  #connectionChanged(state: ConnectionState): void {
    this.#setStatus({ connection: state })
    if (state === 'ready') return
    this.#sender?.down()
    this.#memory.down()
  }

  // ─── the other tabs ──────────────────────────────────────────────────────────────────────────────────────────────

  #post(message: TabMessage): void {
    if (this.#status.role !== 'closed') this.#channel?.post(message)
  }

  #hear(message: unknown): void {
    if (!isTabMessage(message) || this.#status.role === 'closed') return
    switch (message.type) {
      case 'changed':
        this.#heardChange(message)
        return
      case 'leading':
        this.#leadership.heard()
        this.#views.clear()
        if (this.#sender === undefined) this.#setAuth(message.auth)
        this.#tracked.refresh()
        return
      case 'auth':
        if (this.#sender === undefined) this.#setAuth(message.auth)
        return
      case 'ask':
        if (this.#sender !== undefined) this.#post({ type: 'answer' })
        return
      case 'answer':
        this.#leadership.heard()
        return
      case 'authenticate':
        if (this.#sender === undefined || this.#status.auth === 'ok') return
        if (this.#link.renewsToken) this.#link.authenticate(undefined)
        else {
          // Only the other tab has the token.
          this.#follow()
          this.#leadership.stop()
          this.#leadership.start()
        }
    }
  }

  #heardChange(message: Extract<TabMessage, { type: 'changed' }>): void {
    this.#leadership.heard()
    this.#apply(message)
    if (this.#sender === undefined) return
    // Only a leader that was replaced and does not know it yet tells of other states.
    this.#sender.look(message.items.filter(({ state }) => state === 'saved' || state === 'cancelling') as OutboxItem[])
    this.#sender.forget(message.removed)
  }

  // ─── leading ─────────────────────────────────────────────────────────────────────────────────────────────────────

  get #senderOptions(): SenderOptions {
    const { store, upgrade } = this.#options
    return {
      store,
      owner: this.owner,
      link: this.#link,
      platform: this.#platform,
      logger: this.#logger,
      inputVersion: this.#source.inputVersion,
      keepEnded: this.#keepEnded,
      onChange: (live, result) => this.#publisher.change(live.view, result),
      onRemoved: (ids) => this.#publisher.remove(ids),
      onStorage: (error) => this.#setStorage(error),
      ...(upgrade === undefined ? {} : { upgrade }),
    }
  }

  #lead(): void {
    this.#views.clear()
    this.#setStatus({ role: 'leading' })
    this.#post({ type: 'leading', auth: this.#status.auth })
    this.#sender = new Sender(this.#senderOptions)
    this.#wantLink()
    this.#tracked.refresh()
  }

  #follow(): void {
    this.#sender?.end()
    this.#sender = undefined
    this.#views.clear()
    this.#setStatus({ role: 'waiting' })
    this.#wantLink()
  }

  #wantLink(): void {
    this.#link.isWanted = this.#sender !== undefined || this.#memory.isSending
  }

  authenticate(token?: TokenSource): void {
    this.#link.authenticate(token)
    if (this.#sender === undefined) this.#post({ type: 'authenticate' })
  }

  // ─── leaving ─────────────────────────────────────────────────────────────────────────────────────────────────────

  pause(): void {
    if (this.#status.role === 'closed' || this.#status.role === 'paused') return
    this.#leadership.stop()
    this.#follow()
    this.#publisher.flush()
    this.#memory.pause()
    this.#wantLink()
    this.#setStatus({ role: 'paused' })
  }

  resume(): void {
    if (this.#status.role !== 'paused') return
    this.#setStatus({ role: 'waiting' })
    this.#memory.resume()
    this.#leadership.start()
    this.#tracked.refresh()
  }

  wake(): void {
    if (this.#status.role === 'closed' || this.#status.role === 'paused') return
    this.#link.wake()
    this.#sender?.wake()
    this.#memory.wake()
    this.#tracked.refresh()
  }

  async signOut(what: 'keep' | 'send' | 'delete', options: { signal?: AbortSignal } = {}): Promise<void> {
    this.#checkOpen()
    checkSignal(options.signal)
    if (what === 'send') await allAccepted(this, options.signal)
    else if (what === 'delete') await removeAll(this.#options.store, this.owner, (ids) => this.#removed(ids))
    else if (what !== 'keep') throw badMessage(`signOut takes keep, send or delete, not ${String(what)}`, 'what')
    await this.close()
  }

  close(): Promise<void> {
    this.#closing ??= this.#close()
    return this.#closing
  }

  async #close(): Promise<void> {
    this.#leadership.stop()
    this.#sender?.end()
    this.#sender = undefined
    this.#memory.close()
    this.#publisher.close()
    this.#link.isWanted = false
    this.#setStatus({ role: 'closed', connection: 'idle' })
    this.#tracked.close()
    this.#channel?.close()
    this.#options.store.close()
    this.#changeListeners.clear()
    this.#statusListeners.clear()
    await this.#link.closed
  }

  #checkOpen(): void {
    if (this.#closing !== undefined) throw new OutboxError('closed', 'the client is closed')
  }
}
