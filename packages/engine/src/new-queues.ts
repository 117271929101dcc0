import type { EngineConfig } from './config.ts'
import type { EventOf } from './events.ts'
import { refusal } from './refusal.ts'
import type { State } from './state.ts'

/** The bound that refuses new queues. */
export type NewQueuesLimit = 'queuesMax' | 'principalQueuesMax'

/** The bound that `count` new names would exceed. Each principal has a share, so that no one can take all names. */
export function newQueuesLimit(
  { queues, queuesOf, config }: State,
  owner: string | undefined,
  count: number,
): NewQueuesLimit | undefined {
  if (count === 0) return undefined
  if (queues.size + count > config.queuesMax) return 'queuesMax'
  const own = owner === undefined ? 0 : (queuesOf.get(owner) ?? 0) + count
  return own > config.principalQueuesMax ? 'principalQueuesMax' : undefined
}

export function newQueueRefusal(
  config: EngineConfig,
  session: string | undefined,
  name: NewQueuesLimit,
  at: { ref?: number; index?: number; field: string },
): EventOf<'refused'> {
  const limit = config[name]
  const whose = name === 'queuesMax' ? 'the broker' : 'this principal'
  const message = `${whose} has no room for another queue (${name} is ${limit}): use fewer queues, or raise ${name}`
  return refusal(session, 'busy', message, {
    ...at,
    limit,
    retryAfterMs: config.retryAfterMsMax,
  })
}
