/** The program of the connection Worker, which `createTabWorker` starts by this file. */
import { defaultPlatform } from '@sluice/client'
import type { ConnectionMessage, PageMessage } from './connection-messages.ts'
import { TabSession } from './tab-session.ts'

const post = (message: ConnectionMessage, transfer: Transferable[] = []) =>
  globalThis.postMessage(message, { transfer })

/** A lock that is free again tells that its holder has died. */
function awaitLock(name: string, onFree: () => void): () => void {
  const { locks } = globalThis.navigator as { locks?: LockManager }
  const controller = new AbortController()
  locks?.request(name, { signal: controller.signal }, onFree).catch(() => {
    // The wait has ended.
  })
  return () => controller.abort()
}

const session = new TabSession({ platform: defaultPlatform, post, awaitLock })
globalThis.addEventListener('message', ({ data }: MessageEvent<PageMessage>) => session.receive(data))
