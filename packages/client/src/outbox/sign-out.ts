import { ALL_STATES } from './item.ts'
import type { OutboxClient } from './outbox-client.ts'
import type { OutboxStore } from './store.ts'

/** The number of items that are removed at once. */
const PAGE = 500

/** Resolves when nothing of the owner waits to be accepted or cancelled. */
export async function allAccepted(client: Pick<OutboxClient, 'onChange' | 'counts'>): Promise<void> {
  for (;;) {
    const { promise, resolve } = Promise.withResolvers<void>()
    const forget = client.onChange(() => resolve())
    try {
      const { unsaved, saved, sending, needsAuth, cancelling } = await client.counts()
      if (unsaved + saved + sending + needsAuth + cancelling === 0) return
      await promise
    } finally {
      forget()
    }
  }
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
