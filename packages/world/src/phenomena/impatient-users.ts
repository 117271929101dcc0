import type { ProducerGroup, Scenario } from '../scenario.ts'
import { calm } from './calm.ts'

/** How long a user waits for a result. */
export const PATIENCE_MS = 1000

interface ImpatientUsers {
  perSecond: number
  serviceMs: number
  /** When the one worker pauses, and for how long. */
  triggerAtMs: number
  triggerMs: number
  durationMs: number
  settleMs: number
}

/** One worker that pauses for a while, and users who retry up to three times: at once, or within a budget. */
export function withAndWithoutBudget(
  name: string,
  { perSecond, serviceMs, triggerAtMs, triggerMs, durationMs, settleMs }: ImpatientUsers,
): Record<'at once' | 'budget', Scenario> {
  const scenario = (variant: string, impatientBackOff: ProducerGroup['impatientBackOff']): Scenario => ({
    ...calm,
    name: `${name}, ${variant}`,
    durationMs,
    settleMs,
    producers: [
      {
        count: 1,
        arrivals: { kind: 'poisson', rate: perSecond },
        tasks: [{ queue: 'orders', weight: 1, bodyBytes: { kind: 'constant', value: 40 } }],
        patienceMs: PATIENCE_MS,
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
  })
  return {
    'at once': scenario('at once', { kind: 'none' }),
    budget: scenario('budget', { kind: 'budget', ratio: 0.1 }),
  }
}
