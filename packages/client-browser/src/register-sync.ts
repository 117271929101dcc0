import { SYNC_TAG } from './sync-tag.ts'

/** What Background Sync adds to a registration, where there is one. */
interface SyncManager {
  register(tag: string): Promise<void>
}

/**
 * Asks the browser to start the service worker when there is a network, also after all pages are closed. Asking again
 * changes nothing. The app registers the service worker itself.
 * @returns false where that is not possible: no service worker, no Background Sync (Firefox, Safari), or not allowed
 */
export async function registerSync(tag = SYNC_TAG): Promise<boolean> {
  try {
    const registration = await globalThis.navigator?.serviceWorker?.getRegistration()
    if (registration === undefined || !('sync' in registration)) return false
    await (registration.sync as SyncManager).register(tag)
    return true
  } catch {
    return false
  }
}
