import type { Platform } from '../platform.ts'
import type { Locks } from './surroundings.ts'

/** How often a tab that waits for something asks whether the leader still runs, in ms. */
const ASK_MS = 5000
/** After this many questions without an answer the leader counts as dead. */
const UNANSWERED_MAX = 3
/** The maximum number of times that a tab takes the lock by force, until a leader has answered again. */
const STEALS_MAX = 3
/** The wait before the lock is asked for again after it was stolen or could not be asked for, in ms. */
const AGAIN_MS = 1000

/** The name of the lock whose holder sends what `owner` has saved. A service worker takes the same one. */
export const outboxLockName = (owner: string): string => `outbox of ${owner}`

export interface LeadershipOptions {
  /** Without locks this tab leads at once. */
  locks: Locks | undefined
  lockName: string
  platform: Platform
  /** Asks the leader for a sign of life. What it has told may have been lost while this tab was frozen. */
  ask: () => void
  onLead: () => void
  /** The lock was stolen. Another tab leads. */
  onLost: () => void
}

/**
 * Decides by a lock which tab sends. The lock is released when its tab is gone, so nobody measures silence of a tab that
 * merely waits. A leader that holds its lock and does not answer is replaced, a bounded number of times. Two leaders do
 * no harm: the broker gives the same answer to the same id.
 */
export class Leadership {
  readonly #options: LeadershipOptions
  #isLeading = false
  /** Ends the wait for the lock. Undefined while this tab does not take part. */
  #taking: AbortController | undefined
  #release: () => void = () => {}
  #cancelAgain: () => void = () => {}
  #cancelAsk: () => void = () => {}
  #isAnxious = false
  #unanswered = 0
  #steals = 0

  constructor(options: LeadershipOptions) {
    this.#options = options
  }

  get isLeading(): boolean {
    return this.#isLeading
  }

  /** Takes part: leads now or when the leader is gone. Idempotent. */
  start(): void {
    if (this.#taking !== undefined) return
    this.#taking = new AbortController()
    this.#request(this.#taking, false)
    this.#watch()
  }

  /** Does not take part any more. Another tab may lead. Idempotent. */
  stop(): void {
    this.#taking?.abort()
    this.#taking = undefined
    this.#cancelAgain()
    this.#cancelAsk()
    this.#isLeading = false
    this.#release()
    this.#release = () => {}
  }

  /** Whether this tab waits for something that the leader should do. */
  set isAnxious(isAnxious: boolean) {
    if (this.#isAnxious === isAnxious) return
    this.#isAnxious = isAnxious
    this.#watch()
  }

  /** The leader has shown a sign of life. */
  heard(): void {
    this.#unanswered = 0
    this.#steals = 0
  }

  #request(taking: AbortController, steal: boolean): void {
    const { locks, lockName, onLost } = this.#options
    if (locks === undefined) {
      this.#lead(() => {})
      return
    }
    const onStolen = (): void => {
      if (this.#taking !== taking) return
      this.#isLeading = false
      this.#release = () => {}
      onLost()
      this.#again(taking)
    }
    locks.request(lockName, onStolen, { signal: taking.signal, ...(steal ? { steal } : {}) }).then(
      ({ release }) => {
        // The lock may be granted just when it is not wanted any more, or twice after a theft.
        if (this.#taking !== taking || this.#isLeading) release()
        else this.#lead(release)
      },
      () => {
        if (this.#taking === taking && !this.#isLeading) this.#again(taking)
      },
    )
  }

  #again(taking: AbortController): void {
    this.#cancelAgain()
    this.#cancelAgain = this.#options.platform.setTimer(() => {
      if (this.#taking === taking && !this.#isLeading) this.#request(taking, false)
    }, AGAIN_MS)
    this.#watch()
  }

  #lead(release: () => void): void {
    this.#isLeading = true
    this.#release = release
    this.#cancelAsk()
    this.#options.onLead()
  }

  /** Asks for signs of life, as long as this tab waits for something and does not lead. */
  #watch(): void {
    this.#cancelAsk()
    this.#unanswered = 0
    if (!this.#isAnxious || this.#isLeading || this.#taking === undefined) return
    this.#cancelAsk = this.#options.platform.setTimer(() => this.#ask(), ASK_MS)
  }

  #ask(): void {
    const taking = this.#taking
    if (taking === undefined) return
    if (this.#unanswered >= UNANSWERED_MAX && this.#steals < STEALS_MAX) {
      this.#steals += 1
      this.#unanswered = 0
      this.#request(taking, true)
    } else {
      this.#unanswered += 1
      this.#options.ask()
    }
    this.#cancelAsk = this.#options.platform.setTimer(() => this.#ask(), ASK_MS)
  }
}
