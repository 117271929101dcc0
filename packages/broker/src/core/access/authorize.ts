import type { Task } from '@sluice/engine'
import type { ClientMessage, WireError } from '@sluice/protocol'
import type { Principal } from './access-control.ts'
import type { QueueAction } from './scopes.ts'

/**
 * What is asked of a principal.
 *
 * - `nobody`: it is answered before anybody has said who it is.
 * - `anybody`: any accepted token will do.
 * - `scope`: a scope for this action on each queue that is named.
 * - `owner`: the task is its own, or it has a scope for this action on the queue of the task.
 * - `session`: its session holds the lease, or the watch, that is named.
 * - `admin`: the scope `admin`.
 */
export type Rule =
  | { ask: 'nobody' | 'anybody' | 'session' | 'admin' }
  | { ask: 'scope'; action: QueueAction }
  | { ask: 'owner'; action: QueueAction }

/** The rule of every message of a client. */
export const MESSAGE_RULES = {
  hello: { ask: 'nobody' },
  renew: { ask: 'anybody' },
  submit: { ask: 'scope', action: 'submit' },
  credit: { ask: 'scope', action: 'work' },
  begin: { ask: 'session' },
  heartbeat: { ask: 'session' },
  reportProgress: { ask: 'session' },
  complete: { ask: 'session' },
  fail: { ask: 'session' },
  release: { ask: 'session' },
  cancel: { ask: 'owner', action: 'cancel' },
  query: { ask: 'owner', action: 'read' },
  watch: { ask: 'owner', action: 'read' },
  unwatch: { ask: 'session' },
  bye: { ask: 'anybody' },
  ping: { ask: 'anybody' },
  pong: { ask: 'anybody' },
} as const satisfies Record<ClientMessage['type'], Rule>

/** Whether a principal may do this on a queue. Without access control, which is what `undefined` stands for, anybody may. */
export function authorize(principal: Principal | undefined, action: QueueAction | 'admin', queue?: string): boolean {
  if (principal === undefined || principal.scopes.isAdmin) return true
  return action !== 'admin' && queue !== undefined && principal.scopes.allow(action, queue)
}

/** As `authorize`, for a task: its owner may do all of it. */
export function authorizeTask(principal: Principal | undefined, action: QueueAction, task: Task): boolean {
  return (
    principal === undefined || task.acceptance.owner === principal.id || authorize(principal, action, task.queue.name)
  )
}

/** Why something is refused to a principal whose scopes do not allow it. */
export function notPermitted(principal: Principal, action: QueueAction | 'admin', queue?: string): WireError {
  const scope = action === 'admin' ? 'admin' : `${action}:${queue}`
  return {
    code: 'not_permitted',
    message: `The token of ${JSON.stringify(principal.id.slice(0, 100))} has no scope ${scope}: ask for a token that has it.`,
    ...(queue === undefined ? {} : { field: 'queue' }),
  }
}
