/** The page that a client lives in, as far as the client looks at it. A worker or a server has less of it, or nothing. */
export interface Page {
  /** Calls `fn` for each event of the window. @returns a function that ends it */
  onWindow(type: string, fn: (event: Event) => void): () => void
  /** The same for the document. */
  onDocument(type: string, fn: (event: Event) => void): () => void
  readonly isVisible: boolean
  /** Calls `fn` with the next frame, or soon if the page shows none. @returns a function that cancels it */
  nextFrame(fn: () => void): () => void
  /** The wall clock in ms. It only tells whether the device may have slept; nothing is decided by it. */
  epochMs(): number
}

/** A hidden page shows no frames. Its changes are still published, a few times a second. */
const HIDDEN_FRAME_MS = 250

/** The page of this program. */
export const browserPage: Page = {
  onWindow: (type, fn) => listen(globalThis.window, type, fn),
  onDocument: (type, fn) => listen(globalThis.document, type, fn),
  get isVisible() {
    return globalThis.document?.visibilityState !== 'hidden'
  },
  nextFrame: (fn) => {
    const frame = globalThis.requestAnimationFrame?.(() => run())
    const timer = setTimeout(() => run(), HIDDEN_FRAME_MS)
    const cancel = (): void => {
      clearTimeout(timer)
      if (frame !== undefined) cancelAnimationFrame(frame)
    }
    const run = (): void => {
      cancel()
      fn()
    }
    return cancel
  },
  epochMs: () => Date.now(),
}

function listen(target: EventTarget | undefined, type: string, fn: (event: Event) => void): () => void {
  target?.addEventListener(type, fn)
  return () => target?.removeEventListener(type, fn)
}

/** Room on this device for this site, in bytes, as the browser estimates it. */
export interface StorageEstimate {
  usageBytes: number
  quotaBytes: number
}

/** @returns whether the browser has promised not to clear this site's storage when the device runs out of space */
export async function persistStorage(): Promise<boolean> {
  const { storage } = globalThis.navigator ?? {}
  if (storage?.persist === undefined) return false
  return (await storage.persisted()) || storage.persist()
}

/** @returns undefined where the browser does not tell */
export async function storageEstimate(): Promise<StorageEstimate | undefined> {
  const { usage, quota } = (await globalThis.navigator?.storage?.estimate?.()) ?? {}
  return usage === undefined || quota === undefined ? undefined : { usageBytes: usage, quotaBytes: quota }
}
