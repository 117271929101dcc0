import type { Session } from './entities.ts'

/** How long a session rests that is heard again after a lease of it expired: this long after the first expiry, … */
const REST_MS = 1000
/** … twice as long after each further one before it settles a lease, and so long at most. */
const REST_MS_MAX = 10_000

export function restMs(expiries: number): number {
  return Math.min(REST_MS * 2 ** (expiries - 1), REST_MS_MAX)
}

/** Whether a lease of it has expired and it has not been heard since: the host says so (`heard`) when a message comes. */
export function isSilent({ silence }: Session): boolean {
  return silence === 'silent'
}
