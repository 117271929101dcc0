import type { Context } from 'hono'
import { HttpRefusal } from './error-response.ts'

/** The limit on bytes of bodies that are being received, over all connections. */
const RECEIVING_BYTES_MAX = 64 * 1024 ** 2

export function requestTooLarge(limit: number): HttpRefusal {
  const message = `A request has at most ${limit} bytes: send fewer tasks at a time.`
  return new HttpRefusal({ code: 'too_large', field: 'body', limit, message })
}

/** Receives request bodies. It bounds the bytes of each body, and of all that are being received. */
export class RequestBodies {
  readonly #bytesMax: number
  readonly #receivingBytesMax: number
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
    this.#receivingBytes += bytes
    try {
      return stated === undefined ? await this.#counted(c) : await c.req.arrayBuffer()
    } finally {
      this.#receivingBytes -= bytes
    }
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
