import type { Locks, OutboxStore } from '@sluice/client/outbox'
import { outboxLockName } from '@sluice/client/outbox'
import { type DrainReport, drainByHttp, type HttpDrainOptions } from './http-drain.ts'

export interface DrainOptions extends Pick<HttpDrainOptions, 'url' | 'store' | 'inputVersion' | 'fetch'> {
  /** The owners whose items are sent. */
  owners: () => readonly string[] | Promise<readonly string[]>
  /** The token of an owner. `undefined`: there is none now, and the items of this owner stay. */
  token: ((owner: string) => string | undefined | Promise<string | undefined>) | undefined
  locks: Locks | undefined
  /** How long to wait for a tab that sends for the same owner, and for each answer, in ms. */
  waitMs: number
  setTimer: (fn: () => void, ms: number) => () => void
}

/** By owner, why some items are left. An owner without such items has no entry. */
export type Left = Map<string, 'locked' | 'noToken' | DrainReport['end']>

/**
 * Sends what is saved, owner by owner, each under the lock that the tabs use too: one of them sends at a time.
 * @throws OutboxError if the store cannot be used
 */
export async function drainOwners(options: DrainOptions): Promise<Left> {
  const left: Left = new Map()
  for (const owner of await options.owners()) {
    if (!(await hasSaved(options.store, owner))) continue
    const end = await drainOwner(options, owner)
    if (end === undefined) continue
    if (end === 'locked' || end === 'noToken' || end.kind !== 'drained') left.set(owner, end)
  }
  return left
}

async function drainOwner(options: DrainOptions, owner: string): Promise<'locked' | 'noToken' | DrainReport['end']> {
  const { url, store, inputVersion, locks, token, waitMs, setTimer } = options
  const controller = new AbortController()
  const { signal } = controller
  const stop = (): void => controller.abort()
  const cancel = setTimer(stop, waitMs)
  let release = (): void => {}
  try {
    if (locks !== undefined) ({ release } = await locks.request(outboxLockName(owner), stop, { signal }))
  } catch {
    return (await hasSaved(store, owner)) ? 'locked' : { kind: 'drained' }
  } finally {
    cancel()
  }
  try {
    // After the wait, because tokens expire, and because people sign out.
    const current = await token?.(owner)
    if (token !== undefined && current === undefined) return 'noToken'
    const own = current === undefined ? {} : { token: current }
    const fetch = inTime(options)
    return (await drainByHttp({ url, store, owner, inputVersion, fetch, signal, ...own })).end
  } finally {
    release()
  }
}

/** `fetch` with a deadline. */
function inTime({ fetch, setTimer, waitMs }: DrainOptions): HttpDrainOptions['fetch'] {
  return async (url, init) => {
    const late = new AbortController()
    const cancel = setTimer(() => late.abort(), waitMs)
    try {
      const response = await fetch(url, {
        ...init,
        signal: AbortSignal.any([late.signal, ...(init.signal ? [init.signal] : [])]),
      })
      // The deadline is for the whole answer.
      const text = await response.text()
      const { status, headers } = response
      return new Response(text, { status, headers })
    } finally {
      cancel()
    }
  }
}

const hasSaved = async (store: OutboxStore, owner: string): Promise<boolean> => (await store.counts(owner)).saved > 0
