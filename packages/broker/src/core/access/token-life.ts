import { DURATION_MS_MAX } from '@sluice/protocol'
import type { HostPlatform } from '../platform.ts'
import type { Principal } from './access-control.ts'

/** How long before a token expires its client is told; half of what is left, where that is less. */
const NOTICE_MS = 60_000

/** The time that the token of a connection is good for. */
export class TokenLife {
  readonly #platform: HostPlatform
  readonly #on: { onExpiring(inMs: number): void; onExpired(): void }
  #cancelTimer: (() => void) | undefined

  constructor(platform: HostPlatform, on: { onExpiring(inMs: number): void; onExpired(): void }) {
    this.#platform = platform
    this.#on = on
  }

  /** A token counts from now on, instead of the one before. Returns for how long, in ms. */
  begin({ expiresAtMs }: Principal): number {
    this.end()
    const leftMs = this.#leftMs(expiresAtMs)
    this.#wait(leftMs - Math.min(NOTICE_MS, leftMs / 2), expiresAtMs, () => {
      const inMs = this.#leftMs(expiresAtMs)
      this.#on.onExpiring(Math.round(inMs))
      this.#wait(inMs, expiresAtMs, () => this.#on.onExpired())
    })
    return Math.min(Math.round(leftMs), DURATION_MS_MAX)
  }

  end(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }

  #leftMs(expiresAtMs: number): number {
    return Math.max(0, expiresAtMs - this.#platform.nowMs())
  }

  /** In pieces, because no timer takes more than a month. */
  #wait(ms: number, expiresAtMs: number, then: () => void): void {
    const piece = Math.min(ms, TIMER_MS_MAX)
    this.#cancelTimer = this.#platform.setTimer(() => {
      this.#cancelTimer = undefined
      if (piece < ms) this.#wait(ms - piece, expiresAtMs, then)
      else then()
    }, piece)
  }
}

const TIMER_MS_MAX = 86_400_000
