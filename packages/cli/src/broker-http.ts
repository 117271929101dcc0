import type { WireError } from '@sluice/protocol'
import { type BrokerUrl, unreachable } from './broker-url.ts'
import { CommandError, EXIT } from './exit-code.ts'

/** A broker that accepts the connection and then says nothing counts as none. */
const SILENCE_MS = 10_000

/** The HTTP API of a running broker, with refusals as `CommandError`s. */
export class BrokerHttp {
  readonly url: BrokerUrl

  constructor(url: BrokerUrl) {
    this.url = url
  }

  /** `waitMs` is how long the broker may take by intention, as in a long-poll. */
  async get<T>(path: string, waitMs = 0): Promise<T> {
    return this.#answer(path, await this.#fetch(path, {}, waitMs)) as Promise<T>
  }

  /** As `get`, with undefined for what is not there. */
  async find<T>(path: string, waitMs = 0): Promise<T | undefined> {
    const response = await this.#fetch(path, {}, waitMs)
    if (response.status === 404) {
      await response.body?.cancel()
      return undefined
    }
    return this.#answer(path, response) as Promise<T>
  }

  async post<T>(path: string, body: unknown): Promise<T> {
    const headers = { 'content-type': 'application/json' }
    const response = await this.#fetch(path, { method: 'POST', headers, body: JSON.stringify(body) }, 0)
    return this.#answer(path, response) as Promise<T>
  }

  async #fetch(path: string, init: RequestInit, waitMs: number): Promise<Response> {
    try {
      return await fetch(`${this.url.http}${path}`, { ...init, signal: AbortSignal.timeout(waitMs + SILENCE_MS) })
    } catch {
      throw unreachable(this.url)
    }
  }

  async #answer(path: string, response: Response): Promise<unknown> {
    let body: unknown
    try {
      body = await response.json()
    } catch {
      throw new CommandError(
        `What answers at ${this.url.http}${path} is no Sluice broker. Check the address: --url, SLUICE_URL`,
        EXIT.unreachable,
      )
    }
    if (response.ok) return body
    const error = (body as { error?: WireError } | null)?.error
    const message = error === undefined ? `The broker answered ${response.status}` : refusalText(error)
    throw new CommandError(message, response.status === 503 ? EXIT.busy : EXIT.failed)
  }
}

/** A refusal in one line, with the wait that the broker asked for. */
export function refusalText(
  error: Pick<WireError, 'code' | 'message'> & { retryAfterMs?: number | undefined },
): string {
  const wait = error.retryAfterMs === undefined ? '' : ` Try again in ${Math.ceil(error.retryAfterMs / 1000)} s.`
  return `${error.message} (${error.code})${wait}`
}
