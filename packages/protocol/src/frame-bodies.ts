import { fromBase64 } from './base64.ts'
import { type BodyTexts, utf8Length } from './json-scan.ts'
import type { Limits } from './limits.ts'
import { badMessage, type Fields, Refusal, text, tooLarge } from './validate.ts'

/** Hands out the bodies of a frame, item by item in the order of the header. */
export interface FrameBodies {
  /**
   * The bytes of `item`, which is item `index` of the list `list` in the message being decoded.
   * An `optional` body that the item does not mention is empty.
   */
  take(item: Fields, list: string, index: number, optional: boolean): Uint8Array
}

const NO_BYTES = new Uint8Array(0)
const encoder = new TextEncoder()

/** Bodies that stand one after the other behind the header of a binary frame. */
export class BinaryBodies implements FrameBodies {
  readonly #buffer: ArrayBufferLike
  readonly #end: number
  readonly #bodyBytesMax: number
  #at: number

  /** `start` is the offset of the first body in `frame`. */
  constructor(frame: Uint8Array, start: number, limits: Limits) {
    this.#buffer = frame.buffer
    this.#at = frame.byteOffset + start
    this.#end = frame.byteOffset + frame.byteLength
    this.#bodyBytesMax = limits.bodyBytesMax
  }

  take(item: Fields, _list: string, _index: number, optional: boolean): Uint8Array {
    const length = item.bytes
    if (length === undefined && optional) return NO_BYTES
    if (typeof length !== 'number' || !Number.isSafeInteger(length) || length < 0) {
      throw badMessage('The length of the body in bytes is needed here.', 'bytes')
    }
    if (length > this.#bodyBytesMax) throw bodyTooLarge('bytes', this.#bodyBytesMax)
    const start = this.#at
    if (start + length > this.#end) {
      throw new Refusal('bad_frame', 'The frame ends before the end of this body.', 'bytes')
    }
    this.#at = start + length
    // A plain view even where the frame is a subclass, such as a pooled buffer.
    return new Uint8Array(this.#buffer, start, length)
  }

  /** Every byte of a frame belongs to a body: a rest means that the two sides disagree about the header. */
  refuseRest(): void {
    if (this.#at !== this.#end) {
      throw new Refusal('bad_frame', `${this.#end - this.#at} bytes behind the last body belong to nothing.`, 'frame')
    }
  }
}

/** Bodies that stand inline in a text frame: JSON as it was written, anything else in base64. */
export class TextBodies implements FrameBodies {
  readonly #texts: BodyTexts
  readonly #bodyBytesMax: number
  messageIndex = 0

  constructor(texts: BodyTexts, limits: Limits) {
    this.#texts = texts
    this.#bodyBytesMax = limits.bodyBytesMax
  }

  take(item: Fields, list: string, index: number, optional: boolean): Uint8Array {
    const hasBody = Object.hasOwn(item, 'body')
    if (item.base64 !== undefined) {
      if (hasBody) throw badMessage('Give body or base64, not both.', 'base64')
      const source = text(item.base64, 'base64', Math.ceil(this.#bodyBytesMax / 3) * 4)
      const bytes = fromBase64(source)
      if (bytes === null) throw badMessage('Base64 with padding (RFC 4648, section 4) is needed here.', 'base64')
      if (bytes.length > this.#bodyBytesMax) throw bodyTooLarge('base64', this.#bodyBytesMax)
      return bytes
    }
    if (!hasBody) {
      if (optional) return NO_BYTES
      throw badMessage('A body is needed here: any JSON value, or base64 in its place.', 'body')
    }
    if (item.contentType !== undefined && item.contentType !== 'application/json') {
      throw badMessage('A body that is not application/json goes into base64.', 'body')
    }
    const source = this.#texts.get(`${this.messageIndex}.${list}.${index}`) ?? ''
    if (source.length > this.#bodyBytesMax || utf8Length(source) > this.#bodyBytesMax) {
      throw bodyTooLarge('body', this.#bodyBytesMax)
    }
    return encoder.encode(source)
  }
}

function bodyTooLarge(field: string, bodyBytesMax: number): Refusal {
  return tooLarge(
    `A body has at most ${bodyBytesMax} bytes: store more elsewhere and send its address.`,
    field,
    bodyBytesMax,
  )
}
