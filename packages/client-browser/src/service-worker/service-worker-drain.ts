import { defaultPlatform } from '@sluice/client'
import type { OutboxStore } from '@sluice/client/outbox'
import { indexedDbStore } from '../store/indexeddb-store.ts'
import { SYNC_TAG } from '../sync-tag.ts'
import { tabGroup } from '../tab-group.ts'
import { drainOwners } from './drain.ts'

export interface ServiceWorkerDrainOptions {
  /** The broker: `https://queue.example.com`. Its `allowedOrigins` must list the origin of the page. */
  url: string
  /**
   * Gives the token of an owner, such as by asking the app's server with the cookies of the session. `undefined` means
   * that there is none now: the items of this owner stay until a page sends them. Leave it out for a broker without
   * access control. It is given the owner so that items are never sent with the token of somebody else.
   */
  token?: (owner: string) => string | undefined | Promise<string | undefined>
  /** Default: every owner who has saved something on this device. */
  owners?: () => readonly string[] | Promise<readonly string[]>
  /** The name of the outbox, as in `createBrowserClient`. Default `sluice`. */
  name?: string
  /** The version of the inputs, as in `createBrowserClient`. Items of another version are left to a page. Default 1. */
  inputVersion?: number
  /** The tag of `registerSync`. Default `sluice`. */
  tag?: string
  /** How long to wait for a tab that sends at the same time, and for each answer of the broker, in ms. Default 20,000. */
  waitMs?: number
  /** Default: IndexedDB. */
  store?: OutboxStore
}

export interface ServiceWorkerDrain {
  /**
   * Sends what is saved. Resolves when nothing is left that can be sent from here.
   * @throws Error if something is left for later, so that the browser fires `sync` again; OutboxError
   */
  drain(): Promise<void>
}

/** The parts of a service worker that are used here. */
interface SyncScope {
  addEventListener(
    type: 'sync',
    listener: (event: { tag: string; waitUntil(promise: Promise<unknown>): void }) => void,
  ): void
}

/** Answers `sync` events of the service worker that calls this. Call it while the worker's script first runs. */
export function drainInServiceWorker(options: ServiceWorkerDrainOptions): ServiceWorkerDrain {
  const { name, token, tag = SYNC_TAG } = options
  const store = options.store ?? indexedDbStore(name === undefined ? {} : { name })
  const drain = async (): Promise<void> => {
    const left = await drainOwners({
      url: options.url.replace(/^ws/, 'http').replace(/\/$/, ''),
      store,
      token,
      owners: options.owners ?? (() => store.owners()),
      inputVersion: options.inputVersion ?? 1,
      locks: tabGroup(name)?.locks,
      waitMs: options.waitMs ?? 20_000,
      setTimer: defaultPlatform.setTimer,
      fetch: (url, init) => globalThis.fetch(url, init),
    })
    // Without a token a second attempt would end alike: a page has to ask people to sign in.
    const reasons = [...left.values()].filter(
      (why) => why !== 'noToken' && !(typeof why === 'object' && why.kind === 'needsToken'),
    )
    const [why] = reasons
    if (why !== undefined)
      throw new Error(`the outbox is not empty yet: ${typeof why === 'string' ? why : JSON.stringify(why)}`)
  }
  const scope = globalThis as unknown as SyncScope
  scope.addEventListener('sync', (event) => {
    if (event.tag === tag) event.waitUntil(drain())
  })
  return { drain }
}
