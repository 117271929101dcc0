/** The tag of the `sync` event by which pages ask the service worker to send what is saved. */
export const SYNC_TAG = 'sluice'
