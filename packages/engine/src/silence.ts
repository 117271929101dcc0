import type { Session } from './entities.ts'

/** How long a session rests when it is heard after its first expiry … */
const REST_MS = 1000
/** … doubled for each further expiry before it settles a lease, up to this. */
const REST_MS_MAX = 10_000

export function restMs(expiries: number): number {
  return Math.min(REST_MS * 2 ** (expiries - 1), REST_MS_MAX)
}

/**
 * Whether a lease of the session has expired and no message has arrived since. The host reports a message with
 * `heard`.
 */
export function isSilent({ silence }: Session): boolean {
  return silence === 'silent'
}
