import type { ItemView, OutboxStatus } from './outbox-client.ts'

/** What the tabs of one outbox tell each other. A tab that misses a message finds the same facts in the store. */
export type TabMessage =
  /** These items are in another state, or gone. A result comes along only if it could not be stored. */
  | { type: 'changed'; items: readonly ItemView[]; removed: readonly string[]; results: readonly [string, unknown][] }
  /** The sender of this message leads now. What the leader before it was sending is not known any more. */
  | { type: 'leading'; auth: OutboxStatus['auth'] }
  /** The leader has learned that the broker wants another token, or takes the one that it has. */
  | { type: 'auth'; auth: OutboxStatus['auth'] }
  /** Does the leader still run? */
  | { type: 'ask' }
  | { type: 'answer' }
  /** A tab has a new token: the leader should ask for one, or let that tab lead. */
  | { type: 'authenticate' }

const TYPES: readonly unknown[] = ['changed', 'leading', 'auth', 'ask', 'answer', 'authenticate']

/** Another version of the program may send what this one does not know. */
export function isTabMessage(message: unknown): message is TabMessage {
  return typeof message === 'object' && message !== null && TYPES.includes((message as { type?: unknown }).type)
}
