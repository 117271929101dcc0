import type { Scenario } from '@sluice/world'
import { calm } from '@sluice/world/phenomena'

/** How long a message takes one way: long enough to be seen. */
export const MESSAGE_MS = 50

/** Surroundings in which only the work and the messages take time, and nothing goes wrong by itself. */
export const scene = {
  ...calm,
  settleMs: 1000,
  network: { delayMs: { kind: 'constant', value: MESSAGE_MS } },
} as const satisfies Partial<Scenario>

/** The size of a task's body where it does not matter. */
export const bodyBytes = { kind: 'constant', value: 40 } as const

/** A time that is always the same. */
export function exactly(ms: number): { kind: 'constant'; value: number } {
  return { kind: 'constant', value: ms }
}

/** A time that lies anywhere between two others. */
export function between(min: number, max: number): { kind: 'uniform'; min: number; max: number } {
  return { kind: 'uniform', min, max }
}
