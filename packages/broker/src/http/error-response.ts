import { ERRORS, type ErrorCode, type WireError } from '@sluice/protocol'
import { brief } from '../core/wire-error.ts'

/** Sizes for which HTTP has a status. Every other exceeded limit is a plain bad request. */
const SIZED_FIELD = /(^|\.)(body|base64|tasks)$/

const STATUS: Partial<Record<ErrorCode, number>> = {
  unauthorized: 401,
  token_expired: 401,
  not_permitted: 403,
  unknown_task: 404,
  id_conflict: 409,
  task_finished: 409,
  lease_lost: 409,
  internal: 500,
  busy: 503,
  draining: 503,
  read_only: 503,
}

export function statusOf(error: WireError): number {
  if (error.code === 'too_large') return SIZED_FIELD.test(error.field ?? '') ? 413 : 400
  // A principal or an address that uses too much causes 429. A full broker does not.
  if (error.code === 'busy' && (error.field === 'principal' || error.field === 'address')) return 429
  return STATUS[error.code] ?? 400
}

/** The retry delay if the broker states none: long enough not to hammer it, short enough for a person. */
const RETRY_AFTER_MS = 1000

/** `{ error }` with the status for its code. A 503 always has `Retry-After`, in whole seconds rounded up. */
export function errorResponse(error: WireError, extra: object = {}, status = statusOf(error)): Response {
  const headers: Record<string, string> = {}
  let stated = brief(error)
  if (status === 503 || status === 429) {
    stated = { ...stated, retryAfterMs: error.retryAfterMs ?? RETRY_AFTER_MS }
    headers['retry-after'] = String(Math.max(1, Math.ceil((stated.retryAfterMs ?? 0) / 1000)))
  }
  if (status === 401) headers['www-authenticate'] = 'Bearer'
  return Response.json({ error: stated, ...extra }, { status, headers })
}

/**
 * A refusal that `errorResponse` answers. `status` is for cases that HTTP names more precisely than the error's code.
 */
export class HttpRefusal extends Error {
  readonly error: WireError
  readonly status: number
  readonly #headers: Record<string, string>

  constructor(error: WireError, status = statusOf(error), headers: Record<string, string> = {}) {
    super(error.message)
    this.error = error
    this.status = status
    this.#headers = headers
  }

  response(): Response {
    const response = errorResponse(this.error, {}, this.status)
    for (const [name, value] of Object.entries(this.#headers)) response.headers.set(name, value)
    return response
  }
}

/**
 * The wire error in anything thrown: a refusal of this API, or an Error with a `code` of the table. Otherwise
 * undefined.
 */
export function wireErrorOf(thrown: unknown): WireError | undefined {
  if (thrown instanceof HttpRefusal) return thrown.error
  if (!(thrown instanceof Error) || !('code' in thrown)) return undefined
  const { code, message } = thrown
  if (typeof code !== 'string' || !Object.hasOwn(ERRORS, code)) return undefined
  const error: WireError = { code: code as ErrorCode, message }
  if ('field' in thrown && typeof thrown.field === 'string') error.field = thrown.field
  if ('limit' in thrown && typeof thrown.limit === 'number') error.limit = thrown.limit
  if ('retryAfterMs' in thrown && typeof thrown.retryAfterMs === 'number') error.retryAfterMs = thrown.retryAfterMs
  return error
}
