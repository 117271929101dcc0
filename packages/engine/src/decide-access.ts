import type { CommandOf, Env } from './commands.ts'
import type { Event } from './events.ts'
import { refusal } from './refusal.ts'
import type { State } from './state.ts'

/** A revocation is kept for good, for a token may be valid for years. */
const REVOCATIONS_MAX = 100_000

export function revokePrincipal(state: State, { principal }: CommandOf<'revokePrincipal'>, { nowMs }: Env): Event[] {
  if (state.revocations.size >= REVOCATIONS_MAX && !state.revocations.has(principal)) {
    const message = `${REVOCATIONS_MAX} principals are revoked already: replace the key that signs tokens`
    return [
      refusal(undefined, 'busy', message, {
        index: 0,
        limit: REVOCATIONS_MAX,
        retryAfterMs: state.config.retryAfterMsMax,
      }),
    ]
  }
  return [{ type: 'principalRevoked', principal, atMs: nowMs }]
}
