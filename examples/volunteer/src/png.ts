const SIGNATURE = Uint8Array.of(137, 80, 78, 71, 13, 10, 26, 10)
const BITS_PER_CHANNEL = 8
const RED_GREEN_BLUE = 2
/** Each byte of a row is stored as its difference to the pixel on its left. */
const FILTER_SUB = 1

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? 0xedb88320 ^ (crc >>> 1) : crc >>> 1
  return crc
})

/**
 * Makes a PNG of opaque pixels. A canvas could do that too, but browsers that hide their identity put noise into what
 * they read from a canvas.
 * @param rgba four bytes a pixel; the fourth is ignored
 * @param author who made it, in ASCII
 */
export async function pngOf(
  rgba: Uint8ClampedArray,
  width: number,
  height: number,
  author: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const header = new Uint8Array(13)
  const view = new DataView(header.buffer)
  view.setUint32(0, width)
  view.setUint32(4, height)
  header[8] = BITS_PER_CHANNEL
  header[9] = RED_GREEN_BLUE
  return joined([
    SIGNATURE,
    chunk('IHDR', header),
    chunk('tEXt', new TextEncoder().encode(`Author\0${author}`)),
    chunk('IDAT', await deflated(filteredRows(rgba, width, height))),
    chunk('IEND', new Uint8Array()),
  ])
}

/** @returns who made the PNG, or undefined if it does not tell */
export function authorOf(png: Uint8Array): string | undefined {
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength)
  for (let at = SIGNATURE.length; at + 12 <= png.length; ) {
    const length = view.getUint32(at)
    const body = new TextDecoder().decode(png.subarray(at + 4, at + 8 + Math.min(length, 100)))
    if (body.startsWith('tEXtAuthor\0')) return body.slice('tEXtAuthor\0'.length)
    at += length + 12
  }
  return undefined
}

function filteredRows(rgba: Uint8ClampedArray, width: number, height: number): Uint8Array<ArrayBuffer> {
  const rows = new Uint8Array((width * 3 + 1) * height)
  let at = 0
  for (let row = 0; row < height; row += 1) {
    rows[at++] = FILTER_SUB
    for (let column = 0; column < width; column += 1) {
      const pixel = (row * width + column) * 4
      for (let channel = 0; channel < 3; channel += 1)
        rows[at++] = rgba[pixel + channel]! - (column === 0 ? 0 : rgba[pixel - 4 + channel]!)
    }
  }
  return rows
}

async function deflated(bytes: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
  const stream = new Blob([bytes]).stream().pipeThrough(new CompressionStream('deflate'))
  return new Uint8Array(await new Response(stream).arrayBuffer())
}

function chunk(type: string, data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(data.length + 12)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, data.length)
  bytes.set(new TextEncoder().encode(type), 4)
  bytes.set(data, 8)
  let crc = 0xffffffff
  for (const byte of bytes.subarray(4, -4)) crc = CRC_TABLE[(crc ^ byte) & 255]! ^ (crc >>> 8)
  view.setUint32(data.length + 8, (crc ^ 0xffffffff) >>> 0)
  return bytes
}

function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(parts.reduce((length, part) => length + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}
