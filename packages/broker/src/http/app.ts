import { type Cancel, isTaskId, type Limits, type WireError } from '@sluice/protocol'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { cors } from 'hono/cors'
import type { BrokerApi } from '../core/broker-api.ts'
import { errorResponse, HttpRefusal, statusOf, wireErrorOf } from './error-response.ts'
import { refuseForeignHost, refuseForeignOrigin, refuseOtherContent } from './guards.ts'
import { requestJson } from './request-json.ts'
import { query, refuseMisdirected } from './routes.ts'
import { decodeAsMessages, decodeSubmission, fieldsOf } from './submission.ts'
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
    if (thrown instanceof HttpRefusal) return thrown.response()
    if (error !== undefined) return errorResponse(error)
    // Who sent the request is gone, and nothing failed here.
    if ('code' in thrown && thrown.code === 'ECONNRESET')
      return errorResponse({ code: 'bad_message', message: thrown.message })
    options.onError?.(thrown)
    return errorResponse({ code: 'internal', message: 'The broker failed; its log says why.' })
  })

  app.use(async (c, next) => {
    const host = c.req.header('host') ?? new URL(c.req.url).host
    refuseForeignHost(host)
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

  app.post('/v1/tasks', query(), async (c) => {
    const submit = decodeSubmission(await jsonOf(c, limits), limits, newId)
    const refusals = await api.submit(submit.queue, submit.options, submit.tasks)
    const tasks = submit.tasks.map(({ id }, index) => {
      const error = refusals[index]
      return error === undefined ? { id, accepted: true } : { id, accepted: false, error }
    })
    const common = commonRefusal(refusals, submit.tasks.length)
    return common === undefined ? c.json({ tasks }, 202) : errorResponse(common, { tasks })
  })

  app.get('/v1/tasks/:id', query('waitMs'), async (c) => {
    const id = taskId(c.req.param('id'))
    const waitMs = wholeNumber(c, 'waitMs', 0, WAIT_MS_MAX, 0)
    const details = await (waitMs === 0 ? api.task(id) : api.waitForOutcome(id, waitMs, c.req.raw.signal))
    if (details === undefined) throw unknownTask(id)
    return json(taskJson(details, limits.depthMax))
  })

  app.delete('/v1/tasks/:id', query(), async (c) => {
    const id = taskId(c.req.param('id'))
    const [error] = await api.cancel([id])
    return error === undefined ? c.json({ id, cancelled: true }) : errorResponse(error)
  })

  app.get('/v1/queues', query(), (c) => c.json({ queues: api.queues() }))
  app.get('/v1/workers', query(), (c) => c.json({ workers: api.workers() }))

  app.get('/v1/dead', query('queue', 'limit', 'after'), (c) => {
    const queue = c.req.query('queue')
    const after = c.req.query('after')
    const page = api.dead({
      limit: wholeNumber(c, 'limit', 1, DEAD_PAGE_MAX, DEAD_PAGE_DEFAULT),
      ...(queue === undefined ? {} : { queue }),
      ...(after === undefined ? {} : { after: taskId(after, 'after') }),
    })
    return json(deadPageJson(page, limits.frameBytesMax))
  })

  app.post('/v1/dead/redrive', query(), async (c) => {
    const { queue, ids } = fieldsOf(await jsonOf(c, limits), ['queue', 'ids'], '')
    if ((queue === undefined) === (ids === undefined)) {
      const message = 'Send {"queue": NAME} for all dead letters of a queue, or {"ids": […]} for some.'
      throw new HttpRefusal({ code: 'bad_message', field: 'queue', message })
    }
    if (ids === undefined && typeof queue !== 'string')
      throw new HttpRefusal({ code: 'bad_message', field: 'queue', message: 'A string is needed here.' })
    const target = ids === undefined ? { queue: queue as string } : { ids: taskIds(ids) }
    const { redriven, refused } = await api.redrive(target)
    const errors = refused.map(({ error }) => error)
    const common = commonRefusal(errors, redriven + errors.length)
    return common === undefined ? c.json({ redriven, refused }) : errorResponse(common, { redriven, refused })
  })

  app.get('/healthz', query(), (c) => c.json(api.health()))
  app.get('/readyz', query(), (c) => {
    const { status, reason } = api.health()
    return c.json({ status, ...(reason === undefined ? {} : { reason }) }, status === 'ready' ? 200 : 503)
  })

  /** Ids checked by the wire's decoder. */
  function taskIds(ids: unknown): string[] {
    const { messages } = decodeAsMessages([{ type: 'cancel', ref: 0, ids }], limits, (field) =>
      field.replace(/^messages\[0\]\.?/, ''),
    )
    return (messages[0] as Cancel).ids
  }

  return app
}

function json(text: string): Response {
  return new Response(text, { headers: { 'content-type': 'application/json' } })
}

async function jsonOf(c: Context, { depthMax }: Limits): Promise<unknown> {
  return requestJson(await c.req.arrayBuffer(), depthMax)
}

/** The refusal that answers the whole request: only where no task was accepted and all refusals mean the same status. */
function commonRefusal(refusals: readonly (WireError | undefined)[], count: number): WireError | undefined {
  const errors = refusals.filter((error) => error !== undefined)
  const [first] = errors
  if (first === undefined || errors.length < count) return undefined
  return errors.every((error) => statusOf(error) === statusOf(first)) ? first : undefined
}

function taskId(id: string, field = 'id'): string {
  if (isTaskId(id)) return id
  throw new HttpRefusal({ code: 'bad_message', field, message: 'A UUIDv7 in lower case is needed here.' })
}

function unknownTask(id: string): HttpRefusal {
  return new HttpRefusal({
    code: 'unknown_task',
    field: 'id',
    message: `No task ${id} is held here: never submitted, or its record has expired.`,
  })
}

function wholeNumber(c: Context, field: string, min: number, max: number, absent: number): number {
  const stated = c.req.query(field)
  if (stated === undefined) return absent
  const value = /^\d+$/.test(stated) ? Number(stated) : Number.NaN
  if (value >= min && value <= max) return value
  const message = `A whole number from ${min} to ${max} is needed here.`
  throw new HttpRefusal(
    value > max ? { code: 'too_large', message, field, limit: max } : { code: 'bad_message', message, field },
    400,
  )
}
