import { parseExact, type WireError } from '@sluice/protocol'
import { type BrokerUrl, unreachable } from './broker-url.ts'
import { CommandError, EXIT } from './exit-code.ts'

/** A broker that accepts the connection but does not answer counts as absent. */
const SILENCE_MS = 10_000
/** The broker writes to a stream at least every fifteen seconds. */
const STREAM_SILENCE_MS = 45_000

/**
 * The HTTP API of a running broker. Refusals become `CommandError`s. Any program may listen at the address, so each
 * request names a `field` that a broker's answer has.
 */
export class BrokerHttp {
  readonly url: BrokerUrl

  readonly #token: string | undefined

  /** `token`: for a broker with access control. */
  constructor(url: BrokerUrl, token?: string) {
    this.url = url
    this.#token = token
  }

  async get<T>(path: string, field: keyof T & string): Promise<T> {
    return this.#answer(path, field, await this.#fetch(path, {}, 0))
  }

  /**
   * Like `get`, but undefined for a task that is not held. `waitMs` is how long the broker may intentionally take, as
   * in a long poll.
   */
  async find<T>(path: string, field: keyof T & string, waitMs: number): Promise<T | undefined> {
    try {
      return await this.#answer(path, field, await this.#fetch(path, {}, waitMs))
    } catch (caught) {
      if (caught instanceof BrokerRefusal && caught.code === 'unknown_task') return undefined
      throw caught
    }
  }

  async post<T>(path: string, body: unknown, field: keyof T & string): Promise<T> {
    const headers = { 'content-type': 'application/json' }
    const init = { method: 'POST', headers, body: JSON.stringify(body) }
    return this.#answer(path, field, await this.#fetch(path, init, 0))
  }

  async delete<T>(path: string, field: keyof T & string): Promise<T> {
    return this.#answer(path, field, await this.#fetch(path, { method: 'DELETE' }, 0))
  }

  /**
   * The lines of a streamed answer, until it ends or `stop` aborts. Empty lines are signs of life.
   * @throws CommandError if the broker refuses, goes away, or is silent for too long
   */
  async *lines(path: string, stop: AbortSignal): AsyncGenerator<string> {
    const silence = new AbortController()
    let overdue = setTimeout(() => silence.abort(), SILENCE_MS)
    try {
      const response = await fetch(`${this.url.http}${path}`, { signal: AbortSignal.any([stop, silence.signal]) })
      const isStream = response.headers.get('content-type')?.startsWith('application/x-ndjson')
      if (!isStream || response.body === null) {
        this.#answer(path, '', { status: response.status, text: await response.text() })
        return
      }
      let rest = ''
      for await (const part of response.body.pipeThrough(new TextDecoderStream())) {
        clearTimeout(overdue)
        overdue = setTimeout(() => silence.abort(), STREAM_SILENCE_MS)
        const lines = (rest + part).split('\n')
        rest = lines.pop() ?? ''
        yield* lines
      }
    } catch (caught) {
      if (stop.aborted) return
      throw caught instanceof CommandError ? caught : unreachable(this.url)
    } finally {
      clearTimeout(overdue)
    }
  }

  async #fetch(path: string, init: RequestInit, waitMs: number): Promise<{ status: number; text: string }> {
    try {
      const signal = AbortSignal.timeout(waitMs + SILENCE_MS)
      const headers = new Headers(init.headers)
      if (this.#token !== undefined) headers.set('authorization', `Bearer ${this.#token}`)
      const response = await fetch(`${this.url.http}${path}`, { ...init, headers, signal })
      return { status: response.status, text: await response.text() }
    } catch {
      throw unreachable(this.url)
    }
  }

  #answer<T>(path: string, field: string, { status, text }: { status: number; text: string }): T {
    const body = fieldsOf(text)
    if (status < 300 && body !== undefined && Object.hasOwn(body, field)) return body as T
    const error = body?.error as Partial<WireError> | null | undefined
    if (status >= 400 && typeof error?.code === 'string' && typeof error.message === 'string') {
      throw new BrokerRefusal(error as WireError, status === 503 ? EXIT.busy : EXIT.failed)
    }
    throw new CommandError(
      `What answers at ${this.url.http}${path} is no Sluice broker. Check the address: --url, SLUICE_URL`,
      EXIT.unreachable,
    )
  }
}

const TOKEN_ADVICE = ' Give a token with --token or SLUICE_TOKEN: sluice token mint makes one.'

export class BrokerRefusal extends CommandError {
  readonly code: WireError['code']
  /** The broker's answer. */
  readonly text: string

  constructor(error: WireError, exitCode: 1 | 4) {
    const isTokenMissing = error.code === 'unauthorized' || error.code === 'token_expired'
    super(refusalText(error) + (isTokenMissing ? TOKEN_ADVICE : ''), exitCode)
    this.code = error.code
    this.text = error.message
  }
}

function fieldsOf(text: string): Record<string, unknown> | undefined {
  try {
    const value = parseExact(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined
  } catch {
    return undefined
  }
}

/** A refusal in one line, with the field at fault if that helps, and the broker's retry delay. */
export function refusalText({
  code,
  message,
  field,
  retryAfterMs,
}: Pick<WireError, 'code' | 'message'> & { field?: string | undefined; retryAfterMs?: number | undefined }): string {
  const wait = retryAfterMs === undefined ? '' : ` Try again in ${Math.ceil(retryAfterMs / 1000)} s.`
  const at = field !== undefined && NAMES_FIELD.has(code) ? `${code} in ${field}` : code
  return `${message} (${at})${wait}`
}

/** Codes whose message concerns a field but does not name it. */
const NAMES_FIELD: ReadonlySet<string> = new Set(['bad_message', 'too_large'])
