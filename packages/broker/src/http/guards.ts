import { isLoopbackHost } from '../loopback.ts'
import { HttpRefusal } from './error-response.ts'

/**
 * Protects against DNS rebinding: a foreign page can point a name of its own at 127.0.0.1 and would then count as the
 * same origin. So a broker without access control answers to loopback names only. With access control such a page lacks
 * a token, and any name is allowed unless names are listed; `undefined` means any.
 */
export function isAllowedHost(host: string, allowedHosts: readonly string[] | undefined): boolean {
  return (
    allowedHosts === undefined || isLoopbackHost(host) || allowedHosts.includes(host.replace(/:\d*$/, '').toLowerCase())
  )
}

/** @throws HttpRefusal if `Host` is a name that is not the broker's, or no name at all */
export function refuseForeignHost(host: string, allowedHosts: readonly string[] | undefined): void {
  if (!URL.canParse(`http://${host}`))
    throw new HttpRefusal({ code: 'bad_message', field: 'Host', message: 'Host is no name and no address.' })
  if (isAllowedHost(host, allowedHosts)) return
  throw new HttpRefusal({
    code: 'not_permitted',
    field: 'Host',
    message: `This broker answers to ${['localhost', '127.0.0.1', '[::1]', ...(allowedHosts ?? [])].join(', ')} only, not to ${JSON.stringify(host.slice(0, 100))}: add that name to allowedHosts if it is the broker's own.`,
  })
}

/** A browser states the origin of a request. Programs state none, and pass. */
export function refuseForeignOrigin(headers: Headers, host: string, allowedOrigins: readonly string[]): void {
  const origin = headers.get('origin')
  const own = origin === `http://${host}` || origin === `https://${host}`
  const foreign = origin === null ? headers.get('sec-fetch-site') === 'cross-site' : !own
  if (!foreign || (origin !== null && allowedOrigins.includes(origin))) return
  throw new HttpRefusal({
    code: 'not_permitted',
    field: 'Origin',
    message: 'Pages of another origin may not use this API: CORS does not stop them from sending, so the broker does.',
  })
}

/**
 * A form or a plain link can send any other content type across origins without a preflight request. So requests that
 * change something must have JSON.
 */
export function refuseOtherContent(headers: Headers, bodyExpected: boolean): void {
  const contentType = headers.get('content-type')
  if (contentType === null && !bodyExpected) return
  if (contentType?.split(';')[0]?.trim().toLowerCase() === 'application/json') return
  throw new HttpRefusal(
    {
      code: 'bad_message',
      field: 'Content-Type',
      message: 'Send JSON, with the header Content-Type: application/json.',
    },
    415,
  )
}
