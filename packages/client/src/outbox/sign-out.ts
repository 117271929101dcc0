import { withSignal } from '../signal.ts'
import { ALL_STATES } from './item.ts'
import type { OutboxClient } from './outbox-client.ts'
import { OutboxError } from './outbox-error.ts'
import type { OutboxStore } from './store.ts'

type Counted = Pick<OutboxClient, 'onChange' | 'counts' | 'list'>

/** The number of items that are read at once. */
const PAGE = 500

/**
 * Resolves when nothing of the owner waits to be accepted or cancelled.
 * @throws the signal's reason; OutboxError `held_back` if what is left waits behind a parked item, because that lasts until somebody decides
 */
export function allAccepted(client: Counted, signal: AbortSignal | undefined): Promise<void> {
  const sent = countedOut(client)
  return signal === undefined ? sent : withSignal(sent, signal)
}

async function countedOut(client: Counted): Promise<void> {
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const forget = client.onChange(() => resolve())
    try {
      const { unsaved, saved, sending, needsAuth, cancelling } = await client.counts()
      if (unsaved + saved + sending + needsAuth + cancelling === 0) return
      if (unsaved + sending + needsAuth + cancelling === 0) await throwIfHeldBack(client)
      await promise
    } finally {
      forget()
    }
  }
}

async function throwIfHeldBack(client: Pick<OutboxClient, 'list'>): Promise<void> {
  const parked = await client.list({ states: ['parked'], limit: PAGE })
  const keys = new Set(parked.map(({ orderingKey }) => orderingKey).filter((key) => key !== undefined))
  if (keys.size === 0) return
  const saved = await client.list({ states: ['saved'], limit: PAGE })
  if (saved.length < PAGE && saved.every(({ orderingKey }) => orderingKey !== undefined && keys.has(orderingKey)))
    throw new OutboxError(
      'held_back',
      `${saved.length} items wait behind a refused one: retry or discard that one first`,
    )
}

/** Removes all items of an owner, and tells of each page that is gone. */
export async function removeAll(
  store: OutboxStore,
  owner: string,
  onRemoved: (ids: readonly string[]) => void,
): Promise<void> {
  for (;;) {
    const items = await store.list({ owner, states: ALL_STATES, limit: PAGE })
    if (items.length === 0) return
    const ids = items.map(({ id }) => id)
    await store.remove(ids, 'strict')
    onRemoved(ids)
  }
}
