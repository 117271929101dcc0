import type { MiddlewareHandler } from 'hono'
import { HttpRefusal } from './error-response.ts'

/** Hono's own method for middleware, which every path passes. */
const MIDDLEWARE = 'ALL'

/** @throws HttpRefusal for a request that no route takes: 405 if its path has other methods, otherwise 404 */
export function refuseMisdirected(
  routes: readonly { method: string; path: string }[],
  method: string,
  path: string,
): void {
  const methods = new Set(
    routes.filter((route) => route.method !== MIDDLEWARE && leadsTo(route.path, path)).map((route) => route.method),
  )
  if (methods.has('GET')) methods.add('HEAD')
  // CORS is handled elsewhere.
  if (methods.has(method) || method === 'OPTIONS') return
  const asked = `${method} ${path.slice(0, 200)}`
  if (methods.size === 0) {
    const message = `There is no ${asked} here. GET /v1/queues lists queues, POST /v1/tasks submits.`
    throw new HttpRefusal({ code: 'bad_message', message }, 404)
  }
  const allow = [...methods].join(', ')
  const message = `${asked} is not possible: use ${allow}.`
  throw new HttpRefusal({ code: 'bad_message', message }, 405, { allow })
}

/** A part of a route's path that starts with a colon matches any one part. */
function leadsTo(route: string, path: string): boolean {
  const parts = path.split('/')
  const wanted = route.split('/')
  return (
    parts.length === wanted.length &&
    wanted.every((part, i) => part === parts[i] || (part.startsWith(':') && parts[i] !== ''))
  )
}

/**
 * Refuses query parameters that the route does not know, or that occur twice. Otherwise they would be ignored silently.
 */
export function query(...known: string[]): MiddlewareHandler {
  return async (c, next) => {
    for (const [name, values] of Object.entries(c.req.queries())) {
      const message = !known.includes(name)
        ? `No such parameter; there ${known.length === 0 ? 'are none here' : `is ${known.join(', ')}`}.`
        : values.length > 1
          ? 'This parameter stands there more than once.'
          : undefined
      if (message !== undefined) throw new HttpRefusal({ code: 'bad_message', field: name.slice(0, 100), message })
    }
    await next()
  }
}
