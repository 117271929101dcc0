import { DURATION_MS_MAX } from '@sluice/protocol'
import type { HostPlatform } from '../platform.ts'
import type { Principal } from './access-control.ts'

/**
 * How long before the expiry of a token its client is told. If the token is valid for less than twice this, the client
 * is told halfway.
 */
const NOTICE_MS = 60_000

/** The connection that a token was given for. */
export interface TokenHolder {
  onTokenExpiring(inMs: number): void
  onTokenExpired(): void
}

/** The validity period of a connection's token. */
export class TokenLife {
  readonly #platform: HostPlatform
  readonly #holder: TokenHolder
  #cancelTimer: (() => void) | undefined

  constructor(platform: HostPlatform, holder: TokenHolder) {
    this.#platform = platform
    this.#holder = holder
  }

  /** A token counts from now on in place of the previous one. Returns how long it is valid, in ms. */
  begin({ expiresAtMs }: Principal): number {
    this.end()
    const leftMs = this.#leftMs(expiresAtMs)
    this.#wait(leftMs - Math.min(NOTICE_MS, leftMs / 2), expiresAtMs, () => {
      const inMs = this.#leftMs(expiresAtMs)
      this.#holder.onTokenExpiring(Math.round(inMs))
      this.#wait(inMs, expiresAtMs, () => this.#holder.onTokenExpired())
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

  /** Waits in parts, because no timer runs for more than a month. */
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
