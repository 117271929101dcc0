/** The program of the connection Worker, which `createTabWorker` starts by this file. */
import { defaultPlatform } from '@sluice/client'
import type { ConnectionMessage, PageMessage } from './connection-messages.ts'
import { tabLabels } from './tab-labels.ts'
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

// The first message that needs the labels is `hello`, so all that the page says waits for them.
const session = tabLabels(globalThis.navigator, defaultPlatform.setTimer).then(
  (labels) => new TabSession({ platform: defaultPlatform, labels, post, awaitLock }),
)
globalThis.addEventListener('message', async ({ data }: MessageEvent<PageMessage>) => (await session).receive(data))
