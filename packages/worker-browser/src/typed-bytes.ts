/** The constructors of typed arrays, such as `Float32Array`. */
interface TypedArrayConstructor<T> {
  readonly BYTES_PER_ELEMENT: number
  readonly name: string
  new (buffer: ArrayBuffer): T
}

/** The bytes of a typed array, a DataView or an ArrayBuffer, without a copy. Send them as an input or return them. */
export function bytesOf(data: ArrayBufferView | ArrayBufferLike): Uint8Array {
  return ArrayBuffer.isView(data) ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength) : new Uint8Array(data)
}

/**
 * The typed array of these bytes: `arrayOf(Float32Array, bytes)`. It is a copy, since bytes need not begin at a multiple
 * of the element's size. The bytes are in the order of the machine, which is little-endian wherever browsers run.
 * @throws RangeError if the number of bytes is no multiple of the element's size
 */
export function arrayOf<T>(kind: TypedArrayConstructor<T>, bytes: Uint8Array): T {
  if (bytes.byteLength % kind.BYTES_PER_ELEMENT !== 0) {
    throw new RangeError(
      `${bytes.byteLength} bytes are no whole ${kind.name}: an element has ${kind.BYTES_PER_ELEMENT} bytes`,
    )
  }
  return new kind(new Uint8Array(bytes).buffer)
}
