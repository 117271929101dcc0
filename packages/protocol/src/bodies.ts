import { bodyToJson, hidesProtoKey, parseJson } from './body.ts'
import { utf8Length } from './json-scan.ts'

const encoder = new TextEncoder()
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/**
 * The bodies of a message's items, in the order of its list: opaque bytes, each body directly after the one before.
 * They stay in one piece as long as possible, because encoding, decoding or copying five hundred small bodies one by
 * one costs ten times as much.
 */
export class Bodies {
  /**
   * The texts behind bodies made by `ofTexts`. The frame's encoder writes them directly, without making bytes first.
   */
  readonly texts: readonly string[] | undefined
  #pieces: readonly Uint8Array[] | undefined
  #lengths: readonly number[] | undefined
  #ends: number[] | undefined
  /** All bodies as one text if they are ASCII, so that offsets are the same in both; otherwise `null`. */
  #ascii: string | null | undefined
  #mayHideProtoKey = false

  private constructor(
    texts: readonly string[] | undefined,
    pieces: readonly Uint8Array[] | undefined,
    lengths: readonly number[] | undefined,
  ) {
    this.texts = texts
    this.#pieces = pieces
    this.#lengths = lengths
  }

  /** Bodies that are texts and travel in UTF-8. The texts must be well-formed, as those of `JSON.stringify` are. */
  static ofTexts(texts: readonly string[]): Bodies {
    return new Bodies(texts, undefined, undefined)
  }

  /**
   * Bodies of these lengths in bytes, which `pieces` contain one after the other. A piece may contain many bodies.
   * The callee owns both arrays and the bytes from now on.
   */
  static ofPieces(pieces: readonly Uint8Array[], lengths: readonly number[]): Bodies {
    return new Bodies(undefined, pieces, lengths)
  }

  get count(): number {
    return (this.texts ?? this.#lengths!).length
  }

  /** The size of each body in bytes. */
  get lengths(): readonly number[] {
    this.#lengths ??= this.texts!.map(utf8Length)
    return this.#lengths
  }

  /** The bytes of all bodies, in as many pieces as they arrived in. */
  get pieces(): readonly Uint8Array[] {
    this.#pieces ??= [encoder.encode(this.texts!.join(''))]
    return this.#pieces
  }

  /** The bytes of all bodies in one piece. For a decoded message this is a view of its frame. */
  get bytes(): Uint8Array {
    const { pieces } = this
    if (pieces.length === 1) return pieces[0]!
    const bytes = new Uint8Array(pieces.reduce((length, piece) => length + piece.length, 0))
    let at = 0
    for (const piece of pieces) {
      bytes.set(piece, at)
      at += piece.length
    }
    this.#pieces = [bytes]
    return bytes
  }

  /** The smallest possible total size in bytes. It is exact unless there are texts beyond ASCII. */
  get bytesMin(): number {
    const parts = this.texts ?? this.pieces
    let bytes = 0
    for (let i = 0; i < parts.length; i++) bytes += parts[i]!.length
    return bytes
  }

  /** The bytes of one body, as a view. */
  at(index: number): Uint8Array {
    const { bytes } = this
    // A plain view, even if the frame is a subclass such as a pooled buffer.
    return new Uint8Array(bytes.buffer, bytes.byteOffset + this.#startOf(index), this.lengths[index]!)
  }

  /** The JSON value of one body. Throws as `bodyToJson` does. */
  json(index: number): unknown {
    if (this.texts !== undefined) return parseJson(this.texts[index]!)
    if (this.#ascii === undefined) {
      this.#ascii = asciiOf(this.bytes)
      this.#mayHideProtoKey = this.#ascii !== null && hidesProtoKey(this.#ascii)
    }
    if (this.#ascii === null) return bodyToJson({ bytes: this.at(index) })
    const start = this.#startOf(index)
    const source = this.#ascii.substring(start, start + this.lengths[index]!)
    return this.#mayHideProtoKey ? parseJson(source) : (JSON.parse(source) as unknown)
  }

  /** The bodies from index `from` to before `to`. */
  slice(from: number, to: number): Bodies {
    if (this.texts !== undefined) return Bodies.ofTexts(this.texts.slice(from, to))
    const bytes = this.bytes.subarray(this.#startOf(from), this.#startOf(to))
    return Bodies.ofPieces([bytes], this.lengths.slice(from, to))
  }

  #startOf(index: number): number {
    if (this.#ends === undefined) {
      const { lengths } = this
      const ends = new Array<number>(lengths.length)
      let end = 0
      for (let i = 0; i < lengths.length; i++) {
        end += lengths[i]!
        ends[i] = end
      }
      this.#ends = ends
    }
    return index === 0 ? 0 : this.#ends[index - 1]!
  }
}

function asciiOf(bytes: Uint8Array): string | null {
  try {
    const text = decoder.decode(bytes)
    // A text beyond ASCII has fewer UTF-16 units than bytes.
    return text.length === bytes.length ? text : null
  } catch {
    return null
  }
}
