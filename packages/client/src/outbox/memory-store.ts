import type { Encoded } from '../encode-value.ts'
import { ENDED_STATES, type OutboxItem, type StoredState } from './item.ts'
import { OutboxError } from './outbox-error.ts'
import type { Counts, ItemChange, OutboxStore } from './store.ts'

interface Entry {
  item: OutboxItem
  body: Encoded | undefined
  result: { value: unknown } | undefined
}

/** @returns a store that is gone with its program. It says so by `isDurable`. */
export function memoryStore(): OutboxStore {
  const entries = new Map<string, Entry>()
  let seq = 0
  let isClosed = false

  const open = (): void => {
    if (isClosed) throw new OutboxError('closed', 'the store is closed')
  }
  const ordered = (): OutboxItem[] => [...entries.values()].map(({ item }) => item).sort((a, b) => a.seq - b.seq)
  const sameIntent = (owner: string, intent: string | undefined): Entry | undefined => {
    if (intent === undefined) return undefined
    for (const entry of entries.values()) if (entry.item.owner === owner && entry.item.intent === intent) return entry
    return undefined
  }

  const change: OutboxStore['change'] = async (changes) => {
    open()
    return changes.map((change) => {
      const entry = entries.get(change.id)
      if (entry === undefined || !change.from.includes(entry.item.state)) return undefined
      entry.item = changedItem(entry.item, change)
      if (change.body !== undefined) entry.body = change.body
      if (isEnded(change.to)) entry.body = undefined
      if (change.to === 'done') entry.result = { value: change.result }
      return entry.item
    })
  }

  return {
    isDurable: false,
    async add(items) {
      open()
      return items.map(({ body, ...fields }) => {
        const held = entries.get(fields.id) ?? sameIntent(fields.owner, fields.intent)
        if (held !== undefined) return held.item
        seq += 1
        const item: OutboxItem = { ...fields, seq, state: 'saved', bodyBytes: bytesOf(body) }
        entries.set(item.id, { item, body, result: undefined })
        return item
      })
    },
    async get(ids) {
      open()
      return ids.map((id) => entries.get(id)?.item)
    },
    async list({ owner, states, after = 0, limit, isNewestFirst = false }) {
      open()
      const items = isNewestFirst ? ordered().reverse() : ordered()
      return items
        .filter((item) => item.owner === owner && item.seq > after && states.includes(item.state))
        .slice(0, limit)
    },
    async counts(owner) {
      open()
      const counts = noItems()
      for (const { item } of entries.values()) if (item.owner === owner) counts[item.state] += 1
      return counts
    },
    async bodies(ids) {
      open()
      return ids.map((id) => entries.get(id)?.body)
    },
    async result(id) {
      open()
      return entries.get(id)?.result
    },
    change,
    async accept(items) {
      await change(
        items.map(({ id }) => ({ id, from: ['saved'], to: 'accepted' })),
        'relaxed',
      )
    },
    async remove(ids) {
      open()
      for (const id of ids) entries.delete(id)
    },
    async prune(owner, keep) {
      open()
      const ended = ordered().filter((item) => item.owner === owner && isEnded(item.state))
      const old = ended.slice(0, Math.max(0, ended.length - keep)).map(({ id }) => id)
      for (const id of old) entries.delete(id)
      return old
    },
    async owners() {
      open()
      return [...new Set(ordered().map(({ owner }) => owner))]
    },
    close() {
      isClosed = true
    },
  }
}

/** The item after a change. Every store applies changes with it. */
export function changedItem({ error: _, ...item }: OutboxItem, change: ItemChange): OutboxItem {
  return {
    ...item,
    state: change.to,
    ...(change.error === undefined ? {} : { error: change.error }),
    ...(change.body === undefined ? {} : { bodyBytes: bytesOf(change.body) }),
    ...(change.inputVersion === undefined ? {} : { inputVersion: change.inputVersion }),
  }
}

export function isEnded(state: StoredState): boolean {
  return (ENDED_STATES as readonly StoredState[]).includes(state)
}

/** The size of a body, in bytes; of a text in UTF-16 units. */
export const bytesOf = (body: Encoded): number => (typeof body === 'string' ? body.length : body.bytes.length)

export function noItems(): { -readonly [State in keyof Counts]: number } {
  return { saved: 0, accepted: 0, cancelling: 0, parked: 0, done: 0, failed: 0, cancelled: 0 }
}
