import type { Task } from '@sluice/engine'
import type { ClientMessage, WireError } from '@sluice/protocol'
import type { Principal } from './access-control.ts'
import type { QueueAction } from './scopes.ts'

/**
 * What a request requires of a principal.
 * - `nobody`: nothing; it is answered before authentication.
 * - `anybody`: any accepted token.
 * - `scope`: a scope for this action on each named queue.
 * - `owner`: to own the task, or a scope for this action on the task's queue.
 * - `session`: its session holds the named lease or watch.
 * - `admin`: the scope `admin`.
 */
export type Rule =
  | { ask: 'nobody' | 'anybody' | 'session' | 'admin' }
  | { ask: 'scope'; action: QueueAction }
  | { ask: 'owner'; action: QueueAction }

/** The rule for every client message. */
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

/** Whether a principal may do this on a queue. Undefined means no access control: everybody may. */
export function authorize(principal: Principal | undefined, action: QueueAction | 'admin', queue?: string): boolean {
  if (principal === undefined || principal.scopes.isAdmin) return true
  return action !== 'admin' && queue !== undefined && principal.scopes.allow(action, queue)
}

/** Like `authorize`, for a task. Its owner may do everything with it. */
export function authorizeTask(principal: Principal | undefined, action: QueueAction, task: Task): boolean {
  return (
    principal === undefined || task.acceptance.owner === principal.id || authorize(principal, action, task.queue.name)
  )
}

/** The refusal for a principal whose scopes do not allow something. */
export function notPermitted(principal: Principal, action: QueueAction | 'admin', queue?: string): WireError {
  const scope = action === 'admin' ? 'admin' : `${action}:${queue}`
  return {
    code: 'not_permitted',
    message: `The token of ${JSON.stringify(principal.id.slice(0, 100))} has no scope ${scope}: ask for a token that has it.`,
    ...(queue === undefined ? {} : { field: 'queue' }),
  }
}
