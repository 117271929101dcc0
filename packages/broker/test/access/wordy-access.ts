import { type AccessControl, AccessError, type Principal } from '../../src/core/access/access-control.ts'
import { Scopes } from '../../src/core/access/scopes.ts'
import type { World } from '../core/world.ts'

/** How long its tokens are good for, unless told. */
export const LIFE_MS = 600_000

/** Tokens such as `ada submit:photos`; `late` behind them makes them wait until they are let through. */
export class WordyAccess implements AccessControl {
  readonly #world: () => World
  lifeMs = LIFE_MS
  readonly waiting: (() => void)[] = []

  constructor(world: () => World) {
    this.#world = world
  }

  async authenticate(token: string | undefined): Promise<Principal> {
    const [id, ...scopes] = (token ?? '').split(' ')
    if (scopes.includes('late')) await new Promise<void>((resolve) => this.waiting.push(resolve))
    if (scopes.includes('broken')) throw new Error('the keys cannot be fetched')
    if (id === undefined || id === '') throw new AccessError('no token')
    const { nowMs } = this.#world()
    return { id, scopes: new Scopes(scopes.join(' ')), issuedAtMs: nowMs, expiresAtMs: nowMs + this.lifeMs }
  }
}
