import type { Context } from 'hono'
import { type AccessControl, AccessError, type Principal } from '../core/access/access-control.ts'
import { authorize, type Rule } from '../core/access/authorize.ts'
import type { BrokerApi } from '../core/broker-api.ts'
import { HttpRefusal } from './error-response.ts'
import type { Tickets } from './tickets.ts'

/** The rule for every route. `scope` and `owner` are checked where the queue and the task are known. */
export const ROUTE_RULES = {
  'POST /v1/tasks': { ask: 'scope', action: 'submit' },
  'GET /v1/tasks/:id': { ask: 'owner', action: 'read' },
  'DELETE /v1/tasks/:id': { ask: 'owner', action: 'cancel' },
  'GET /v1/queues': { ask: 'scope', action: 'read' },
  'DELETE /v1/queues/:queue': { ask: 'scope', action: 'manage' },
  'GET /v1/workers': { ask: 'scope', action: 'read' },
  'GET /v1/dead': { ask: 'scope', action: 'read' },
  'POST /v1/dead/redrive': { ask: 'scope', action: 'manage' },
  'POST /v1/dead/purge': { ask: 'scope', action: 'manage' },
  'GET /v1/tasks': { ask: 'owner', action: 'read' },
  'POST /v1/queues/purge': { ask: 'scope', action: 'manage' },
  'GET /v1/outcomes': { ask: 'owner', action: 'read' },
  'POST /v1/tickets': { ask: 'anybody' },
  'POST /v1/revocations': { ask: 'admin' },
  'GET /healthz': { ask: 'nobody' },
  'GET /readyz': { ask: 'nobody' },
} as const satisfies Record<string, Rule>

export type Route = keyof typeof ROUTE_RULES

/** What a route gets to answer a request. */
export interface Admission {
  /** The API restricted to the principal. */
  api: BrokerApi
  /** Undefined without access control, or if the route needs no authentication. */
  principal: Principal | undefined
}

/** Serves a route with its rule and its known query parameters. */
export type Serve = (
  route: Route,
  parameters: readonly string[],
  answer: (c: Context, admission: Admission) => Response | Promise<Response>,
) => void

/** Authenticates requests: by `Authorization: Bearer TOKEN`, or, for reads, by a ticket in the query. */
export class Admissions {
  readonly #api: BrokerApi
  readonly #access: AccessControl | undefined
  readonly #tickets: Tickets

  constructor(api: BrokerApi, access: AccessControl | undefined, tickets: Tickets) {
    this.#api = api
    this.#access = access
    this.#tickets = tickets
  }

  /** @throws HttpRefusal with 401 or 403 */
  async admit(c: Context, rule: Rule): Promise<Admission> {
    if (this.#access === undefined) return { api: this.#api, principal: undefined }
    const token = bearerOf(c.req.header('authorization'))
    const ticket = c.req.method === 'GET' ? c.req.query('ticket') : undefined
    if (rule.ask === 'nobody' && token === undefined) return { api: this.#api, principal: undefined }
    const principal =
      ticket === undefined ? await this.#authenticate(this.#access, token) : this.#tickets.redeem(ticket)
    if (principal === undefined)
      throw new HttpRefusal({
        code: 'unauthorized',
        field: 'ticket',
        message: 'The ticket is unknown, used or too old: POST /v1/tickets gives a new one.',
      })
    const revoked = this.#api.refusalOf(principal)
    if (revoked !== undefined) throw new HttpRefusal(revoked)
    if (rule.ask === 'admin' && !authorize(principal, 'admin'))
      throw new HttpRefusal({ code: 'not_permitted', message: 'This needs a token with the scope admin.' })
    return { api: this.#api.as(principal), principal }
  }

  async #authenticate(access: AccessControl, token: string | undefined): Promise<Principal> {
    try {
      return await access.authenticate(token)
    } catch (thrown) {
      if (!(thrown instanceof AccessError)) throw thrown
      throw new HttpRefusal({ code: thrown.code, field: 'Authorization', message: thrown.message })
    }
  }
}

function bearerOf(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  const [scheme, token] = header.split(' ')
  if (scheme?.toLowerCase() === 'bearer' && token !== undefined && token !== '') return token
  throw new HttpRefusal({
    code: 'unauthorized',
    field: 'Authorization',
    message: 'Send the token as Authorization: Bearer TOKEN.',
  })
}
