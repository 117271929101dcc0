import { fromBase64 } from './base64.ts'
import { Bodies } from './bodies.ts'
import { contentTypeOf } from './decode-fields.ts'
import { type BodyTexts, utf8Length } from './json-scan.ts'
import type { Limits } from './limits.ts'
import type { WithBodies } from './messages.ts'
import { badMessage, type Fields, listAt, Refusal, text, tooLarge, within } from './validate.ts'

/** Returns the bodies of a frame, message by message in order. */
export interface FrameBodies {
  /** The bodies of the message `fields`, one for each of its `count` items, and their content type. */
  take(fields: Fields, count: number): WithBodies
}

/** Bodies that follow the header of a binary frame, one after the other. */
export class BinaryBodies implements FrameBodies {
  readonly #frame: Uint8Array
  readonly #limits: Limits
  #at: number

  /** `start` is the offset of the first body in `frame`. */
  constructor(frame: Uint8Array, start: number, limits: Limits) {
    this.#frame = frame
    this.#at = start
    this.#limits = limits
  }

  take(fields: Fields, count: number): WithBodies {
    const contentType = contentTypeOf(fields, this.#limits)
    const lengths = Array.isArray(fields.bytes) ? this.#listed(fields, count) : this.#equal(fields.bytes, count)
    const start = this.#at
    let end = start
    for (let i = 0; i < lengths.length; i++) end += lengths[i]!
    if (end > this.#frame.length)
      throw new Refusal('bad_frame', 'The frame ends before the last of these bodies.', 'bytes')
    this.#at = end
    // A plain view, even if the frame is a subclass such as a pooled buffer.
    const bytes = new Uint8Array(this.#frame.buffer, this.#frame.byteOffset + start, end - start)
    return withBodies(Bodies.ofPieces([bytes], lengths), contentType)
  }

  /** Every byte of a frame must belong to a body. A rest means that the two sides disagree about the header. */
  refuseRest(): void {
    const rest = this.#frame.length - this.#at
    if (rest > 0) throw new Refusal('bad_frame', `The frame has ${rest} bytes after its last body.`, 'frame')
  }

  #listed(fields: Fields, count: number): number[] {
    const list = columnAt(fields, 'bytes', count)
    let index = 0
    try {
      for (; index < list.length; index++) this.#check(list[index], '')
    } catch (caught) {
      throw within(caught, `bytes[${index}]`)
    }
    return list as number[]
  }

  #equal(length: unknown, count: number): number[] {
    this.#check(length, 'bytes')
    return new Array<number>(count).fill(length as number)
  }

  #check(length: unknown, field: string): void {
    if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0) {
      throw badMessage('The length of the body in bytes is needed here.', field)
    }
    if (length > this.#limits.bodyBytesMax) throw bodyTooLarge(field, this.#limits)
  }
}

/** Bodies inline in a text frame: JSON as it was written, everything else in base64. */
export class TextBodies implements FrameBodies {
  readonly #texts: BodyTexts
  readonly #limits: Limits
  messageIndex = 0

  constructor(texts: BodyTexts, limits: Limits) {
    this.#texts = texts
    this.#limits = limits
  }

  take(fields: Fields, count: number): WithBodies {
    const contentType = contentTypeOf(fields, this.#limits)
    const hasTexts = Object.hasOwn(fields, 'bodies')
    if (fields.base64 !== undefined) {
      if (hasTexts) throw badMessage('Give bodies or base64, not both.', 'base64')
      return withBodies(this.#decoded(fields, count), contentType)
    }
    if (!hasTexts) throw badMessage('Bodies are needed here: a list of JSON values, or base64 in its place.', 'bodies')
    if (contentType !== undefined) {
      throw badMessage('Bodies that are not application/json must be in base64.', 'bodies')
    }
    columnAt(fields, 'bodies', count)
    const texts = this.#texts.get(this.messageIndex) ?? []
    for (const [index, text] of texts.entries()) {
      const { bodyBytesMax } = this.#limits
      if (text.length > bodyBytesMax || (text.length * 3 > bodyBytesMax && utf8Length(text) > bodyBytesMax)) {
        throw bodyTooLarge(`bodies[${index}]`, this.#limits)
      }
    }
    return withBodies(Bodies.ofTexts(texts), contentType)
  }

  #decoded(fields: Fields, count: number): Bodies {
    const { bodyBytesMax } = this.#limits
    const pieces = columnAt(fields, 'base64', count).map((item, index) => {
      const field = `base64[${index}]`
      const bytes = fromBase64(text(item, field, Math.ceil(bodyBytesMax / 3) * 4))
      if (bytes === null) throw badMessage('Base64 with padding (RFC 4648, section 4) is needed here.', field)
      if (bytes.length > bodyBytesMax) throw bodyTooLarge(field, this.#limits)
      return bytes
    })
    return Bodies.ofPieces(
      pieces,
      pieces.map((bytes) => bytes.length),
    )
  }
}

function columnAt(fields: Fields, key: string, count: number): unknown[] {
  const list = listAt(fields, key, Number.POSITIVE_INFINITY)
  if (list.length !== count)
    throw badMessage(`One entry for each of the ${count} items of this message is needed here.`, key)
  return list
}

function withBodies(bodies: Bodies, contentType: string | undefined): WithBodies {
  return contentType === undefined ? { bodies } : { contentType, bodies }
}

function bodyTooLarge(field: string, { bodyBytesMax }: Limits): Refusal {
  return tooLarge(
    `A body has at most ${bodyBytesMax} bytes: store more elsewhere and send its address.`,
    field,
    bodyBytesMax,
  )
}
