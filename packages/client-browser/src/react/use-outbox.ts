import type { OutboxStatus } from '@sluice/client/outbox'
import { useCallback, useSyncExternalStore } from 'react'
import type { OutboxSnapshot, Source, TaskSnapshot } from '../outbox-view.ts'
import { useOutboxClient } from './outbox-provider.ts'

function useSource<T>({ subscribe, getSnapshot, getServerSnapshot }: Source<T>): T {
  return useSyncExternalStore(subscribe, getSnapshot, getServerSnapshot)
}

/** Status, counts and the newest items. The component is rendered again at most once a frame. */
export function useOutbox(): OutboxSnapshot {
  return useSource(useOutboxClient().view)
}

/** One item by its id, with its progress and its result. */
export function useTask(id: string): TaskSnapshot {
  return useSource(useOutboxClient().view.task(id))
}

/**
 * The connection, who sends, whether a token is needed, and whether the storage works. The component is rendered again
 * only when one of them changes.
 */
export function useConnection(): OutboxStatus {
  const { view } = useOutboxClient()
  const status = useCallback(() => view.getSnapshot().status, [view])
  const onServer = useCallback(() => view.getServerSnapshot().status, [view])
  return useSyncExternalStore(view.subscribe, status, onServer)
}
