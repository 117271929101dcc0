import {
  ENDED_STATES,
  type ItemView,
  isEnded,
  type OutboxChange,
  type OutboxClient,
  type OutboxStatus,
  PENDING_STATES,
  type StoredState,
} from '@sluice/client/outbox'
import type { Page } from './page.ts'

/** What an app shows of the outbox. The object is replaced when something in it changes, and never changed. */
export interface OutboxSnapshot {
  /** False until the items were read the first time. */
  readonly isLoaded: boolean
  readonly status: OutboxStatus
  /** The number of items in each state. */
  readonly counts: Awaited<ReturnType<OutboxClient['counts']>>
  /** The newest items: first those that wait for something, then those that have ended. */
  readonly items: readonly ItemView[]
}

/**
 * One item. `loading`: it was not read yet. `unknown`: the outbox has no such item, or not any more. A `done` item comes
 * with its result.
 */
export type TaskSnapshot =
  | { readonly state: 'loading' | 'unknown' }
  | (ItemView & { readonly result?: { readonly value: unknown } })

/** A source of snapshots, as `useSyncExternalStore` of React wants it. Other libraries take the same. */
export interface Source<T> {
  /** @returns a function that ends the subscription */
  subscribe: (listener: () => void) => () => void
  /** The same object until something changes. */
  getSnapshot: () => T
  /** What to render on a server and while hydrating. */
  getServerSnapshot: () => T
}

export interface OutboxView extends Source<OutboxSnapshot> {
  /** One item by its id. Equal ids give the same source. */
  task(id: string): Source<TaskSnapshot>
  /** Ends all subscriptions. Idempotent. */
  close(): void
}

export interface OutboxViewOptions {
  page: Pick<Page, 'nextFrame'>
  /** The maximum number of items in a snapshot, 1 or more. Default 50. */
  items?: number
}

const ITEMS = 50
/** Sources of tasks that nobody listens to, kept because a component may come back to them. */
const IDLE_TASKS_MAX = 100

const LOADING: TaskSnapshot = { state: 'loading' }
const UNKNOWN: TaskSnapshot = { state: 'unknown' }
const NO_COUNTS: OutboxSnapshot['counts'] = {
  unsaved: 0,
  saved: 0,
  sending: 0,
  needsAuth: 0,
  accepted: 0,
  running: 0,
  cancelling: 0,
  parked: 0,
  done: 0,
  failed: 0,
  cancelled: 0,
  discarded: 0,
}
const SERVER: OutboxSnapshot = {
  isLoaded: false,
  status: { connection: 'idle', role: 'waiting', auth: 'ok', storage: 'ok' },
  counts: NO_COUNTS,
  items: [],
}

/**
 * A view of a client's outbox for user interfaces. It reads nothing before somebody subscribes, keeps a bounded number of
 * items, and publishes at most once a frame.
 */
export function outboxView(client: OutboxClient, options: OutboxViewOptions): OutboxView {
  return new ClientView(client, options)
}

/** What is read of the store. */
type Reading = 'counts' | 'all'

class ClientView implements OutboxView {
  readonly #client: OutboxClient
  readonly #page: Pick<Page, 'nextFrame'>
  readonly #itemsMax: number
  readonly #listeners = new Set<() => void>()
  readonly #tasks = new Map<string, TaskSource>()
  readonly #items = new Map<string, ItemView>()
  /** What has changed while the items are read. It is newer than what is read. */
  #changes: OutboxChange[] | undefined
  #snapshot: OutboxSnapshot
  #ends: (() => void)[] = []
  #cancelFrame: (() => void) | undefined
  #isReading = false
  #readsAgain: Reading | undefined
  #isClosed = false

  constructor(client: OutboxClient, { page, items = ITEMS }: OutboxViewOptions) {
    if (!(Number.isInteger(items) && items >= 1)) throw new Error(`items has to be 1 or more, not ${String(items)}`)
    this.#client = client
    this.#page = page
    this.#itemsMax = items
    this.#snapshot = { ...SERVER, status: client.status }
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    // The same function may be given twice.
    const own = (): void => listener()
    this.#listeners.add(own)
    if (this.#listeners.size === 1) void this.#read('all')
    this.#listen()
    return () => {
      this.#listeners.delete(own)
      this.#rest()
    }
  }

  readonly getSnapshot = (): OutboxSnapshot => this.#snapshot

  readonly getServerSnapshot = (): OutboxSnapshot => SERVER

  task(id: string): Source<TaskSnapshot> {
    let task = this.#tasks.get(id)
    if (task === undefined) {
      task = new TaskSource(id, this.#client, {
        onUse: () => this.#listen(),
        onRest: () => this.#rest(),
        publish: () => this.#publishSoon(),
      })
      this.#tasks.set(id, task)
      this.#forgetIdle(id)
    }
    return task
  }

  close(): void {
    this.#isClosed = true
    this.#listeners.clear()
    for (const task of this.#tasks.values()) task.close()
    this.#rest()
  }

  /** Listens to the client while somebody listens to this view. */
  #listen(): void {
    if (this.#ends.length > 0 || this.#isClosed) return
    this.#ends = [
      this.#client.onChange((change) => this.#changed(change)),
      this.#client.onStatus(({ role, storage }) => {
        const { status } = this.#snapshot
        // Another tab or the service worker may have acted unheard, and a store that failed may work again.
        if (role !== status.role || storage !== status.storage) this.#readAll()
        this.#publishSoon()
      }),
    ]
    this.#snapshot = { ...this.#snapshot, status: this.#client.status }
  }

  #rest(): void {
    if (this.#listeners.size > 0 || [...this.#tasks.values()].some(({ isUsed }) => isUsed)) return
    for (const end of this.#ends.splice(0)) end()
    this.#cancelFrame?.()
    this.#cancelFrame = undefined
  }

  #readAll(): void {
    void this.#read('all')
    for (const task of this.#tasks.values()) if (task.isUsed) void task.read()
  }

  #changed(change: OutboxChange): void {
    for (const item of change.items) this.#tasks.get(item.id)?.show(item)
    for (const id of change.removed) this.#tasks.get(id)?.show(undefined)
    if (this.#listeners.size > 0) {
      this.#changes?.push(change)
      const isFull = this.#items.size >= this.#itemsMax
      const isAnyGone = change.removed.some((id) => this.#items.has(id))
      this.#apply(change)
      // Older items come into view where newer ones have gone.
      void this.#read(isFull && isAnyGone ? 'all' : 'counts')
    }
    this.#publishSoon()
  }

  #apply({ items, removed }: OutboxChange): void {
    for (const id of removed) this.#items.delete(id)
    for (const item of items) this.#items.set(item.id, item)
    if (this.#items.size <= this.#itemsMax) return
    for (const { id } of ordered(this.#items).slice(this.#itemsMax)) this.#items.delete(id)
  }

  /** Reads one at a time. What is asked for meanwhile is read after it, once. */
  async #read(what: Reading): Promise<void> {
    if (this.#isReading) {
      this.#readsAgain = this.#readsAgain === 'all' ? 'all' : what
      return
    }
    this.#isReading = true
    try {
      let next: Reading | undefined = what
      while (next !== undefined && this.#listeners.size > 0) {
        this.#readsAgain = undefined
        if (next === 'all') await this.#readItems()
        const counts = await this.#client.counts()
        this.#snapshot = { ...this.#snapshot, isLoaded: true, counts }
        this.#publishSoon()
        next = this.#readsAgain
      }
    } catch {
      // The status tells that the store has failed, and everything is read again when that changes.
    } finally {
      this.#isReading = false
    }
  }

  async #readItems(): Promise<void> {
    const changes: OutboxChange[] = []
    this.#changes = changes
    try {
      const pending = await this.#newest(PENDING_STATES)
      const ended = pending.length >= this.#itemsMax ? [] : await this.#newest(ENDED_STATES)
      // Items in memory are in no list.
      const unsaved = [...this.#items.values()].filter(({ state }) => state === 'unsaved')
      this.#items.clear()
      this.#apply({ items: [...unsaved, ...pending, ...ended], removed: [] })
      for (const change of changes) this.#apply(change)
    } finally {
      this.#changes = undefined
    }
  }

  #newest(states: readonly StoredState[]): Promise<ItemView[]> {
    return this.#client.list({ states, limit: this.#itemsMax, isNewestFirst: true })
  }

  #publishSoon(): void {
    if (this.#isClosed || this.#ends.length === 0) return
    this.#cancelFrame ??= this.#page.nextFrame(() => {
      this.#cancelFrame = undefined
      this.#publish()
    })
  }

  #publish(): void {
    this.#snapshot = { ...this.#snapshot, status: this.#client.status, items: ordered(this.#items) }
    for (const listener of [...this.#listeners]) listener()
    for (const task of this.#tasks.values()) task.publish()
  }

  #forgetIdle(except: string): void {
    const idle = [...this.#tasks].filter(([id, { isUsed }]) => !isUsed && id !== except)
    for (const [id] of idle.slice(0, Math.max(0, idle.length - IDLE_TASKS_MAX))) this.#tasks.delete(id)
  }
}

/** Pending items first, and the newest first among each kind. */
function ordered(items: ReadonlyMap<string, ItemView>): ItemView[] {
  const rank = ({ state }: ItemView): number => (isEnded(state as StoredState) ? 1 : 0)
  return [...items.values()].sort((a, b) => rank(a) - rank(b) || b.seq - a.seq)
}

interface TaskSourceHooks {
  onUse: () => void
  onRest: () => void
  publish: () => void
}

class TaskSource implements Source<TaskSnapshot> {
  readonly #id: string
  readonly #client: OutboxClient
  readonly #hooks: TaskSourceHooks
  readonly #listeners = new Set<() => void>()
  #snapshot: TaskSnapshot = LOADING
  /** What the next publication shows. */
  #next: TaskSnapshot = LOADING
  /** What is known. Its result may still be read. */
  #known: TaskSnapshot = LOADING

  constructor(id: string, client: OutboxClient, hooks: TaskSourceHooks) {
    this.#id = id
    this.#client = client
    this.#hooks = hooks
  }

  get isUsed(): boolean {
    return this.#listeners.size > 0
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = (): void => listener()
    this.#listeners.add(own)
    this.#hooks.onUse()
    if (this.#listeners.size === 1) void this.read()
    return () => {
      this.#listeners.delete(own)
      this.#hooks.onRest()
    }
  }

  readonly getSnapshot = (): TaskSnapshot => this.#snapshot

  readonly getServerSnapshot = (): TaskSnapshot => LOADING

  /** Reads the item, which may have changed while nobody listened. */
  async read(): Promise<void> {
    const before = this.#known
    try {
      const item = await this.#client.get(this.#id)
      // A change that came meanwhile is newer.
      if (this.#known === before) this.show(item)
    } catch {
      // The view reads it again when the store works.
    }
  }

  show(item: ItemView | undefined): void {
    this.#known = item ?? UNKNOWN
    if (item?.state === 'done') void this.#showWithResult(item)
    else this.#publishSoon(this.#known)
  }

  publish(): void {
    if (this.#snapshot === this.#next) return
    this.#snapshot = this.#next
    for (const listener of [...this.#listeners]) listener()
  }

  close(): void {
    this.#listeners.clear()
  }

  #publishSoon(snapshot: TaskSnapshot): void {
    this.#next = snapshot
    this.#hooks.publish()
  }

  /** The state `done` and the result are shown together. */
  async #showWithResult(item: ItemView): Promise<void> {
    let snapshot: TaskSnapshot = item
    try {
      snapshot = { ...item, result: { value: await this.#client.handle(item.id).result() } }
    } catch {
      // It was removed, or cannot be read: the state is shown without it.
    }
    if (this.#known === item) this.#publishSoon(snapshot)
  }
}
