import type { Scenario } from '../scenario.ts'

/** Surroundings in which nothing goes wrong by itself and only the work takes time. */
export const calm = {
  settleMs: 60_000,
  journal: { appendMs: { kind: 'constant', value: 0 }, readMs: { kind: 'constant', value: 0 } },
  network: { delayMs: { kind: 'constant', value: 1 } },
} as const satisfies Partial<Scenario>
