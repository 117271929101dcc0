import {
  bytesOf,
  changedItem,
  type Durability,
  type Encoded,
  type ItemChange,
  isEnded,
  type NewItem,
  noItems,
  OutboxError,
  type OutboxItem,
  type OutboxStore,
} from '@sluice/client/outbox'
import { type Context, grained } from '../context.ts'
import { type Distribution, draw } from '../distribution.ts'
import type { Process } from '../nodes/process.ts'
import type { StoredItem } from '../observation.ts'
import type { RandomStream } from '../random.ts'

/** After this time without an answer, a store gives up. */
const DEADLINE_MS = 5000

export type StorageTrouble = 'full' | 'silent' | 'unavailable'

/** Never changed: each change makes a new one. */
interface Entry {
  readonly item: OutboxItem
  readonly body: Encoded | undefined
  readonly result: { value: unknown } | undefined
}

type Entries = Map<string, Entry | undefined>

/**
 * What one device keeps for one origin. It survives every tab. One transaction happens after the other, and each takes
 * its time. A loss of power may undo the last relaxed transactions, but none before a strict one.
 */
export class SimulatedStorage {
  readonly #context: Context
  readonly #name: string
  readonly #takesMs: Distribution
  readonly #chance: RandomStream
  readonly #entries = new Map<string, Entry>()
  /** What each relaxed transaction since the last strict one has replaced. */
  #undo: Entries[] = []
  #seq = 0
  readonly #troubles: StorageTrouble[] = []
  #losses = 0
  /** When the last transaction is over, and its answer given, in world time. */
  #endsAtMs = 0
  #answersAtMs = 0

  constructor(context: Context, name: string, takesMs: Distribution) {
    this.#context = context
    this.#name = name
    this.#takesMs = takesMs
    this.#chance = context.random.stream(`${name} storage`)
  }

  /** The ids of the items that wait for something other than a decision of their owner. */
  get pending(): string[] {
    return [...this.#entries.values()]
      .filter(({ item }) => item.state === 'saved' || item.state === 'accepted' || item.state === 'cancelling')
      .map(({ item }) => item.id)
  }

  /** Returns a function that ends it. The newest trouble counts. */
  trouble(how: StorageTrouble): () => void {
    this.#troubles.push(how)
    return () => this.#troubles.splice(this.#troubles.indexOf(how), 1)
  }

  /** The last relaxed transactions may be gone, and what is under way is. */
  losePower(): void {
    this.#losses += 1
    this.#endsAtMs = 0
    this.#answersAtMs = 0
    const lost = this.#undo.splice(this.#chance.integer(0, this.#undo.length))
    this.#undo = []
    const before: Entries = new Map()
    for (const undo of lost.reverse()) for (const [id, entry] of undo) before.set(id, entry)
    for (const [id, entry] of before) this.#put(id, entry)
    if (before.size > 0) this.#context.observe({ type: 'storeReverted', node: this.#name, ...told(before) })
  }

  /** The storage as one program has it open. */
  open(process: Process): OutboxStore {
    let isClosed = false
    const run = <T>(work: (entries: ReadonlyMap<string, Entry>) => T): Promise<T> =>
      isClosed ? Promise.reject(closed()) : this.#run(process, false, () => work(this.#entries))
    const write = <T>(durability: Durability, grows: boolean, work: (changes: Entries) => T): Promise<T> =>
      isClosed ? Promise.reject(closed()) : this.#run(process, grows, () => this.#commit(durability, work))
    return {
      isDurable: true,
      add: (items) => write('strict', true, (changes) => items.map((item) => this.#add(item, changes))),
      get: (ids) => run((entries) => ids.map((id) => entries.get(id)?.item)),
      list: ({ owner, states, after = 0, limit, isNewestFirst = false }) =>
        run(() => {
          const found = this.#itemsOf(owner).filter(({ seq, state }) => seq > after && states.includes(state))
          return isNewestFirst ? found.slice(-limit).reverse() : found.slice(0, limit)
        }),
      counts: (owner) =>
        run(() => {
          const counts = noItems()
          for (const { state } of this.#itemsOf(owner)) counts[state] += 1
          return counts
        }),
      bodies: (ids) => run((entries) => ids.map((id) => entries.get(id)?.body)),
      result: (id) => run((entries) => entries.get(id)?.result),
      change: (all, durability) =>
        write(
          durability,
          all.some(({ to, body }) => to === 'done' || body !== undefined),
          (changes) => all.map((change) => this.#change(change, changes)),
        ),
      accept: (items) =>
        write('relaxed', false, (changes) => {
          for (const { id } of items) this.#change({ id, from: ['saved'], to: 'accepted' }, changes)
        }),
      remove: (ids, durability) =>
        write(durability, false, (changes) => {
          for (const id of ids) if (this.#entries.has(id)) changes.set(id, undefined)
        }),
      prune: (owner, keep) =>
        write('relaxed', false, (changes) => {
          const ended = this.#itemsOf(owner).filter(({ state }) => isEnded(state))
          const old = ended.filter((_, at) => at < ended.length - keep).map(({ id }) => id)
          for (const id of old) changes.set(id, undefined)
          return old
        }),
      owners: () => run((entries) => [...new Set([...entries.values()].map(({ item }) => item.owner))]),
      close: () => {
        isClosed = true
      },
    }
  }

  #run<T>(process: Process, grows: boolean, work: () => T): Promise<T> {
    const { clock } = this.#context
    const ms = grained(draw(this.#takesMs, this.#chance))
    const losses = this.#losses
    this.#endsAtMs = Math.max(this.#endsAtMs, clock.nowMs) + ms
    return new Promise((resolve, reject) => {
      clock.setTimer(() => {
        // What a tab had begun when it ended may happen or not.
        if (losses !== this.#losses || (!process.isAlive && this.#chance.chance(0.5))) return
        const refusal = this.#refusal(grows)
        const value = refusal === undefined ? structuredClone(work()) : undefined
        // A hung transaction holds up no answer to another one.
        if (refusal?.code === 'store_timeout') {
          clock.setTimer(() => process.enter(() => reject(refusal)), DEADLINE_MS)
          return
        }
        this.#answersAtMs = Math.max(this.#answersAtMs, clock.nowMs + grained(ms / 2))
        clock.setTimer(
          () => process.enter(() => (refusal === undefined ? resolve(value as T) : reject(refusal))),
          this.#answersAtMs - clock.nowMs,
        )
      }, this.#endsAtMs - clock.nowMs)
    })
  }

  #refusal(grows: boolean): OutboxError | undefined {
    switch (this.#troubles.at(-1)) {
      case 'full':
        return grows ? new OutboxError('store_full', 'the storage is full') : undefined
      case 'silent':
        return new OutboxError('store_timeout', 'the storage did not answer in time')
      case 'unavailable':
        return new OutboxError('store_unavailable', 'the storage cannot be used')
      default:
        return undefined
    }
  }

  #commit<T>(durability: Durability, work: (changes: Entries) => T): T {
    const changes: Entries = new Map()
    const value = work(changes)
    const before: Entries = new Map([...changes.keys()].map((id) => [id, this.#entries.get(id)]))
    for (const [id, entry] of changes) this.#put(id, entry)
    if (durability === 'strict') this.#undo = []
    else if (changes.size > 0) this.#undo.push(before)
    if (changes.size > 0 || durability === 'strict')
      this.#context.observe({ type: 'stored', node: this.#name, durability, ...told(changes) })
    return value
  }

  #put(id: string, entry: Entry | undefined): void {
    if (entry === undefined) this.#entries.delete(id)
    else this.#entries.set(id, entry)
  }

  #add({ body, ...fields }: NewItem, changes: Entries): OutboxItem {
    const held = changes.get(fields.id) ?? this.#entries.get(fields.id) ?? this.#sameIntent(fields, changes)
    if (held !== undefined) return held.item
    this.#seq += 1
    const item: OutboxItem = { ...fields, seq: this.#seq, state: 'saved', bodyBytes: bytesOf(body) }
    changes.set(item.id, { item, body, result: undefined })
    return item
  }

  #sameIntent({ owner, intent }: Pick<NewItem, 'owner' | 'intent'>, changes: Entries): Entry | undefined {
    if (intent === undefined) return undefined
    return [...this.#entries.values(), ...changes.values()].find(
      (entry) => entry?.item.intent === intent && entry.item.owner === owner,
    )
  }

  #change(change: ItemChange, changes: Entries): OutboxItem | undefined {
    const entry = changes.get(change.id) ?? this.#entries.get(change.id)
    const isMeant = entry && change.from.includes(entry.item.state)
    if (!isMeant) return undefined
    const item = changedItem(entry.item, change)
    changes.set(change.id, {
      item,
      body: isEnded(change.to) ? undefined : (change.body ?? entry.body),
      result: change.to === 'done' ? { value: change.result } : entry.result,
    })
    return item
  }

  #itemsOf(owner: string): OutboxItem[] {
    return [...this.#entries.values()]
      .map(({ item }) => item)
      .filter((item) => item.owner === owner)
      .sort((a, b) => a.seq - b.seq)
  }
}

function closed(): OutboxError {
  return new OutboxError('closed', 'the store is closed')
}

function told(changes: Entries): { items: StoredItem[]; removed: string[] } {
  const items: StoredItem[] = []
  const removed: string[] = []
  for (const [id, entry] of changes) {
    if (entry === undefined) removed.push(id)
    else {
      const { seq, state, orderingKey, intent, error } = entry.item
      items.push({
        id,
        seq,
        state,
        ...(orderingKey === undefined ? {} : { orderingKey }),
        ...(intent === undefined ? {} : { intent }),
        ...(error === undefined ? {} : { code: error.code }),
      })
    }
  }
  return { items, removed }
}
