import type { Limits, WireError } from '@sluice/protocol'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import type { BrokerApi } from '../core/broker-api.ts'
import { errorResponse, HttpRefusal, statusOf, wireErrorOf } from './error-response.ts'
import { refuseForeignHost, refuseForeignOrigin, refuseOtherContent } from './guards.ts'
import { addOperatorRoutes } from './operator-routes.ts'
import { deadTarget, jsonOf, taskId, wholeNumber } from './request-fields.ts'
import { decodeSubmission } from './submission.ts'
import { deadPageJson, taskJson } from './task-view.ts'

export interface HttpAppOptions {
  /** The limits in force on the wire; `frameBytesMax` bounds a request's body as it bounds a frame. */
  limits: Limits
  /** A fresh UUIDv7 for a task that came without an id. */
  newId: () => string
  /** Origins whose pages may use the API besides the broker's own, such as `http://localhost:5173`. Default none. */
  allowedOrigins?: readonly string[]
  /** Hears of failures that the answer names only as `internal`. */
  onError?: (error: unknown) => void
}

/** The longest long-poll; below the minute after which proxies cut a silent connection. */
export const WAIT_MS_MAX = 60_000
const DEAD_PAGE_MAX = 1000
const DEAD_PAGE_DEFAULT = 100

/** The HTTP API over a running broker. Holds no state of its own. */
export function createHttpApp(api: BrokerApi, options: HttpAppOptions): Hono {
  const { limits, newId, allowedOrigins = [] } = options
  const app = new Hono()

  app.onError((thrown) => {
    const error = wireErrorOf(thrown)
    if (thrown instanceof HttpRefusal) return errorResponse(thrown.error, {}, thrown.status)
    if (error !== undefined) return errorResponse(error)
    // Who sent the request is gone, and nothing failed here.
    if ('code' in thrown && thrown.code === 'ECONNRESET')
      return errorResponse({ code: 'bad_message', message: thrown.message })
    options.onError?.(thrown)
    return errorResponse({ code: 'internal', message: 'The broker failed; its log says why.' })
  })

  app.notFound((c) => {
    const path = new URL(c.req.url).pathname
    const message = `There is no ${c.req.method} ${path} here. GET /v1/queues lists queues, POST /v1/tasks submits.`
    return errorResponse({ code: 'bad_message', message }, {}, 404)
  })

  app.use(async (c, next) => {
    const host = c.req.header('host') ?? new URL(c.req.url).host
    refuseForeignHost(host)
    refuseForeignOrigin(c.req.raw.headers, host, allowedOrigins)
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
      allowHeaders: ['content-type'],
      exposeHeaders: ['retry-after'],
    }),
  )

  const tooLarge = () =>
    errorResponse({
      code: 'too_large',
      field: 'body',
      limit: limits.frameBytesMax,
      message: `A request has at most ${limits.frameBytesMax} bytes: send fewer tasks at a time.`,
    })
  const countedLimit = bodyLimit({ maxSize: limits.frameBytesMax, onError: tooLarge })
  app.use(async (c, next) => {
    const length = c.req.header('content-length')
    if (length === undefined) return countedLimit(c, next)
    // Not touched where it is not wanted: the server passes over what nobody began to read, and the connection goes on.
    return Number(length) > limits.frameBytesMax ? tooLarge() : next()
  })

  app.post('/v1/tasks', async (c) => {
    const submit = decodeSubmission(await jsonOf(c, limits), limits, newId)
    const refusals = await api.submit(submit.queue, submit.options, submit.tasks)
    const tasks = submit.tasks.map(({ id }, index) => {
      const error = refusals[index]
      return error === undefined ? { id, accepted: true } : { id, accepted: false, error }
    })
    const common = commonRefusal(refusals, submit.tasks.length)
    return common === undefined ? c.json({ tasks }, 202) : errorResponse(common, { tasks })
  })

  app.get('/v1/tasks/:id', async (c) => {
    const id = taskId(c.req.param('id'))
    const waitMs = wholeNumber(c, 'waitMs', 0, WAIT_MS_MAX, 0)
    const details = await api.task(id)
    if (details === undefined) throw unknownTask(id)
    const unfinished = ['delayed', 'ready', 'leased'].includes(details.state)
    if (waitMs === 0 || !unfinished) return json(taskJson(details, limits.depthMax))
    await api.waitForOutcome(id, waitMs, c.req.raw.signal)
    const later = await api.task(id)
    if (later === undefined) throw unknownTask(id)
    return json(taskJson(later, limits.depthMax))
  })

  app.delete('/v1/tasks/:id', async (c) => {
    const id = taskId(c.req.param('id'))
    const [error] = await api.cancel([id])
    return error === undefined ? c.json({ id, cancelled: true }) : errorResponse(error)
  })

  app.get('/v1/queues', (c) => c.json({ queues: api.queues() }))
  app.get('/v1/workers', (c) => c.json({ workers: api.workers() }))

  app.get('/v1/dead', (c) => {
    const queue = c.req.query('queue')
    const after = c.req.query('after')
    const page = api.dead({
      limit: wholeNumber(c, 'limit', 1, DEAD_PAGE_MAX, DEAD_PAGE_DEFAULT),
      ...(queue === undefined ? {} : { queue }),
      ...(after === undefined ? {} : { after: taskId(after, 'after') }),
    })
    return json(deadPageJson(page, limits.frameBytesMax))
  })

  app.post('/v1/dead/redrive', async (c) => c.json({ redriven: await api.redrive(await deadTarget(c, limits)) }))

  addOperatorRoutes(app, api, limits)

  app.get('/healthz', (c) => c.json(api.health()))
  app.get('/readyz', (c) => {
    const { status, reason } = api.health()
    return c.json({ status, ...(reason === undefined ? {} : { reason }) }, status === 'ready' ? 200 : 503)
  })

  return app
}

function json(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'application/json' } })
}

/** The refusal that answers the whole request: only where no task was accepted and all refusals mean the same status. */
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
