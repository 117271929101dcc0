import type { RetryPolicy } from '@sluice/protocol'

/**
 * The delay before the attempt that follows attempt number `attempt`, in ms. Full jitter draws uniformly from 0 to the
 * capped exponential delay (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog 2015).
 */
export function retryDelayMs(policy: Readonly<Required<RetryPolicy>>, attempt: number, random: () => number): number {
  // 2^52 exceeds every cap and keeps the power finite.
  const steps = policy.kind === 'exponential' ? 2 ** Math.min(attempt - 1, 52) : 1
  const delayMs = policy.kind === 'exponential' ? Math.min(policy.delayMs * steps, policy.delayMsMax) : policy.delayMs
  return policy.jitter === 'full' ? Math.floor(random() * (delayMs + 1)) : delayMs
}
