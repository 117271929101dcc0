import type { ProducerGroup, Scenario } from '../scenario.ts'
import { calm } from './calm.ts'

/** How long a user waits for a result. */
export const PATIENCE_MS = 1000

export interface ImpatientUsers {
  perSecond: number
  serviceMs: number
  /** How long a user waits for a result. Default 1,000. */
  patienceMs?: number
  /** When the one worker pauses, and for how long. */
  triggerAtMs: number
  triggerMs: number
  durationMs: number
  settleMs: number
}

/** One worker that pauses for a while, and users who retry up to three times, in this way. */
export function impatientUsers(
  name: string,
  {
    perSecond,
    serviceMs,
    patienceMs = PATIENCE_MS,
    triggerAtMs,
    triggerMs,
    durationMs,
    settleMs,
  }: Readonly<ImpatientUsers>,
  impatientBackOff: ProducerGroup['impatientBackOff'],
): Scenario {
  return {
    ...calm,
    name,
    durationMs,
    settleMs,
    producers: [
      {
        count: 1,
        arrivals: { kind: 'poisson', rate: perSecond },
        tasks: [{ queue: 'orders', weight: 1, bodyBytes: { kind: 'constant', value: 40 } }],
        patienceMs,
        impatientRetriesMax: 3,
        impatientBackOff,
      },
    ],
    workers: [
      {
        count: 1,
        queues: ['orders'],
        concurrency: 1,
        service: { '*': { ms: { kind: 'constant', value: serviceMs } } },
      },
    ],
    script: [{ atMs: triggerAtMs, fault: { type: 'pause', node: 'worker-1', forMs: triggerMs } }],
  }
}

/** The same users twice: they retry at once, or within a budget of one retry for ten first tries. */
export function withAndWithoutBudget(name: string, users: ImpatientUsers): Record<'at once' | 'budget', Scenario> {
  return {
    'at once': impatientUsers(`${name}, at once`, users, { kind: 'none' }),
    budget: impatientUsers(`${name}, budget`, users, { kind: 'budget', ratio: 0.1 }),
  }
}
