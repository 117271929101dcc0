import type { Limits, WireError } from '@sluice/protocol'
import { type Context, Hono } from 'hono'
import { cors } from 'hono/cors'
import type { AccessControl } from '../core/access/access-control.ts'
import { authorize } from '../core/access/authorize.ts'
import type { BrokerApi } from '../core/broker-api.ts'
import { Admissions, ROUTE_RULES, type Serve } from './access.ts'
import { errorResponse, HttpRefusal, statusOf, wireErrorOf } from './error-response.ts'
import { refuseForeignHost, refuseForeignOrigin, refuseOtherContent } from './guards.ts'
import { addOperatorRoutes } from './operator-routes.ts'
import { PRINCIPAL, RequestBodies, requestTooLarge } from './request-body.ts'
import {
  deadTarget,
  jsonOf,
  PAGE_DEFAULT,
  PAGE_MAX,
  type Receiving,
  taskId,
  text,
  wholeNumber,
} from './request-fields.ts'
import { query, refuseMisdirected } from './routes.ts'
import { decodeSubmission, fieldsOf } from './submission.ts'
import { deadPageJson, taskJson } from './task-view.ts'
import { TICKET_MS, Tickets } from './tickets.ts'

export interface HttpAppOptions {
  /** The limits in force on the wire. `frameBytesMax` bounds a request's body as it bounds a frame. */
  limits: Limits
  /** A new UUIDv7 for a task without an id. */
  newId: () => string
  /** Origins whose pages may use the API besides the broker's own, such as `http://localhost:5173`. Default none. */
  allowedOrigins?: readonly string[]
  /** Access control. Default: everybody may do everything, and only loopback names are allowed in `Host`. */
  access?: AccessControl | undefined
  /**
   * Names of the broker that `Host` may hold, besides those of loopback. Default: with `access` any, otherwise none.
   */
  allowedHosts?: readonly string[]
  /** At least 128 unpredictable bits as text, for tickets. */
  secretId: () => string
  /** ms since 1970. Default `Date.now`. */
  nowMs?: () => number
  /** Called with failures that the answer only calls `internal`. */
  onError?: (error: unknown) => void
}

/** The longest long poll. It is not longer than the minute after which proxies cut a silent connection. */
export const WAIT_MS_MAX = 60_000

/** The HTTP API of a running broker. It holds no state of its own. */
export function createHttpApp(api: BrokerApi, options: HttpAppOptions): Hono {
  const { limits, newId, allowedOrigins = [], allowedHosts, access, secretId, nowMs = Date.now } = options
  const app = new Hono()
  const tickets = new Tickets(nowMs, secretId)
  const admissions = new Admissions(api, access, tickets)
  const receiving: Receiving = { limits, bodies: new RequestBodies(limits.frameBytesMax) }
  const on: Serve = (route, parameters, answer) => {
    const [method, path] = route.split(' ') as [string, string]
    const known = method === 'GET' && access !== undefined ? [...parameters, 'ticket'] : parameters
    app.on(method, path, query(...known), async (c: Context) => {
      const admission = await admissions.admit(c, ROUTE_RULES[route])
      c.set(PRINCIPAL, admission.principal?.id)
      return answer(c, admission)
    })
  }

  app.onError((thrown) => {
    const error = wireErrorOf(thrown)
    if (thrown instanceof HttpRefusal) return thrown.response()
    if (error !== undefined) return errorResponse(error)
    // The client is gone, and nothing failed here.
    if ('code' in thrown && thrown.code === 'ECONNRESET')
      return errorResponse({ code: 'bad_message', message: thrown.message })
    options.onError?.(thrown)
    return errorResponse({ code: 'internal', message: 'The broker failed; its log says why.' })
  })

  app.use(async (c, next) => {
    const host = c.req.header('host') ?? new URL(c.req.url).host
    refuseForeignHost(host, allowedHosts ?? (access === undefined ? [] : undefined))
    refuseForeignOrigin(c.req.raw.headers, host, allowedOrigins)
    refuseMisdirected(app.routes, c.req.method, c.req.path)
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD')
      refuseOtherContent(c.req.raw.headers, c.req.method === 'POST')
    await next()
    c.header('cache-control', 'no-store')
    c.header('x-content-type-options', 'nosniff')
  })

  app.use(
    cors({
      origin: (origin) => (allowedOrigins.includes(origin) ? origin : null),
      allowMethods: ['GET', 'POST', 'DELETE'],
      allowHeaders: ['content-type', 'authorization'],
      exposeHeaders: ['retry-after'],
    }),
  )

  app.use(async (c, next) => {
    // Leave the body alone: the server skips a body that nobody began to read, and the connection continues.
    if (Number(c.req.header('content-length') ?? 0) > limits.frameBytesMax) throw requestTooLarge(limits.frameBytesMax)
    await next()
  })

  on('POST /v1/tasks', [], async (c, { api }) => {
    const submit = decodeSubmission(await jsonOf(c, receiving), limits, newId)
    const refusals = await api.submit(submit.queue, submit.options, submit.tasks)
    const tasks = submit.tasks.map(({ id }, index) => {
      const error = refusals[index]
      return error === undefined ? { id, accepted: true } : { id, accepted: false, error }
    })
    const common = commonRefusal(refusals, submit.tasks.length)
    return common === undefined ? c.json({ tasks }, 202) : errorResponse(common, { tasks })
  })

  on('GET /v1/tasks/:id', ['waitMs'], async (c, { api }) => {
    const id = taskId(c.req.param('id') as string)
    const waitMs = wholeNumber(c, 'waitMs', 0, WAIT_MS_MAX, 0)
    const tell = waitMs === 0 ? () => api.task(id) : await api.waitForOutcome(id, waitMs, c.req.raw.signal)
    const details = await tell()
    if (details === undefined) throw unknownTask(id)
    return json(taskJson(details, limits.depthMax))
  })

  on('DELETE /v1/tasks/:id', [], async (c, { api }) => {
    const id = taskId(c.req.param('id') as string)
    const [error] = await api.cancel([id])
    return error === undefined ? c.json({ id, cancelled: true }) : errorResponse(error)
  })

  on('GET /v1/dead', ['queue', 'limit', 'after'], (c, { api }) => {
    const queue = c.req.query('queue')
    const after = c.req.query('after')
    const page = api.dead({
      limit: wholeNumber(c, 'limit', 1, PAGE_MAX, PAGE_DEFAULT),
      ...(queue === undefined ? {} : { queue }),
      ...(after === undefined ? {} : { after: taskId(after, 'after') }),
    })
    return json(deadPageJson(page, limits.frameBytesMax))
  })

  on('POST /v1/dead/redrive', [], async (c, { api }) => {
    const { redriven, refused } = await api.redrive(await deadTarget(c, receiving))
    const errors = refused.map(({ error }) => error)
    const common = commonRefusal(errors, redriven + errors.length)
    return common === undefined ? c.json({ redriven, refused }) : errorResponse(common, { redriven, refused })
  })

  addOperatorRoutes(on, receiving)

  on('POST /v1/tickets', [], (c, { principal }) => {
    if (principal === undefined) {
      const message = 'This broker has no access control: no request needs a ticket.'
      throw new HttpRefusal({ code: 'bad_message', message })
    }
    const ticket = tickets.issue(principal)
    if (ticket !== undefined) return c.json({ ticket, expiresInMs: TICKET_MS }, 201)
    const message = 'Too many tickets are unused: use them, or wait until they are too old.'
    throw new HttpRefusal({ code: 'busy', message, retryAfterMs: TICKET_MS }, 429)
  })

  on('POST /v1/revocations', [], async (c, { api }) => {
    const { principal, session } = fieldsOf(await jsonOf(c, receiving), ['principal', 'session'], '')
    if ((principal === undefined) === (session === undefined)) {
      const message = 'Send {"principal": NAME} for all tokens of a principal, or {"session": ID} for one session.'
      throw new HttpRefusal({ code: 'bad_message', field: 'principal', message })
    }
    const target = principal === undefined ? { session } : { principal }
    const [field, name] = Object.entries(target)[0] as [string, unknown]
    const named = { [field]: text(name, field) } as Parameters<BrokerApi['revoke']>[0]
    return c.json({ closed: await api.revoke(named) })
  })

  on('GET /healthz', [], (c, { api, principal }) => {
    const health = api.health()
    const isTold = access === undefined || (principal !== undefined && authorize(principal, 'admin'))
    return c.json(isTold ? health : { status: health.status })
  })
  on('GET /readyz', [], (c, { api }) => {
    const { status, reason } = api.health()
    return c.json({ status, ...(reason === undefined ? {} : { reason }) }, status === 'ready' ? 200 : 503)
  })

  return app
}

function json(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'application/json' } })
}

/**
 * The refusal that answers the whole request. It exists only if no task was accepted and all refusals mean the same
 * status.
 */
function commonRefusal(refusals: readonly (WireError | undefined)[], count: number): WireError | undefined {
  const errors = refusals.filter((error) => error !== undefined)
  const [first] = errors
  if (first === undefined || errors.length < count) return undefined
  return errors.every((error) => statusOf(error) === statusOf(first)) ? first : undefined
}

function unknownTask(id: string): HttpRefusal {
  return new HttpRefusal({
    code: 'unknown_task',
    field: 'id',
    message: `No task ${id} is held here: never submitted, or its record has expired.`,
  })
}
