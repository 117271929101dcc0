/** What a link says, unpacked, is never larger. */
const UNPACKED_MAX = 512 * 1024

/** Text in as few characters as an address allows. */
export async function pack(text: string): Promise<string> {
  let units = ''
  const reader = readerOf(new CompressionStream('deflate-raw'), new TextEncoder().encode(text))
  for (;;) {
    const { done, value } = await reader.read()
    if (done) break
    for (const byte of value) units += String.fromCharCode(byte)
  }
  return btoa(units).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '')
}

/** @throws Error if it was not packed, or is too large */
export async function unpack(packed: string): Promise<string> {
  const units = atob(packed.replaceAll('-', '+').replaceAll('_', '/'))
  const bytes = Uint8Array.from(units, (unit) => unit.charCodeAt(0))
  const reader = readerOf(new DecompressionStream('deflate-raw'), bytes)
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let text = ''
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return text + decoder.decode()
    text += decoder.decode(value, { stream: true })
    if (text.length > UNPACKED_MAX) {
      await reader.cancel()
      throw new Error(`more than ${UNPACKED_MAX} characters`)
    }
  }
}

/** What comes out of the stream for these bytes. */
function readerOf(
  { readable, writable }: CompressionStream | DecompressionStream,
  bytes: Uint8Array<ArrayBuffer>,
): ReadableStreamDefaultReader<Uint8Array> {
  const writer = writable.getWriter()
  // What is wrong with the bytes is learned where they are read.
  writer.write(bytes).catch(() => {})
  writer.close().catch(() => {})
  return readable.getReader()
}
