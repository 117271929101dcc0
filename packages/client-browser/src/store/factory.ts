/**
 * The IndexedDB of this page or worker. `undefined` where there is none, or where the browser refuses even the look at
 * it (blocked cookies, a sandboxed frame).
 */
export function indexedDbFactory(): IDBFactory | undefined {
  try {
    return globalThis.indexedDB
  } catch {
    return undefined
  }
}
