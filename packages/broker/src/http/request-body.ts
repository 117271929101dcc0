import type { Context } from 'hono'
import { HttpRefusal } from './error-response.ts'

/** The limit on bytes of bodies that are being received, over all connections. */
const RECEIVING_BYTES_MAX = 64 * 1024 ** 2

export function requestTooLarge(limit: number): HttpRefusal {
  const message = `A request has at most ${limit} bytes: send fewer tasks at a time.`
  return new HttpRefusal({ code: 'too_large', field: 'body', limit, message })
}

/** Where the route notes who asks, for the rest of the request. */
export const PRINCIPAL = 'principal'

/**
 * Receives request bodies. It bounds the bytes of each body, of all that are being received, and of those of one
 * principal: half of all, so that slow bodies of one do not shut out others.
 */
export class RequestBodies {
  readonly #bytesMax: number
  readonly #receivingBytesMax: number
  readonly #receivingOf = new Map<string, number>()
  #receivingBytes = 0

  /** `bytesMax` bounds one body. */
  constructor(bytesMax: number, receivingBytesMax = RECEIVING_BYTES_MAX) {
    this.#bytesMax = bytesMax
    this.#receivingBytesMax = Math.max(bytesMax, receivingBytesMax)
  }

  /** @throws HttpRefusal if the body is too large, or if too many others are being received */
  async receive(c: Context): Promise<ArrayBuffer> {
    const stated = c.req.header('content-length')
    // A body of unknown size counts as the largest.
    const bytes = stated === undefined ? this.#bytesMax : Number(stated)
    if (bytes > this.#bytesMax) throw requestTooLarge(this.#bytesMax)
    if (this.#receivingBytes + bytes > this.#receivingBytesMax)
      throw new HttpRefusal({
        code: 'busy',
        message: 'Too many requests are being received: send it again later.',
        retryAfterMs: 1000,
      })
    const principal = c.get(PRINCIPAL) as string | undefined
    const own = this.#bytesOf(principal) + bytes
    const ownMax = Math.max(this.#bytesMax, this.#receivingBytesMax / 2)
    if (principal !== undefined && own > ownMax)
      throw new HttpRefusal({
        code: 'busy',
        field: 'principal',
        message: `You send more than ${ownMax} bytes of requests at once: send it again later.`,
        limit: ownMax,
        retryAfterMs: 1000,
      })
    this.#note(principal, bytes)
    try {
      return stated === undefined ? await this.#counted(c) : await c.req.arrayBuffer()
    } finally {
      this.#note(principal, -bytes)
    }
  }

  #bytesOf(principal: string | undefined): number {
    return principal === undefined ? 0 : (this.#receivingOf.get(principal) ?? 0)
  }

  #note(principal: string | undefined, bytes: number): void {
    this.#receivingBytes += bytes
    if (principal === undefined) return
    const sum = this.#bytesOf(principal) + bytes
    if (sum > 0) this.#receivingOf.set(principal, sum)
    else this.#receivingOf.delete(principal)
  }

  async #counted(c: Context): Promise<ArrayBuffer> {
    const pieces: Uint8Array<ArrayBuffer>[] = []
    let bytes = 0
    for await (const piece of c.req.raw.body ?? []) {
      bytes += piece.length
      if (bytes > this.#bytesMax) throw requestTooLarge(this.#bytesMax)
      pieces.push(piece)
    }
    return new Blob(pieces).arrayBuffer()
  }
}
