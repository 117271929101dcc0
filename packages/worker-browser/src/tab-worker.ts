import { type Failure, type Logger, safeLogger, type WorkerStats } from '@sluice/client'
import { nextTabWorkerState, TAB_WORKER, type TabWorkerEvent } from '@sluice/machines'
import type { TabWorkerState } from '@sluice/machines/states'
import { browserDevice } from './browser-device.ts'
import { Conditions } from './conditions.ts'
import { ConnectionLink } from './connection-link.ts'
import type { ConnectionStatus } from './connection-messages.ts'
import { startConnectionWorker } from './connection-worker-file.ts'
import type { Device } from './device.ts'
import { type CheckedOptions, checkedOptions, checkedShare, type TabWorkerOptions } from './tab-worker-options.ts'
import {
  type PauseReason,
  type TabWorkerFailure,
  type TabWorkerSnapshot,
  type TabWorkerStats,
  tabWorkerFailure,
} from './tab-worker-snapshot.ts'

const DRAIN_GRACE_MS = 30_000
const GIVEN = 'given'

/** With these the tab leaves at once: what runs could not finish. */
const LEAVING: readonly PauseReason[] = ['frozen', 'away']

/**
 * A browser tab as a worker. It works after `start()` and consent, in either order, and while there is no reason to
 * pause. `subscribe` and `getSnapshot` fit React's `useSyncExternalStore`. All methods may be passed on without their
 * object.
 */
export interface TabWorker {
  readonly state: TabWorkerState
  readonly stats: TabWorkerStats
  /** Resolves when the tab worker has stopped for good, and nothing of it remains. */
  readonly closed: Promise<void>
  /** Calls the listener after each change. The returned function ends that. */
  readonly subscribe: (listener: () => void) => () => void
  /** The same object until something changes. */
  readonly getSnapshot: () => TabWorkerSnapshot
  /** The person agrees. With `consent: 'ask'` that is stored. */
  readonly agree: () => void
  /** The person takes that back, and the tab stops at once. It works again after `agree()`. */
  readonly revoke: () => void
  /** Works from now on, as far as consent and conditions allow. After a failure it tries again. */
  readonly start: () => void
  /** Takes no more tasks until `resume()`. Running handlers may finish. */
  readonly pause: () => void
  readonly resume: () => void
  /** Stops at once until `start()`. Tasks are handed back. */
  readonly stop: () => void
  /** See the option. @throws RangeError for a share outside 0.05 – 1 */
  readonly setCpuShare: (share: number) => void
  /**
   * Takes no more tasks and lets running handlers finish for up to `graceMs` (default 30,000), then stops for good.
   * Resolves as `closed`.
   */
  readonly drain: (options?: { graceMs?: number }) => Promise<void>
  /** Stops at once and for good. Tasks are handed back. Resolves as `closed`. */
  readonly close: () => Promise<void>
}

/**
 * A browser tab as a worker. Nothing happens before `start()` and consent: no connection, no Worker.
 * @throws Error or RangeError naming the option that cannot be used
 */
export function createTabWorker(options: TabWorkerOptions): TabWorker {
  return new PageWorker(options)
}

const NO_STATS: TabWorkerStats = {
  running: 0,
  queued: 0,
  settling: 0,
  succeeded: 0,
  failed: 0,
  released: 0,
  lost: 0,
  ready: 0,
  resting: 0,
}

class PageWorker implements TabWorker {
  readonly closed: Promise<void>
  readonly #options: CheckedOptions
  readonly #device: Device
  readonly #logger: Logger
  readonly #conditions: Conditions
  readonly #listeners = new Set<() => void>()
  readonly #forgets: (() => void)[] = []
  /** All links whose Workers have not ended, with what they have counted. Only the newest may work. */
  readonly #links = new Map<ConnectionLink, WorkerStats>()
  readonly #pausedBy = new Set<PauseReason>()
  #link: ConnectionLink | undefined
  #status: ConnectionStatus | undefined
  /** What ended links have counted. */
  #before: TabWorkerStats = NO_STATS
  #state: TabWorkerState = 'asking'
  #isWanted = false
  #failure: TabWorkerFailure | undefined
  #trouble: string | undefined
  #cpuShare: number
  #drainGraceMs = DRAIN_GRACE_MS
  #letSleep: (() => void) | undefined
  #snapshot: TabWorkerSnapshot
  #resolveClosed: () => void = () => {}

  constructor(options: TabWorkerOptions) {
    const device = options.device ?? browserDevice
    this.#device = device
    this.#options = checkedOptions(options, device.cores)
    this.#logger = safeLogger(options.logger, (message, fields) => device.warn(message, fields))
    this.#cpuShare = this.#options.cpuShare
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve
    })
    const { hours, onlyOnMains = false, pauseOnPressure = true, consent, consentKey, signal } = this.#options
    this.#conditions = new Conditions(device, { hours, onlyOnMains, pauseOnPressure }, (reason, holds) =>
      this.#hold(reason, holds),
    )
    this.#forgets.push(
      device.watchLife({
        onFreeze: () => this.#hold('frozen', true),
        onResume: () => this.#hold('frozen', false),
        onHide: () => this.#hold('away', true),
        onShow: () => {
          this.#hold('away', false)
          this.#hold('frozen', false)
        },
      }),
    )
    if (consent === 'ask') {
      this.#forgets.push(device.watchStore(consentKey, (value) => (value === GIVEN ? this.#agreed() : this.#revoked())))
    }
    this.#snapshot = this.#newSnapshot()
    if (consent === 'given' || device.read(consentKey) === GIVEN) this.#agreed()
    if (signal?.aborted) void this.close()
    else if (signal !== undefined) {
      const close = () => void this.close()
      signal.addEventListener('abort', close, { once: true })
      this.#forgets.push(() => signal.removeEventListener('abort', close))
    }
  }

  get state(): TabWorkerState {
    return this.#state
  }

  get stats(): TabWorkerStats {
    return this.#snapshot.stats
  }

  readonly subscribe = (listener: () => void): (() => void) => {
    const own = () => listener()
    this.#listeners.add(own)
    return () => this.#listeners.delete(own)
  }

  readonly getSnapshot = (): TabWorkerSnapshot => this.#snapshot

  readonly agree = (): void => {
    if (this.#options.consent === 'ask' && this.#state !== 'stopped')
      this.#device.write(this.#options.consentKey, GIVEN)
    this.#agreed()
  }

  readonly revoke = (): void => {
    if (this.#options.consent === 'ask' && this.#state !== 'stopped') this.#device.write(this.#options.consentKey, null)
    this.#revoked()
  }

  readonly start = (): void => {
    if (this.#state === 'stopped' || this.#state === 'draining') return
    this.#isWanted = true
    this.#go('start')
  }

  readonly pause = (): void => this.#hold('owner', true)

  readonly resume = (): void => this.#hold('owner', false)

  readonly stop = (): void => {
    this.#isWanted = false
    this.#go('stop')
  }

  readonly setCpuShare = (share: number): void => {
    this.#cpuShare = checkedShare(share)
    this.#link?.setShare(share)
    this.#publish()
  }

  readonly drain = (options?: { graceMs?: number }): Promise<void> => {
    this.#drainGraceMs = options?.graceMs ?? DRAIN_GRACE_MS
    this.#go('drain')
    return this.closed
  }

  readonly close = (): Promise<void> => {
    this.#go('close')
    return this.closed
  }

  // ─── the chart ───────────────────────────────────────────────────────────────────────────────────────────────────

  #agreed(): void {
    if (this.#go('agree') && this.#isWanted) this.#go('start')
  }

  #revoked(): void {
    this.#go('revoke')
  }

  #hold(reason: PauseReason, holds: boolean): void {
    if (this.#pausedBy.has(reason) === holds) return
    if (holds) this.#pausedBy.add(reason)
    else this.#pausedBy.delete(reason)
    if (this.#state === 'paused' && this.#pausedBy.size > 0) this.#publish()
    else this.#go(this.#pausedBy.size > 0 ? 'pause' : 'resume')
    // Whatever the state: nothing of it may wait in a page that stops.
    if (holds && LEAVING.includes(reason)) for (const link of [...this.#links.keys()]) link.leaveNow()
  }

  /** An event that the state does not have changes nothing. @returns whether it has */
  #go(event: TabWorkerEvent): boolean {
    const before = this.#state
    if (!(event in TAB_WORKER[before])) return false
    this.#state = nextTabWorkerState(before, event)
    this.#entered(event)
    this.#publish()
    return true
  }

  #entered(event: TabWorkerEvent): void {
    switch (this.#state) {
      case 'connecting':
        // What the conditions say first may be a reason to pause, so the link comes after them.
        this.#failure = undefined
        this.#conditions.watch()
        if (this.#state !== 'connecting') return
        if (this.#pausedBy.size > 0) this.#go('pause')
        else if (event !== 'disconnect') this.#work()
        return
      case 'paused':
        this.#link?.pause()
        return
      case 'draining':
        if (this.#link === undefined) this.#go('leave')
        else this.#link.drain(this.#drainGraceMs)
        return
      case 'off':
      case 'asking':
        if (event === 'agree') return
        this.#leave()
        this.#conditions.stop()
        return
      case 'failed':
        this.#leave()
        this.#conditions.stop()
        return
      case 'stopped':
        this.#leave()
        this.#conditions.stop()
        for (const forget of this.#forgets.splice(0)) forget()
        this.#settleClosed()
    }
  }

  // ─── the link ────────────────────────────────────────────────────────────────────────────────────────────────────

  #work(): void {
    if (this.#options.keepAwake) this.#letSleep ??= this.#device.keepAwake()
    if (this.#link === undefined) {
      try {
        this.#link = this.#newLink()
      } catch (error) {
        this.#fail({ error: { name: 'ConnectionWorkerError', message: `no Worker can be made: ${String(error)}` } })
        return
      }
    }
    this.#link.work()
  }

  #newLink(): ConnectionLink {
    const { url, name = 'browser', labels = {}, names, size, prefetch, abortGraceMs, timings } = this.#options
    const { token, worker, loadMsMax, connection = startConnectionWorker } = this.#options
    const settings = {
      url,
      name,
      labels,
      queues: names,
      size,
      prefetch,
      cpuShare: this.#cpuShare,
      abortGraceMs,
      timings,
      token: typeof token === 'function' ? (true as const) : token,
    }
    const link: ConnectionLink = new ConnectionLink(
      {
        settings,
        makeConnection: connection,
        makeWorker: worker,
        token,
        loadMsMax,
        logger: this.#logger,
        now: () => this.#device.now(),
        setTimer: (fn, ms) => this.#device.setTimer(fn, ms),
        uniqueName: () => this.#device.uniqueName(),
      },
      {
        onStatus: (status) => this.#heard(link, status),
        onFailed: (failure) => {
          if (link === this.#link) this.#fail(failure)
        },
        onLeft: () => this.#left(link),
      },
    )
    this.#links.set(link, NO_STATS)
    return link
  }

  #heard(link: ConnectionLink, status: ConnectionStatus): void {
    this.#links.set(link, status.stats)
    if (link === this.#link) {
      this.#status = status
      this.#trouble = status.trouble
      const works = status.connection === 'ready' && status.ready + status.resting > 0
      if (works && this.#state === 'connecting') this.#go('connect')
      else if (!works && this.#state === 'working') this.#go('disconnect')
    }
    this.#publish()
  }

  #left(link: ConnectionLink): void {
    const counted = this.#links.get(link) ?? NO_STATS
    this.#links.delete(link)
    this.#before = sum(this.#before, { ...NO_STATS, ...counted, running: 0, queued: 0, settling: 0 })
    if (link === this.#link) {
      this.#forgetLink()
      if (this.#state === 'draining') this.#go('leave')
      // It left by itself although it should work.
      else if (this.#state === 'connecting' || this.#state === 'working') this.#go('stop')
    }
    this.#settleClosed()
    this.#publish()
  }

  #leave(): void {
    const link = this.#link
    this.#forgetLink()
    link?.leave()
  }

  #forgetLink(): void {
    this.#link = undefined
    this.#status = undefined
    this.#trouble = undefined
    this.#letSleep?.()
    this.#letSleep = undefined
  }

  #fail(failure: Failure): void {
    this.#failure = tabWorkerFailure(failure)
    this.#logger.error({ ...this.#failure }, `the tab worker stops: ${this.#failure.message}`)
    this.#go('fail')
  }

  #settleClosed(): void {
    if (this.#state === 'stopped' && this.#links.size === 0) this.#resolveClosed()
  }

  // ─── the snapshot ────────────────────────────────────────────────────────────────────────────────────────────────

  #publish(): void {
    this.#snapshot = this.#newSnapshot()
    for (const listener of [...this.#listeners]) {
      try {
        listener()
      } catch (error) {
        this.#logger.error({ err: error }, 'a listener of the tab worker threw')
      }
    }
  }

  #newSnapshot(): TabWorkerSnapshot {
    const { ready = 0, resting = 0 } = this.#status ?? {}
    let stats: TabWorkerStats = { ...this.#before, ready, resting }
    for (const counted of this.#links.values()) stats = sum(stats, { ...NO_STATS, ...counted })
    const common = { stats, concurrency: this.#options.size, cpuShare: this.#cpuShare }
    const state = this.#state
    switch (state) {
      case 'connecting':
        return { ...common, state, trouble: this.#trouble }
      case 'paused':
        return { ...common, state, pausedBy: [...this.#pausedBy] }
      case 'failed':
        return { ...common, state, failure: this.#failure! }
      default:
        return { ...common, state }
    }
  }
}

function sum(a: TabWorkerStats, b: TabWorkerStats): TabWorkerStats {
  const total = { ...a }
  for (const key of Object.keys(b) as (keyof TabWorkerStats)[]) total[key] += b[key]
  return total
}
