import type { Failure, WorkerStats } from '@sluice/client'
import type { TabWorkerState } from '@sluice/machines/states'

/**
 * A reason not to work now.
 * - `owner`: `pause()` was called.
 * - `hours`: it is outside the hours of the option.
 * - `battery`: the device runs on its battery.
 * - `pressure`: the browser says that the CPU has too much to do.
 * - `frozen`: the browser has frozen the page.
 * - `away`: the person has left the page, which may come back from the back/forward cache.
 */
export type PauseReason = 'owner' | 'hours' | 'battery' | 'pressure' | 'frozen' | 'away'

/** Why a tab worker has failed. */
export interface TabWorkerFailure {
  /**
   * - `refused`: the broker refuses this worker; `code` says why, such as `unauthorized`.
   * - `not_loaded`: the connection Worker did not load.
   */
  kind: 'refused' | 'not_loaded'
  message: string
  /** The error code of the broker. */
  code?: string
}

export interface TabWorkerStats extends WorkerStats {
  /** Handler Workers that run a task or could. */
  ready: number
  /** Handler Workers that rest because of `cpuShare`. */
  resting: number
}

interface Common {
  /** Since the tab worker was made. `running`, `queued`, `settling`, `ready` and `resting` tell of now. */
  readonly stats: TabWorkerStats
  /** The number of handler Workers while it works. */
  readonly concurrency: number
  readonly cpuShare: number
}

/** What a page may show. It never changes; a change makes another snapshot. */
export type TabWorkerSnapshot = Common &
  (
    | { readonly state: Exclude<TabWorkerState, 'connecting' | 'paused' | 'failed'> }
    /** `trouble`: why it takes so long, for people. */
    | { readonly state: 'connecting'; readonly trouble: string | undefined }
    | { readonly state: 'paused'; readonly pausedBy: readonly PauseReason[] }
    | { readonly state: 'failed'; readonly failure: TabWorkerFailure }
  )

/** The failure that a page may show. */
export function tabWorkerFailure({ error: { name, message, code } }: Failure): TabWorkerFailure {
  const kind = name === 'ConnectionWorkerError' ? 'not_loaded' : 'refused'
  return { kind, message, ...(code !== undefined && { code }) }
}
